/** What the notebook on logit attribution says, as questions to any model's numbers. */
import {
  type AttributionRow,
  attributionByPart,
  type PositionAttributionRow,
  rankHeads,
  sumOfParts,
} from "../../experiments/attribution";
import type { LetterRow } from "../../experiments/behaviour";
import type { LensRow } from "../../experiments/logit-lens";
import { headName } from "../../model/heads";
import { meanBy } from "../../numbers/mean-by";
import { groupBy, where } from "../../numbers/rows";
import { LETTERS, type Letter } from "../../prompts/positions";
import { type Claim, claim, given } from "../../show/claims";
import { paperBehaviour, paperHeads } from "../paper";
import { paperPatching } from "../paper-patching";

/** One draw of prompts: what each part of the model writes, and what the model says. */
export interface AttributionDraw {
  readonly parts: readonly AttributionRow[];
  readonly said: readonly Pick<LetterRow, "letter" | "logit" | "logit_diff">[];
}

/** What it costs GPT-2 Small, in the paper's figure 2, to lose a head. */
export interface HeadLoss {
  readonly letter: Letter;
  /** From 1, what costs most first. */
  readonly rank: number;
  /** "8.11". */
  readonly head: string;
  /** Loss as a share of the letter's clean logit difference. */
  readonly share: number;
}

/** All heads of the paper's figure 2, letter by letter, the one that costs most first. */
export function paperHeadLosses(): HeadLoss[] {
  const clean = paperBehaviour().logit_diff;
  const cells = paperPatching("fig02_attn_1");
  return LETTERS.flatMap((letter) => {
    const order = where(cells, { letter }).sort((a, b) => a.change - b.change);
    return order.map(({ layer, head, change }, i) => {
      const name = headName({ layer, head: head! }); // figure 2 is about heads
      return { letter, rank: i + 1, head: name, share: -change / clean[letter - 1] };
    });
  });
}

/** How much of what one head contributes to a letter comes from the first token of the letter's own word: of all that it moves, either way. */
export function ownWordShare(byKey: readonly PositionAttributionRow[], letter: Letter): number {
  const own = where(byKey, { letter });
  const all = own.reduce((sum, { logit_diff }) => sum + Math.abs(logit_diff), 0);
  const [word] = where(own, { key: `C${letter}` });
  return word.logit_diff / all;
}

const gap = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));
const columnOf = <C extends "logit" | "logit_diff">(rows: readonly Record<C, number>[], column: C): number[] =>
  rows.map((row) => row[column]);
const per = (values: readonly number[]): string => values.map((value) => value.toFixed(2)).join(" / ");

/** How far the parts' sums are from the model's own means. */
function sumGap({ parts, said }: AttributionDraw): number {
  const sums = sumOfParts(parts);
  const logits = meanBy(said, ["letter"], "logit");
  const diffs = meanBy(said, ["letter"], "logit_diff");
  return Math.max(
    gap(columnOf(sums, "logit"), columnOf(logits, "logit")),
    gap(columnOf(sums, "logit_diff"), columnOf(diffs, "logit_diff")),
  );
}

/** How far the positions' sums are from their heads' rows. */
function positionGap(byKey: readonly PositionAttributionRow[], parts: readonly AttributionRow[]): number {
  const gaps = [...groupBy(byKey, (row) => `${headName(row)} ${row.letter}`).values()].map((keys) => {
    const { layer, head, letter } = keys[0];
    const [whole] = where(parts, { kind: "head", layer, head, letter });
    return Math.abs(keys.reduce((sum, { logit_diff }) => sum + logit_diff, 0) - whole.logit_diff);
  });
  return Math.max(...gaps);
}

/**
 * What holds for any weights, up to rounding.
 * @param byKey heads of the first draw, split by position
 * @param lens of the first draw
 */
export function attributionIdentities(
  draws: readonly AttributionDraw[],
  byKey: readonly PositionAttributionRow[],
  lens: readonly LensRow[],
): Claim[] {
  const depth = Math.max(...lens.map((row) => row.depth));
  const last = columnOf(where(lens, { depth }), "logit_diff");
  const clean = columnOf(meanBy(draws[0].said, ["letter"], "logit_diff"), "logit_diff");
  const identity = (text: string, size: number) => given(text, size < 1e-3, `largest gap ${size.toExponential(1)}`);
  return [
    identity(
      `The parts add up to the model's own logit and logit difference (${draws.length} draws of prompts)`,
      Math.max(...draws.map(sumGap)),
    ),
    identity("A head's positions add up to the head", positionGap(byKey, draws[0].parts)),
    identity("After the last layer the lens reads what the model says", gap(last, clean)),
  ];
}

/** What all layers' attention, or MLPs, write to a letter's logit difference. */
const writtenBy = (kind: "attention" | "mlp", rows: readonly AttributionRow[], letter: Letter): number =>
  where(attributionByPart(rows), { letter })
    .filter(({ part }) => part.startsWith(`${kind} `))
    .reduce((sum, { logit_diff }) => sum + logit_diff, 0);

/**
 * Of a model that copies letters.
 * @param fromWord `ownWordShare` of the head that writes most, for each draw and letter
 */
export function attributionClaims(
  draws: readonly AttributionDraw[],
  fromWord: readonly number[],
  lens: readonly LensRow[],
): Claim[] {
  const written = draws.flatMap(({ parts }) =>
    LETTERS.map((letter) => [writtenBy("attention", parts, letter), writtenBy("mlp", parts, letter)]),
  );
  const first = where(lens, { depth: 0 }).map(({ accuracy }) => accuracy);
  const number = `(${draws.length} draws)`;
  return [
    claim(
      `For each letter the head that writes most takes it from C_i: more from there than from all other positions together ${number}`,
      fromWord.every((share) => share > 0.5),
      `share ${per(fromWord)}`,
    ),
    claim(
      `For each letter attention writes more of the logit difference than the MLPs ${number}`,
      written.every(([attention, mlps]) => attention > mlps),
      written.map(per).join("; "),
    ),
    claim(
      "Before the first layer the lens reads the right letter in less than a quarter of the prompts",
      first.every((share) => share < 0.25),
      per(first),
    ),
  ];
}

/** Of GPT-2 Small: that the heads which write are those that the paper finds by patching. */
export function attributionAsInPaper(parts: readonly AttributionRow[]): Claim[] {
  const movers = paperHeads().letter_movers.map(headName);
  const ranked = rankHeads(parts);
  const tops = where(ranked, { rank: 1 }).map(({ component }) => component);
  const means = meanBy(ranked, ["component"], "logit_diff");
  const writes = (mover: string) => where(means, { component: mover }).some(({ logit_diff }) => logit_diff > 0);
  return [
    claim(
      "For each letter the head that writes most is one of the paper's letter movers",
      tops.every((top) => movers.includes(top)),
      tops.join(" / "),
    ),
    claim(
      "Each of the paper's letter movers writes for the right letter on average",
      movers.every(writes),
      movers.join(", "),
    ),
  ];
}
