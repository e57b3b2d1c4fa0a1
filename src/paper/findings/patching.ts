/** What figures 1, 2, 4, 5, 6 and 7 show, in any model's cells: findings to compare models by, and a notebook's claims. */
import { withInterval } from "../../experiments/measure";
import type { PatchRow } from "../../experiments/patching";
import { headName } from "../../model/heads";
import { groupBy, NO_STRONGEST, strongest, strongestName, where } from "../../numbers/rows";
import { LETTERS, type Letter, POSITIONS, type Position, readoutPosition } from "../../prompts/positions";
import { type Claim, claim, given } from "../../show/claims";
import { figureClaims } from "../compare";
import { averageSeeds, type PatchCell, paperPatching, patchingCells } from "../paper-patching";
import type { Finding } from "./positional";

const FIGURES = [
  "fig01_res_1",
  "fig02_attn_1",
  "fig04_res_2",
  "fig05_attn_2_Ci",
  "fig06_attn_2_Ai_1",
  "fig07_res_3",
] as const;

/** The cells of each figure on activation patching, by the name of the paper's file. */
export type PatchingFigures<C = PatchCell> = Readonly<Record<(typeof FIGURES)[number], readonly C[]>>;

const figures = <C>(cellsOf: (name: (typeof FIGURES)[number]) => readonly C[]): PatchingFigures<C> =>
  Object.fromEntries(FIGURES.map((name) => [name, cellsOf(name)])) as PatchingFigures<C>;

/** The paper's six figures: what could not be read is left out. */
export const paperPatchingFigures = (): PatchingFigures => figures(paperPatching);

/** Six figures measured with several permutations (see `patchOverSeeds`), each with the mean over them. */
export const averageFigures = (measured: PatchingFigures<PatchCell & { readonly std: number }>) =>
  figures((name) => averageSeeds(measured[name]));

/** A row of `patchOverSeeds`. */
export type SeedRow = PatchRow<Pick<PatchCell, "layer" | "position" | "head">> & { readonly seed: number };

/** Of each figure and letter the strongest cell of the average: its row in each permutation. */
export function strongestBySeed(measured: PatchingFigures<SeedRow>, letters: readonly Letter[]) {
  return FIGURES.flatMap((name) =>
    letters.flatMap((letter) => {
      const { layer, head, position } = strongest(where(averageSeeds(measured[name]), { letter }), "change");
      const place = head === undefined ? { layer, position } : { layer, head };
      const rows = where(measured[name], { letter, ...place });
      return rows.map((row) => ({ ...row, figure: `fig. ${number(name)}`, permutation: `permutation ${row.seed}` }));
    }),
  );
}

/** "fig01_res_1" is figure 1. */
const number = (name: string) => Number(name.slice(3, 5));

/** Letters with a word before them. */
const LATER = [2, 3] as const;
const readAt = (letter: Letter): Position => POSITIONS[readoutPosition(letter)];
const lastLayer = (cells: readonly PatchCell[]) => Math.max(...cells.map(({ layer }) => layer));
const size = (cells: readonly PatchCell[]) => Math.abs(strongest(cells, "change").change);
const most = (cells: readonly PatchCell[]) => Math.max(...cells.map(({ change }) => change));
const top = (cells: readonly PatchCell[], letter: Letter) =>
  strongestName(where(cells, { letter }), "change", ({ layer, head }) => headName({ layer, head: head! }));
const isSame = (a: string, b: string) => a === b && a !== NO_STRONGEST;
/** The strongest position before the first layer and before the last. */
const ends = (cells: readonly PatchCell[], letter: Letter) =>
  [0, lastLayer(cells)].map((layer) =>
    strongestName(where(cells, { letter, layer }), "change", ({ position }) => position!),
  );

/** A finding that holds if it does for each letter; evidence letter by letter. */
function forEach(
  finding: string,
  letters: readonly Letter[],
  one: (letter: Letter) => readonly [holds: boolean, evidence: string],
): Finding {
  const found = letters.map(one);
  return {
    finding,
    holds: found.every(([holds]) => holds),
    evidence: found.map(([, evidence]) => evidence).join(", "),
  };
}

const against = (a: number, b: number) => `${a.toFixed(2)} of ${b.toFixed(2)}`;
const than = (a: number, b: number) => `${a.toFixed(2)} > ${b.toFixed(2)}`;

/**
 * What the paper's figures show, put as questions to any model's cells.
 * Throws a RangeError if a figure lacks a letter or position that is asked about.
 * @param f cells of each figure, one for each letter and place, such as `averageFigures` gives
 * @param levels the unpatched logit differences of letters 1, 2, 3, in logits
 */
