/** The paper's figures measured on a model that has its heads: GPT-2 Small. Claims say whether they are reproduced. */

import { attentionAgainstLogits, attentionRows, type ScatterRow } from "../experiments/attention";
import { evaluateCircuits, growing } from "../experiments/circuit-evaluation";
import type { StreamOptions } from "../experiments/measure";
import { ovQuadrants } from "../experiments/ov-circuit";
import { partOf, reporter } from "../experiments/progress";
import {
  fourSwaps,
  headsHurtBy,
  type SwapAttentionRow,
  swapAttention,
  swapBosSweep,
  WORD_PAIRS,
} from "../experiments/word-swaps";
import { bars, type Figure, heatmap } from "../figures";
import { readoutAttention } from "../groups/readout-attention";
import type { Tokenizer } from "../load/tokenizer";
import { type HeadId, hasHead, headName } from "../model/heads";
import type { Model } from "../model/model";
import { extent } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { mean } from "../numbers/statistics";
import type { AcronymDataset } from "../prompts/acronyms";
import { resample } from "../prompts/corruption";
import type { Letter } from "../prompts/positions";
import { type Claim, claim } from "../show/claims";
import type { MeasuredCell, MeasuredFigures } from "./compare";
import { paperFigure, paperHeads, paperScatterExtents } from "./paper";
import { type MeasuredBosSwap, positionalCells } from "./paper-positional";
import { withPaper } from "./with-paper";

const fileName = (head: HeadId) => headName(head).replace(".", "_");

/** Figures 9 and 10: OV circuits of the strongest letter mover and of all four. Weights alone: every cell can be met. */
export function ovFigures(model: Model, tokenizer: Tokenizer): MeasuredFigures {
  const { letter_movers } = paperHeads();
  const cells = (heads: readonly HeadId[]) =>
    ovQuadrants(model, heads, tokenizer).map((row) => ({ ...row, value: row.value! })); // all capitals are asked for
  return { fig09_OV_1: cells(letter_movers.slice(0, 1)), fig10_OV_4: cells(letter_movers) };
}

/** Figure 3 and the supplement's patterns: mean attention on clean prompts. */
export async function attentionFigures(
  model: Model,
  data: AcronymDataset,
  stream: StreamOptions = {},
): Promise<MeasuredFigures> {
  const { letter_movers, propagation, fuzzy_previous_token, circuit } = paperHeads();
  const n = data.prompts.length;
  const rows = await attentionRows(model, data, circuit, stream);
  const readout = readoutAttention(rows).map(({ key: x, attention: value, ...row }) => ({ ...row, x, value, n }));
  const bars = [...letter_movers, ...propagation].map((head) => [
    `fig03_hist_${fileName(head)}`,
    readout.filter((row) => row.head === headName(head)),
  ]);
  const figS_attn_patterns_fuzzy = rows
    .filter((row) => hasHead(fuzzy_previous_token, row))
    .map(({ query: y, key: x, attention: value, std, ...head }) => ({ panel: headName(head), x, y, value, std, n }));
  return { ...Object.fromEntries(bars), figS_attn_patterns_fuzzy };
}

/** What depends on how prompts are mixed is measured with several permutations. */
export interface SeedOptions extends StreamOptions {
  /** One permutation of the prompts for each. */
  readonly seeds: readonly number[];
}

/** Figure 8: all heads removed and the circuit's given back one by one. */
export async function evaluationFigure(
  model: Model,
  data: AcronymDataset,
  { seeds, progress, ...stream }: SeedOptions,
): Promise<MeasuredFigures> {
  const { circuit } = paperHeads();
  const steps = ["None", ...circuit.map(headName)];
  const cells: MeasuredCell[] = [];
  const report = reporter(progress);
  for (const [i, seed] of seeds.entries()) {
    const corrupted = resample(data, seed);
    const rows = await evaluateCircuits(model, data, growing(circuit), { corrupted, ...stream });
    cells.push(
      ...rows.map(({ circuit, letter, logit_diff: value, std, n }) => ({ letter, x: steps[circuit], value, std, n })),
    );
    report?.(i + 1, seeds.length);
  }
  return { fig08_evaluation: cells };
}

/** The paper's: heads that lose more than this many logits take part in the exchange of figure 14. */
const HURT = 0.005;

/** Figures 12, 13 and 14: position embeddings and attention to BOS exchanged between two words. */
export async function positionalFigures(
  model: Model,
  data: AcronymDataset,
  { progress }: StreamOptions = {},
): Promise<MeasuredFigures> {
  const bosSwaps: MeasuredBosSwap[] = [];
  const attention: SwapAttentionRow[] = [];
  const report = reporter(progress);
  for (const [i, pair] of WORD_PAIRS.entries()) {
    const swept = await swapBosSweep(model, data, pair, {
      progress: partOf(report, i, WORD_PAIRS.length),
    });
    for (const row of swept) bosSwaps.push({ ...row, pair: pair.join("↔") });
    const swaps = fourSwaps(pair, headsHurtBy(swept, HURT));
    attention.push(...(await swapAttention(model, data, paperHeads().letter_movers, swaps)));
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
  return paperScatterExtents(`fig11_scatter_${fileName(head)}`).flatMap(({ letter, x, y }) => {
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
