import type * as tf from "@tensorflow/tfjs";
import { random } from "./random";

/** What the right letter is compared with: the largest wrong capital (the paper's figures) or the mean of them (path patching). */
export type Against = "max" | "mean";

/**
 * Logit difference per prompt and letter: right letter − largest (or mean) wrong capital, in logits.
 * @param logits `[batch, letters, 26]`: one read-out per letter, in alphabetical order
 * @param answers `[batch][letters]`, the right letter as 0 … 25
 * @returns `[batch][letters]`
 * @throws if the shapes don't fit
 */
export function letterLogitDiff(
  logits: tf.Tensor3D,
  answers: readonly (readonly number[])[],
  against: Against = "max",
): number[][] {
  const [batch, letters, alphabet] = logits.shape;
  if (alphabet !== 26 || answers.length !== batch || answers.some((row) => row.length !== letters))
    throw new Error(
      `letter logits are [${logits.shape}] for ${answers.length} answers of ${answers[0]?.length} letters; expected [batch, letters, 26]`,
    );
  const values = logits.dataSync();
  return answers.map((row, i) =>
    row.map((right, j) => {
      const start = (i * letters + j) * alphabet;
      const wrong = Array.from(values.subarray(start, start + alphabet)).filter((_, letter) => letter !== right);
      const reference = against === "max" ? Math.max(...wrong) : mean(wrong);
      return values[start + right] - reference;
    }),
  );
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Mean and standard deviation over prompts, with n − 1 as in the paper. @throws if there are no values. */
export function meanAndStd(values: readonly number[]): { mean: number; std: number } {
  if (values.length === 0) throw new Error("no values to average");
  const m = mean(values);
  const square = values.reduce((sum, x) => sum + (x - m) ** 2, 0);
  return { mean: m, std: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Bootstrap interval of the mean: prompts are drawn again with replacement.
 * @param options `seed`; `level` (default 0.95); `draws` (default 1,000)
 */
export function bootstrapMean(
  values: readonly number[],
  { seed, level = 0.95, draws = 1000 }: { seed: number; level?: number; draws?: number },
): Interval {
  const n = values.length;
  const drawn = drawnRows(n, seed, draws);
  const means = new Float64Array(draws);
  for (let i = 0; i < drawn.length; i++) means[Math.floor(i / n)] += values[drawn[i]] / n;
  means.sort();
  const at = (share: number) => means[Math.min(draws - 1, Math.floor(share * draws))];
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

/** Which rows each draw takes, `[draw * n + i]`. Kept: a sweep asks for the same ones at every point. */
function drawnRows(n: number, seed: number, draws: number): Int32Array {
  const key = `${n} ${seed} ${draws}`;
  if (lastDrawn?.key !== key) {
    const { int } = random(seed, "bootstrap");
    lastDrawn = { key, rows: Int32Array.from({ length: n * draws }, () => int(n)) };
  }
  return lastDrawn.rows;
}
let lastDrawn: { readonly key: string; readonly rows: Int32Array } | undefined;

/** One column of a table of rows, e.g. of `[batch][letters]`. */
export const column = (rows: readonly (readonly number[])[], j: number): number[] => rows.map((row) => row[j]);

/** Pearson's correlation of pairs. @throws RangeError if the lists differ in length, or one of them doesn't vary */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  if (xs.length !== ys.length) throw new RangeError(`${xs.length} values can't be paired with ${ys.length}`);
  const [x, y] = [meanAndStd(xs), meanAndStd(ys)];
  if (!(x.std > 0 && y.std > 0)) throw new RangeError("a correlation needs values that vary, in both lists");
  const together = xs.reduce((sum, value, i) => sum + (value - x.mean) * (ys[i] - y.mean), 0);
  return together / ((xs.length - 1) * x.std * y.std);
}