export function patchingFindings(f: PatchingFigures, levels: readonly number[]): Finding[] {
  const { fig01_res_1: word, fig04_res_2: before } = f;
  return [
    forEach("figure 1: before layer 0, C_i is the strongest cell", LETTERS, (letter) => {
      const [start] = ends(word, letter);
      return [start === `C${letter}`, start];
    }),
    forEach("figure 1: before the last layer, it is where the letter is read", LETTERS, (letter) => {
      const [, end] = ends(word, letter);
      return [end === readAt(letter), end];
    }),
    forEach("figure 4: before layer 0, C(i−1) is the strongest cell", LATER, (letter) => {
      const [start] = ends(before, letter);
      return [start === `C${letter - 1}`, start];
    }),
    forEach("figure 4: before the last layer, it is A(i−1)", LATER, (letter) => {
      const [, end] = ends(before, letter);
      return [end === readAt(letter), end];
    }),
    forEach("figure 4: T(i−1) has the opposite sign, half as strong as the strongest", LATER, (letter) => {
      const helps = most(where(before, { letter, position: `T${letter - 1}` as Position }));
      const whole = size(where(before, { letter }));
      return [helps > 0.5 * whole, against(helps, whole)];
    }),
    forEach("figure 4: something passes C_i, a tenth as strong", LATER, (letter) => {
      const passes = size(where(before, { letter, position: `C${letter}` as Position }));
      const whole = size(where(before, { letter }));
      return [passes > 0.1 * whole, against(passes, whole)];
    }),
    untouched(f),
    lastLetterCounts(f),
    letterTwoLoses(f),
    ...headFindings(f, levels),
  ];
}

function untouched({ fig04_res_2, fig07_res_3 }: PatchingFigures): Finding {
  const sizes = [fig04_res_2, fig07_res_3].map((cells) => [size(where(cells, { letter: 1 })), size(cells)]);
  return {
    finding: "figures 4 and 7: letter 1 is untouched, to a thousandth of the strongest",
    holds: sizes.every(([first, all]) => first <= 0.001 * all),
    evidence: sizes.map(([first, all]) => `${first.toPrecision(1)} of ${all.toFixed(2)}`).join(", "),
  };
}

/** How much A2 and A1 matter for letter 3. */
const writtenBefore = (cells: readonly PatchCell[]) =>
  (["A2", "A1"] as const).map((position) => size(where(cells, { letter: 3, position })));

function lastLetterCounts({ fig07_res_3 }: PatchingFigures): Finding {
  const [last, first] = writtenBefore(fig07_res_3);
  return {
    finding: "figure 7: for letter 3, A2 is twice as strong as A1",
    holds: last > 2 * first,
    evidence: `${last.toFixed(2)} and ${first.toFixed(2)}`,
  };
}

function letterTwoLoses({ fig07_res_3 }: PatchingFigures): Finding {
  const [two, three] = LATER.map((letter) => size(where(fig07_res_3, { letter })));
  return {
    finding: "figure 7: letter 2 loses more than letter 3",
    holds: two > three,
    evidence: `${two.toFixed(2)} and ${three.toFixed(2)}`,
  };
}

function headFindings(f: PatchingFigures, levels: readonly number[]): Finding[] {
  const { fig02_attn_1: anywhere, fig05_attn_2_Ci: atWord, fig06_attn_2_Ai_1: atLastLetter } = f;
  const [two, three] = LATER.map((letter) => top(anywhere, letter));
  const opposite = LETTERS.map((letter) => [most(where(anywhere, { letter })), size(where(anywhere, { letter }))]);
  return [
    {
      finding: "figure 2: the same head is the strongest for letters 2 and 3",
      holds: isSame(two, three),
      evidence: `${two}, ${three}`,
    },
    {
      finding: "figure 2: for some letter a head has the opposite sign, a fifth as strong",
      holds: opposite.some(([helps, whole]) => helps > 0.2 * whole),
      evidence: opposite.map(([helps, whole]) => against(helps, whole)).join(", "),
    },
    forEach("figure 5: a head at C_i changes the logit difference by a fiftieth", LATER, (letter) => {
      const [changes, level] = [size(where(atWord, { letter })), levels[letter - 1]];
      return [changes > 0.02 * Math.abs(level), against(changes, level)];
    }),
    forEach("figure 6: heads at A(i−1) do more than heads at C_i", LATER, (letter) => {
      const [here, there] = [size(where(atLastLetter, { letter })), size(where(atWord, { letter }))];
      return [here > there, `${here.toFixed(2)} and ${there.toFixed(2)}`];
    }),
    forEach("figure 6: the strongest head is figure 2's strongest", LATER, (letter) => {
      const [here, there] = [top(atLastLetter, letter), top(anywhere, letter)];
      return [isSame(here, there), `${here} and ${there}`];
    }),
  ];
}

/** The figures of each permutation. */
const bySeed = (measured: PatchingFigures<SeedRow>): PatchingFigures<SeedRow>[] => {
  const seeds = [...groupBy(measured.fig01_res_1, ({ seed }) => seed).keys()];
  return seeds.map((seed) => figures((name) => where(measured[name], { seed })));
};

const permutations = (perSeed: readonly unknown[]) => `(${perSeed.length} permutations)`;

/**
 * What holds in any model with any weights: letter 1 has nothing before it, and at A1 nothing else differs for letter 2.
 * @param measured rows of `patchOverSeeds`, letters 1, 2, 3 in figures 4 and 7
 */
