/** The paper's figure 8, as `givingBack` gives this model's. */

import type { FaithfulnessRow } from "../experiments/circuit-criteria";
import type { Ablation } from "../experiments/circuit-evaluation";
import { broughtBack, type GivenBackRow } from "../experiments/giving-back";
import { PAPER_MODEL } from "../figures/style";
import { where } from "../numbers/rows";
import { type Interval, mean } from "../numbers/statistics";
import { LETTERS, type Letter } from "../prompts/positions";
import { paperBehaviour, paperFigure, paperHeads } from "./paper";

/** GPT-2 Small's heads given back one by one. */
export function paperGivenBack(): GivenBackRow[] {
  const clean = paperBehaviour().logit_diff;
  return paperFigure("fig08_evaluation").rows.map(({ letter, x, value, std }) => ({
    given_back: String(x),
    letter: letter as Letter, // figure 8 has a panel a letter, and every point of it could be read
    logit_diff: value as number,
    std: std as number,
    clean: clean[(letter as Letter) - 1],
  }));
}

/** Faithfulness of the paper's circuit, for letters 1, 2 and 3. */
export const paperFaithfulness = (): number[] =>
  broughtBack(paperGivenBack(), paperHeads().circuit).map(({ share }) => share as number); // GPT-2's heads do something

/** A measurement of faithfulness, and by which removal. */
export interface AblatedFaithfulness extends FaithfulnessRow {
  readonly ablation: Ablation;
}

/**
 * Faithfulness by either removal, averaged over seeds, beside the paper's: a row a letter, for `table`.
 * @param rows of both removals
 * @param gaps of letters 1, 2 and 3: the interval in which F(C) − F(M) lies, in logits
 */
export function faithfulnessTable(
  rows: readonly AblatedFaithfulness[],
  gaps: readonly Interval[],
): Readonly<Record<string, number | string | null>>[] {
  const paper = paperFaithfulness();
  return LETTERS.map((letter, i) => {
    const average = (ablation: Ablation, column: "none" | "circuit" | "model" | "faithfulness") => {
      const values = where(rows, { letter, ablation }).map((row) => row[column]);
      const known = values.filter((value) => value !== null);
      return known.length < values.length ? null : mean(known); // of fewer seeds it would be another quantity
    };
    return {
      letter,
      "F(∅)": average("mean", "none"),
      "F(C)": average("mean", "circuit"),
      "F(M)": average("mean", "model"),
      "F(C) − F(M), 95% interval": `${gaps[i].low.toFixed(2)} … ${gaps[i].high.toFixed(2)}`,
      "faithfulness, mean": average("mean", "faithfulness"),
      "faithfulness, resample": average("resample", "faithfulness"),
      [`${PAPER_MODEL}: mean`]: paper[i],
    };
  });
}
