/** The paper's figures measured on a model that has its heads: GPT-2 Small. Claims say whether they are reproduced. */

import { attentionRows } from "../experiments/attention";
import { type GivingBackOptions, givingBack } from "../experiments/giving-back";
import type { StreamOptions } from "../experiments/measure";
import { ovQuadrants } from "../experiments/ov-circuit";
import { readoutAttention } from "../groups/readout-attention";
import type { Tokenizer } from "../load/tokenizer";
import { type HeadId, hasHead, headName } from "../model/heads";
import type { Model } from "../model/model";
import type { AcronymDataset } from "../prompts/acronyms";
import type { MeasuredFigures } from "./compare";
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

/** Figure 8: all heads removed and the circuit's given back one by one, with several permutations of the prompts. */
export async function evaluationFigure(
  model: Model,
  data: AcronymDataset,
  options: Omit<GivingBackOptions, "ablation">,
): Promise<MeasuredFigures> {
  const rows = await givingBack(model, data, paperHeads().circuit, options);
  const cells = rows.map(({ letter, given_back: x, logit_diff: value, std, n }) => ({ letter, x, value, std, n }));
  return { fig08_evaluation: cells };
}
