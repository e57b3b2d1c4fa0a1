/** Claims beyond the figures' cells. Pure: what was measured goes in. */

import type { AttentionRow } from "../../src/experiments/attention";
import type { LetterSummary } from "../../src/experiments/behaviour";
import { headName } from "../../src/model/heads";
import { type MeasuredCell, STANDARD_ERRORS } from "../../src/paper/compare";
import { paperBehaviour } from "../../src/paper/paper";
import { type Claim, claim } from "../../src/show/claims";

/** float32 sums of attention probabilities. */
const ROUNDING = 1e-5;
/** float32 logits of another order of sums. */
const LOGIT_ROUNDING = 1e-3;

/** Every attention row sums to 1. */
export function rowsSumToOne(rows: readonly AttentionRow[]): Claim {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const key = `${headName(row)} from ${row.query}`;
    sums.set(key, (sums.get(key) ?? 0) + row.attention);
  }
  const [worst, sum] = [...sums].reduce((a, b) => (Math.abs(b[1] - 1) > Math.abs(a[1] - 1) ? b : a));
  return claim(
    "attention sums to 1 from every position",
    Math.abs(sum - 1) <= ROUNDING,
    `${sums.size} rows; furthest off: ${worst}: ${sum.toFixed(7)}`,
  );
}

/** Nothing that comes before letter 1 can differ: figures 4 and 7. */
export function letterOneUnchanged(figure: string, cells: readonly MeasuredCell[]): Claim {
  const first = cells.filter(({ letter }) => letter === 1).map(({ value }) => value);
  const largest = Math.max(0, ...first.map(Math.abs));
  const evidence = `${first.length} cells; largest |change| ${largest}`;
  return claim(`letter 1 of ${figure} is exactly 0`, first.length > 0 && largest === 0, evidence);
}

/** Of the written letters only A1 differs for letter 2, and it is read there: the layer does not matter. */
export function sameInAllLayers(cells: readonly MeasuredCell[]): Claim {
  const values = cells.filter(({ letter, x }) => letter === 2 && x === "A1").map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return claim(
    "letter 2 of fig07_res_3 at A1 is the same in all layers, and not 0",
    values.length > 0 && high - low <= LOGIT_ROUNDING && Math.max(Math.abs(low), Math.abs(high)) > LOGIT_ROUNDING,
    `${values.length} layers: ${low.toFixed(4)} … ${high.toFixed(4)}`,
  );
}

/** Clean logit differences and third-letter accuracy against the paper's. */
export function cleanClaims(summary: readonly LetterSummary[]): Claim[] {
  const { logit_diff, logit_diff_uncertainty, third_letter_accuracy_range } = paperBehaviour();
  const letters = summary.map(({ logit_diff: own, std, n }, i) => {
    const tolerance = logit_diff_uncertainty + (STANDARD_ERRORS * std) / Math.sqrt(n);
    const text = `${own.toFixed(3)} here, ${logit_diff[i].toFixed(3)} in the paper, tolerance ${tolerance.toFixed(3)}`;
    return { agrees: Math.abs(own - logit_diff[i]) <= tolerance, zero: logit_diff[i] <= tolerance, text };
  });
  const vague = letters.every(({ zero }) => zero) ? "; too few prompts to tell: 0 would agree as well" : "";
  const [low, high] = third_letter_accuracy_range;
  const { accuracy, n } = summary[2];
  const chance = STANDARD_ERRORS * Math.sqrt((high * (1 - high)) / n);
  return [
    claim(
      "clean logit differences are the paper's",
      vague === "" && letters.every(({ agrees }) => agrees),
      letters.map(({ text }, i) => `letter ${i + 1}: ${text}`).join("; ") + vague,
    ),
    claim(
      "letter 3 is right as often as in the paper's later repository",
      accuracy >= low - chance && accuracy <= high + chance,
      `${accuracy.toFixed(3)} here, ${low} … ${high} there, ± ${chance.toFixed(3)} for ${n} prompts`,
    ),
  ];
}

/** The lengths of prefixes of the prompts whose mean logit differences are the paper's, as exactly as these could be read. */
export function matchingPrefixes(diffs: readonly (readonly number[])[]): number[] {
  const { logit_diff, logit_diff_uncertainty } = paperBehaviour();
  const sums = [0, 0, 0];
  return diffs.flatMap((row, i) => {
    row.forEach((value, letter) => {
      sums[letter] += value;
    });
    const isMet = sums.every((sum, letter) => Math.abs(sum / (i + 1) - logit_diff[letter]) <= logit_diff_uncertainty);
    return isMet ? [i + 1] : [];
  });
}
