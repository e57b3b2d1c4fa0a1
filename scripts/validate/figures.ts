/** The paper's figures measured on a model that has its heads, beside the paper's own: what only the validation needs. */

import { attentionAgainstLogits, type ScatterRow } from "../../src/experiments/attention";
import type { StreamOptions } from "../../src/experiments/measure";
import { type SwapAttentionRow, swapAttention } from "../../src/experiments/swap-attention";
import { fourSwaps, headsHurtBy, pairName, swapBosOfPairs, WORD_PAIRS } from "../../src/experiments/word-swaps";
import { heatmap } from "../../src/figures/heatmap";
import type { Figure } from "../../src/figures/panels";
import { bars } from "../../src/figures/series";
import { type HeadId, hasHead, headName } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { extent } from "../../src/numbers/lists";
import { groupBy, where } from "../../src/numbers/rows";
import { mean } from "../../src/numbers/statistics";
import type { MeasuredCell, MeasuredFigures } from "../../src/paper/compare";
import { paperFigure, paperHeads } from "../../src/paper/paper";
import { inFigureName } from "../../src/paper/paper-figures";
import { PATCHING_FIGURES, patchingCells, patchOverSeeds, type SeedsOptions } from "../../src/paper/paper-patching";
import { positionalCells } from "../../src/paper/paper-positional";
import { withPaper } from "../../src/paper/with-paper";
import type { AcronymDataset } from "../../src/prompts/acronyms";
import type { Letter } from "../../src/prompts/positions";
import { claim } from "../../src/show/claims";
import type { Claim } from "../notebooks/notebooks.mjs";
import { paperScatterExtents } from "./extents";

/** The paper's: heads that lose more than this many logits take part in the exchange of figure 14. */
const HURT = 0.005;

/** Figures 12, 13 and 14: position embeddings and attention to BOS exchanged between two words. */
export async function positionalFigures(
  model: Model,
  data: AcronymDataset,
  stream: StreamOptions = {},
): Promise<MeasuredFigures> {
  const bosSwaps = await swapBosOfPairs(model, data, stream);
  const heads = paperHeads().letter_movers;
  const attention: SwapAttentionRow[] = [];
  for (const pair of WORD_PAIRS) {
    const hurt = headsHurtBy(where(bosSwaps, { pair: pairName(pair) }), HURT);
    attention.push(...(await swapAttention(model, data, fourSwaps(pair, hurt), { heads })));
  }
  return positionalCells(attention, bosSwaps, data.prompts.length);
}

/** Figure 11: markers of each letter mover. What can be compared is in `scatterClaim`. */
export const scatterRows = (model: Model, data: AcronymDataset, stream?: StreamOptions): Promise<ScatterRow[]> =>
  attentionAgainstLogits(model, data, paperHeads().letter_movers, stream);

