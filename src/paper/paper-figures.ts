/** The paper's figures measured on a model that has its heads: GPT-2 Small. Claims say whether they are reproduced. */

import { attentionRows } from "../experiments/attention";
import { evaluateCircuits, growing } from "../experiments/circuit-evaluation";
import type { StreamOptions } from "../experiments/measure";
import { ovQuadrants } from "../experiments/ov-circuit";
import { reporter } from "../experiments/progress";
import { readoutAttention } from "../groups/group-tables";
import type { Tokenizer } from "../load/tokenizer";
import { type HeadId, hasHead, headName } from "../model/heads";
import type { Model } from "../model/model";
import type { AcronymDataset } from "../prompts/acronyms";
import { resample } from "../prompts/corruption";
import type { MeasuredCell, MeasuredFigures } from "./compare";
import { paperHeads } from "./paper";

/** "8_11": a head as it stands in the names of figures. */
export const inFigureName = (head: HeadId) => headName(head).replace(".", "_");

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
    `fig03_hist_${inFigureName(head)}`,
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