export function patchingIdentities(measured: PatchingFigures<SeedRow>): Claim[] {
  const perSeed = bySeed(measured);
  const three = permutations(perSeed);
  const first = perSeed
    .flatMap((f) => [f.fig04_res_2, f.fig07_res_3])
    .map((cells) => size(where(cells, { letter: 1 })));
  const changed = Math.max(...first);
  const atA1 = perSeed.map(({ fig07_res_3 }) =>
    where(fig07_res_3, { letter: 2, position: "A1" }).map(({ change }) => change),
  );
  const unequal = Math.max(...atA1.map((values) => Math.max(...values) - Math.min(...values)));
  return [
    given(
      `Previous words and previous letters leave letter 1 exactly as it is, at every layer and position ${three}`,
      changed === 0, // not computed anew
      `largest change ${changed}`,
    ),
    given(
      `Figure 7: patched at A1, letter 2 changes by the same in every layer ${three}`,
      unequal < 1e-4,
      `by ${atA1.map(([value]) => value.toFixed(3)).join(" / ")}; largest difference between layers ${unequal.toExponential(1)}`,
    ),
  ];
}

/** What figures 1, 4, 5, 6 and 7 show of the embedded model, in each permutation. */
export function patchingClaims(measured: PatchingFigures<SeedRow>): Claim[] {
  const perSeed = bySeed(measured);
  const each = (text: string, about: (f: PatchingFigures<SeedRow>) => Omit<Finding, "finding">) => {
    const found = perSeed.map(about);
    return claim(
      `${text} ${permutations(perSeed)}`,
      found.every(({ holds }) => holds),
      found.map(({ evidence }) => evidence).join("; "),
    );
  };
  return [
    each(
      "Figure 1: from the first layer to the last, harm shrinks at C_i and grows where the letter is read",
      handedOver,
    ),
    each("Figure 1: it is the capital that matters: before layer 0, T_i has less than a tenth of C_i", capitalMatters),
    each("Figure 4: previous words act from C(i−1) before layer 0, and at A(i−1) before the last layer", previousWords),
    each("Figures 5 and 6: heads at A(i−1) do more with the previous words than heads at C_i", moreAtLastLetter),
    each("Figure 7: for letter 3 the last letter written matters at least twice as much as the one before", (f) => {
      const [last, before] = writtenBefore(f.fig07_res_3);
      return { holds: last > 2 * before, evidence: than(last, before) };
    }),
    each(
      "Figure 7: the letter written before matters for letter 2: patched at A1, it changes by a logit or more",
      (f) => {
        const changes = where(f.fig07_res_3, { letter: 2, position: "A1" }).map(({ change }) => change);
        return {
          holds: changes.every((change) => Math.abs(change) >= 1),
          evidence: changes.map((change) => change.toFixed(2)).join(", "),
        };
      },
    ),
  ];
}

/** What the paper's six figures show of GPT-2 Small: each is reproduced, or not. */
export const patchingFigureClaims = (measured: PatchingFigures<SeedRow>): Claim[] =>
  figureClaims(figures((name) => patchingCells(measured[name])));

function handedOver({ fig01_res_1: cells }: PatchingFigures<SeedRow>): Omit<Finding, "finding"> {
  const places = LETTERS.map((letter) =>
    [`C${letter}` as Position, readAt(letter)].map((position) => {
      const [start, end] = [0, lastLayer(cells)].map((layer) => where(cells, { letter, layer, position })[0]);
      return { position, start, end };
    }),
  );
  const arrow = ({ position, start, end }: (typeof places)[0][0]) =>
    `${position} ${withInterval(start, 1)} → ${withInterval(end, 1)}`;
  return {
    holds: places.every(([word, read]) => word.start.change < word.end.change && read.end.change < read.start.change),
    evidence: places.map((both) => both.map(arrow).join(", ")).join("; "),
  };
}

function capitalMatters({ fig01_res_1: cells }: PatchingFigures): Omit<Finding, "finding"> {
  const shares = LETTERS.map((letter) => {
    const [tail, capital] = (["T", "C"] as const).map(
      (kind) => where(cells, { letter, layer: 0, position: `${kind}${letter}` as Position })[0].change,
    );
    return tail / capital;
  });
  return {
    holds: shares.every((share) => Math.abs(share) < 0.1),
    evidence: shares.map((share) => share.toFixed(3)).join(" / "),
  };
}

function previousWords({ fig04_res_2: cells }: PatchingFigures): Omit<Finding, "finding"> {
  const found = LATER.map((letter) => ends(cells, letter));
  return {
    holds: LATER.every((letter, i) => found[i][0] === `C${letter - 1}` && found[i][1] === readAt(letter)),
    evidence: found.map((both) => both.join(" → ")).join(", "),
  };
}

function moreAtLastLetter({ fig05_attn_2_Ci, fig06_attn_2_Ai_1 }: PatchingFigures): Omit<Finding, "finding"> {
  const found = LATER.map((letter) =>
    [fig06_attn_2_Ai_1, fig05_attn_2_Ci].map((cells) => size(where(cells, { letter }))),
  );
  return {
    holds: found.every(([lastLetter, word]) => lastLetter > word),
    evidence: found.map(([lastLetter, word]) => than(lastLetter, word)).join(", "),
  };
}
