import type * as tf from "@tensorflow/tfjs";
import { checkAllFinite, checkCount, checkFinite, checkIndex, checkIndices, checkOneOf } from "./check";
import { random } from "./random";

/** What the right letter is compared with: the largest wrong capital (the paper's figures) or the mean of them (path patching). */
export type Against = "max" | "mean";
const AGAINST: readonly Against[] = ["max", "mean"];

/** What rows and read-outs of logits are, for messages. */
export interface LogitNames {
  /** Index of the first prompt in the whole data, of which these may be one batch. Default 0. */
  readonly first?: number;
  /** The letter of each read-out. Default 1, 2, 3. */
  readonly letters?: readonly number[];
}

/**
 * The values of logits `[batch, letters, tokens]`, all of them finite.
 * @throws RangeError naming prompt, letter and token of the first that is not, and what may have caused it
 */
export function finiteLogits(logits: tf.Tensor3D, { first = 0, letters }: LogitNames = {}): Float32Array {
  const values = logits.dataSync<"float32">();
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) {
      const [, readouts, tokens] = logits.shape;
      const [prompt, readout, token] = [
        Math.floor(i / tokens / readouts),
        Math.floor(i / tokens) % readouts,
        i % tokens,
      ];
      const name = tokens === 26 ? `"${String.fromCharCode(65 + token)}"` : `token ${token}`;
      throw new RangeError(
        `prompt ${first + prompt}, letter ${letters?.[readout] ?? readout + 1}: the logit of ${name} is ${values[i]}, not a finite number. ` +
          "Either something that is not finite was put in (a head whose scores are all −∞ attends to nothing), or weights or activations are too large for float32.",
      );
    }
  return values;
}

/**
 * Logit difference per prompt and letter: right letter − largest (or mean) wrong capital, in logits.
 * @param logits `[batch, letters, 26]`: one read-out per letter, in alphabetical order
 * @param answers `[batch][letters]`, the right letter as 0 … 25
 * @returns `[batch][letters]`
 * @throws RangeError if a logit is not finite, an answer is no letter, or `against` is neither; Error if the shapes don't fit
 */
export function letterLogitDiff(
  logits: tf.Tensor3D,
  answers: readonly (readonly number[])[],
  against: Against = "max",
  names: LogitNames = {},
): number[][] {
  checkOneOf("against", against, AGAINST);
  const [batch, letters, alphabet] = logits.shape;
  if (alphabet !== 26 || answers.length !== batch || answers.some((row) => row.length !== letters))
    throw new Error(
      `letter logits are [${logits.shape}] for ${answers.length} answers of ${answers[0]?.length} letters; expected [batch, letters, 26]`,
    );
  for (const row of answers) checkIndices("answer", row, alphabet);
  const values = finiteLogits(logits, names);
  return answers.map((row, i) =>
    row.map((right, j) => {
      const start = (i * letters + j) * alphabet;
      const wrong = Array.from(values.subarray(start, start + alphabet)).filter((_, letter) => letter !== right);
      const reference = against === "max" ? Math.max(...wrong) : mean(wrong);
      return values[start + right] - reference;
    }),
  );
}

/** @throws RangeError if there are no values, or one is not finite */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values to average");
  const sum = values.reduce((a, b) => a + b, 0);
  if (!Number.isFinite(sum)) {
    checkAllFinite(`of ${values.length} values to average, number`, values);
    checkFinite(`the sum of ${values.length} values`, sum);
  }
  return sum / values.length;
}

/** Mean and standard deviation over prompts, with n − 1 as in the paper. @throws RangeError as `mean` does */
export function meanAndStd(values: readonly number[]): { mean: number; std: number } {
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
 * @throws RangeError if there are no values, one is not finite, the level is not between 0 and 1, or there are no draws
 */
export function bootstrapMean(
  values: readonly number[],
  { seed, level = 0.95, draws = 1000 }: { seed: number; level?: number; draws?: number },
): Interval {
  mean(values); // there are some, all finite
  checkCount("draws", draws);
  if (!(level > 0 && level < 1)) throw new RangeError(`level must be between 0 and 1, not ${level}`);
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

/** One column of a table of rows, e.g. of `[batch][letters]`. @throws RangeError if a row has no such column */
export const column = (rows: readonly (readonly number[])[], j: number): number[] =>
  rows.map((row, i) => {
    checkIndex(`row ${i}: column`, j, row.length);
    return row[j];
  });

/** A part as a share of a whole. @throws RangeError naming both if that is no number: nothing is a share of 0 */
export function share(name: string, part: number, whole: number): number {
  const found = part / whole;
  if (!Number.isFinite(found)) throw new RangeError(`${name} is no number: ${part} as a share of ${whole}`);
  return found;
}

/** Pearson's correlation of pairs. @throws RangeError if the lists differ in length, or one of them doesn't vary */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  if (xs.length !== ys.length) throw new RangeError(`${xs.length} values can't be paired with ${ys.length}`);
  const [x, y] = [meanAndStd(xs), meanAndStd(ys)];
  if (!(x.std > 0 && y.std > 0)) throw new RangeError("a correlation needs values that vary, in both lists");
  const together = xs.reduce((sum, value, i) => sum + (value - x.mean) * (ys[i] - y.mean), 0);
  return together / ((xs.length - 1) * x.std * y.std);
}
