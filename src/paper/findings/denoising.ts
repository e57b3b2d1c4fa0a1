/** Noising against denoising: single heads summed up, and two places of the residual stream as mirror images. */
import { grid } from "../../numbers/lists";
import { where } from "../../numbers/rows";
import { share } from "../../numbers/statistics";
import { LETTERS, type Letter, POSITIONS, type Position, readoutPosition } from "../../prompts/positions";
import { type Claim, claim } from "../../show/claims";
import type { PatchCell } from "../paper-patching";

/** A letter's change when the whole prompt is replaced: see `promptSite`. */
export interface WholeChange {
  readonly letter: Letter;
  /** In logits. */
  readonly change: number;
}

/** Effects of single heads summed up, as shares of what the whole corruption costs. 1: heads simply add up; null: it costs nothing. */
export interface HeadSums {
  readonly letter: Letter;
  /** What the whole corruption takes from the logit difference, in logits. */
  readonly cost: number;
  readonly noising: number | null;
  readonly denoising: number | null;
}

/** What the whole corruption costs a letter, in logits. */
function costOf(whole: readonly WholeChange[], letter: Letter): number {
  const [row] = where(whole, { letter });
  if (!row) throw new RangeError(`there is no change of the whole prompt for letter ${letter}`);
  return -row.change;
}

/** Throws a RangeError if `whole` lacks a letter's row. */
export function headSums(
  whole: readonly WholeChange[],
  noised: readonly PatchCell[],
  denoised: readonly PatchCell[],
): HeadSums[] {
  const sum = (rows: readonly PatchCell[], letter: Letter) =>
    where(rows, { letter }).reduce((total, { change }) => total + change, 0);
  return LETTERS.map((letter) => {
    const cost = costOf(whole, letter);
    return { letter, cost, noising: share(-sum(noised, letter), cost), denoising: share(sum(denoised, letter), cost) };
  });
}

/** By letter and layer, four ways to have the current word wrong in one place; a share of what the whole corruption costs. */
export interface MirrorRow {
  readonly letter: Letter;
  readonly layer: number;
  readonly what: string;
  readonly share: number;
}

/** The ways that are the same mixture: the word wrong at C_i and right at the read-out, and the reverse. */
const PAIRS = [
  ["Ci corrupted: lost", "read-out repaired: still lost"],
  ["read-out corrupted: lost", "Ci repaired: still lost"],
] as const;

/**
 * What is lost where the residual stream is corrupted at C_i or at the read-out, and what is still lost where it is repaired.
 * Throws a RangeError if `whole` lacks a letter's row, or a cell is missing.
 * @param noised `activationPatch` of the current word over `blockSite()`, with C_i and where each letter is read
 * @param denoised the same, denoising
 * @returns no rows of a letter that the corruption costs nothing: there are no shares of it
 */
export function mirrorShares(
  whole: readonly WholeChange[],
  noised: readonly PatchCell[],
  denoised: readonly PatchCell[],
): MirrorRow[] {
  const layers = [...new Set(noised.map(({ layer }) => layer))];
  return grid({ letter: LETTERS, layer: layers }).flatMap(({ letter, layer }) => {
    const cost = costOf(whole, letter);
    const lost = (position: Position) => share(-cellAt(noised, { letter, layer, position }).change, cost);
    const stillLost = (position: Position) => share(cost - cellAt(denoised, { letter, layer, position }).change, cost);
    const [word, read] = [`C${letter}` as Position, POSITIONS[readoutPosition(letter)]];
    const shares = [
      [lost(word), stillLost(read)],
      [lost(read), stillLost(word)],
    ];
    return PAIRS.flatMap((pair, p) =>
      pair.flatMap((what, i) => {
        const part = shares[p][i];
        return part === null ? [] : [{ letter, layer, what, share: part }];
      }),
    );
  });
}

function cellAt(
  cells: readonly PatchCell[],
  at: Required<Pick<PatchCell, "letter" | "layer" | "position">>,
): PatchCell {
  const [found] = where(cells, at);
  if (!found)
    throw new RangeError(`there is no cell of letter ${at.letter}, layer ${at.layer}, position ${at.position}`);
  return found;
}

/** Corrupting one place is repairing the other. */
export function mirrorClaim(rows: readonly MirrorRow[]): Claim {
  const apart = PAIRS.flatMap(([corrupted, repaired]) =>
    where(rows, { what: corrupted }).map(({ letter, layer, share }) =>
      Math.abs(share - where(rows, { letter, layer, what: repaired })[0].share),
    ),
  );
  const furthest = Math.max(...apart);
  return claim(
    "Corrupting C_i and repairing the read-out are the same, and the reverse: within a tenth of what another word costs, before every layer",
    furthest < 0.1,
    `furthest apart ${furthest.toFixed(3)}`,
  );
}

type Sums = Readonly<Record<"noising" | "denoising", number>>;

/**
 * Heads summed up, against the largest wrong letter and against the mean of them: how far noising and denoising differ is
 * up to the measure.
 */
export function headSumClaims({ max, mean }: Readonly<Record<"max" | "mean", readonly HeadSums[]>>): Claim[] {
  // compared are numbers: where there is no share, no claim about it holds
  const [byMax, byMean] = [max, mean].map((sums) =>
    sums.map(({ noising, denoising }) => ({ noising: noising ?? Number.NaN, denoising: denoising ?? Number.NaN })),
  );
  const gap = ({ denoising, noising }: Sums) => denoising - noising;
  const both = (sums: readonly Sums[], sign: string) =>
    sums.map(({ denoising, noising }) => `${denoising.toFixed(2)} ${sign} ${noising.toFixed(2)}`).join(", ");
  return [
    claim(
      "Against the largest wrong letter, single heads summed up repair more by denoising than they break by noising",
      byMax.every((sums) => gap(sums) > 0),
      both(byMax, ">"),
    ),
    claim(
      "Against the mean of the wrong letters, less than half of that difference is left, and neither sum reaches 1",
      byMean.every((sums, i) => Math.abs(gap(sums)) < gap(byMax[i]) / 2 && Math.max(sums.denoising, sums.noising) < 1),
      both(byMean, "and"),
    ),
  ];
}