/** What two ranges have in common, as a share of what either covers. */
function overlap([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number {
  return Math.max(0, Math.min(b, d) - Math.max(a, c)) / (Math.max(b, d) - Math.min(a, c));
}

/** Mean overlap of extents that counts as agreement: the largest of 50 prompts is not the largest of the paper's hundreds. */
const OVERLAP = 0.5;

/** Of figure 11 only extents are known, a weak test: those of each letter's own word must mostly overlap, over all letter movers. */
export function scatterClaim(rows: readonly ScatterRow[]): Claim {
  const found = paperHeads().letter_movers.map((head) => {
    const shares = scatterOverlaps(head, rows);
    return { shares, text: `${headName(head)}: ${shares.map((share) => share.toFixed(2)).join(" ")}` };
  });
  const share = mean(found.flatMap(({ shares }) => shares));
  const evidence = `mean overlap ${share.toFixed(2)}, needed ${OVERLAP}; attention and logit of letters 1, 2, 3: ${found.map(({ text }) => text).join("; ")}`;
  return claim("extents overlap with those of the paper's fig11_scatter", share >= OVERLAP, evidence);
}

/** Overlaps of the extents of attention and logit for letters 1, 2 and 3. */
function scatterOverlaps(head: HeadId, rows: readonly ScatterRow[]): number[] {
  const own = rows.filter((row) => hasHead([head], row) && row.letter === row.word);
  return paperScatterExtents(`fig11_scatter_${inFigureName(head)}`).flatMap(({ letter, x, y }) => {
    const some = own.filter((row) => row.letter === letter);
    const [attention, logit] = [some.map((row) => row.attention), some.map((row) => row.logit)];
    return [overlap(extent(attention), x), overlap(extent(logit), y)];
  });
}

type AxisNames = Readonly<Record<"x" | "y" | "value", string>>;

const CHANGE = "change (logits)";

/** What the axes of the paper's figures are, by the beginning of their names. */
const AXES: readonly (readonly [RegExp, AxisNames])[] = [
  [/^fig(01|04|07)/, { x: "position", y: "layer", value: CHANGE }],
  [/^fig(02|05|06|13)/, { x: "head", y: "layer", value: CHANGE }],
  [/^fig08/, { x: "given back", y: "", value: "logit difference (logits)" }],
  [/^fig(09|10)/, { x: "capital written", y: "capital looked at", value: "logits" }],
  [/^figS/, { x: "key", y: "query", value: "attention" }],
  [/^fig/, { x: "token looked at", y: "", value: "attention" }],
];

/** A figure of the paper below the same figure as measured, in the same colours; several seeds are averaged. */
export function besidePaperFigure(name: string, measured: readonly MeasuredCell[]): Figure {
  const paper = paperFigure(name).rows.filter(({ value }) => value !== null);
  const columns = measured.some(({ panel }) => panel !== undefined) ? "panel" : "letter";
  const names = AXES.find(([pattern]) => pattern.test(name))![1]; // the last one fits every figure
  const draw = (rows: readonly FigureCell[]) => drawCells(rows, columns, names);
  return withPaper(averaged(measured), averaged(paper as MeasuredCell[]), draw, { sameColours: true });
}

interface FigureCell {
  readonly panel: string;
  readonly letter: Letter | null;
  readonly x: string | number;
  readonly y: string | number;
  readonly series: string;
  readonly value: number;
  readonly std: number;
}

function averaged(cells: readonly (MeasuredCell & { std?: number | null })[]): FigureCell[] {
  const groups = groupBy(cells, ({ panel, letter, x, y, series }) => [panel, letter, x, y, series].join(" | "));
  return [...groups.values()].map((same) => {
    const { panel = "", letter = null, x, y, series } = same[0];
    const own = { panel, letter: letter as Letter | null, x, y: y ?? "", series: series ?? "" };
    return { ...own, value: mean(same.map((cell) => cell.value)), std: mean(same.map((cell) => cell.std ?? 0)) };
  });
}

function drawCells(rows: readonly FigureCell[], columns: "panel" | "letter", names: AxisNames): Figure {
  if (rows[0].y !== "") {
    const isWide = new Set(rows.map(({ x }) => x)).size > 12;
    const cell = isWide ? { width: 9, height: 9 } : { width: 20, height: 20 };
    return heatmap(rows, { x: "x", y: "y", value: "value", columns, cell, wrap: isWide ? 4 : 3, names });
  }
  const series = rows.some((row) => row.series !== "") ? "series" : undefined;
  const size = { width: 250, height: 180 };
  return bars(rows, { x: "x", y: "value", series, columns, std: "std", size, names });
}

type SeedsOver = Pick<SeedsOptions<object>, "seeds" | "progress">;

/** One of the paper's figures on activation patching, measured. Throws a RangeError if there is no such figure. */
export async function patchingFigure(
  model: Model,
  data: AcronymDataset,
  { figure, ...over }: SeedsOver & { readonly figure: string },
): Promise<MeasuredFigures> {
  if (!Object.hasOwn(PATCHING_FIGURES, figure))
    throw new RangeError(
      `${figure} is not about activation patching; there are ${Object.keys(PATCHING_FIGURES).join(", ")}`,
    );
  return { [figure]: patchingCells(await patchOverSeeds(model, data, { ...PATCHING_FIGURES[figure], ...over })) };
}
