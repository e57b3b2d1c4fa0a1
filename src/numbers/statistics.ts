import { checkAllFinite, checkCount, checkFinite } from "./check";
import { random } from "./random";

/** Throws a RangeError if there are no values, or one is not finite. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values to average");
  const sum = values.reduce((a, b) => a + b, 0);
  if (!Number.isFinite(sum)) {
    checkAllFinite(`of ${values.length} values to average, number`, values);
    checkFinite(`the sum of ${values.length} values`, sum);
  }
  return sum / values.length;
}

/** Mean and standard deviation over prompts, with n − 1 as in the paper. Throws a RangeError as `mean` does. */
export function meanAndStd(values: readonly number[]): { mean: number; std: number } {
  const m = mean(values);
  const square = values.reduce((sum, x) => sum + (x - m) ** 2, 0);
  return { mean: m, std: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}

/** Probabilities whose logarithms differ as the logits do. Logits of any size will do; `[]` of none. */
export function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

interface BootstrapOptions {
  readonly seed: number;
  /** Default 0.95. */
  readonly level?: number;
  /** Default 1,000. */
  readonly draws?: number;
  /** What each value belongs to, e.g. its prompt's acronym. Default: each to itself. */
  readonly groups?: readonly string[];
}

/**
 * Bootstrap interval of the mean: prompts are drawn again with replacement. With `groups` whole groups are, so that it is an interval
 * for *new* groups: prompts of one acronym are not independent of each other.
 * Throws a RangeError if there are no values, one is not finite, not every value has a group, the level is not between 0 and 1, or there are no draws.
 */
export function bootstrapMean(
  values: readonly number[],
  { seed, level = 0.95, draws = 1000, groups }: BootstrapOptions,
): Interval {
  mean(values); // there are some, all finite
  checkCount("draws", draws);
  if (!(level > 0 && level < 1)) throw new RangeError(`level must be between 0 and 1, not ${level}`);
  if (groups && groups.length !== values.length)
    throw new RangeError(`${groups.length} groups for ${values.length} values; give one for each`);
  const units = groups ? groupSums(values, groups) : values.map((sum) => ({ sum, count: 1 }));
  const n = units.length;
  const drawn = drawnRows(n, seed, draws);
  const sums = Float64Array.from(units, ({ sum }) => sum);
  const counts = Float64Array.from(units, ({ count }) => count);
  const means = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let [sum, count] = [0, 0];
    for (let i = draw * n; i < (draw + 1) * n; i++) {
      sum += sums[drawn[i]];
      count += counts[drawn[i]];
    }
    means[draw] = sum / count;
  }
  means.sort();
  const at = (share: number) => means[Math.min(draws - 1, Math.floor(share * draws))];
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

function groupSums(values: readonly number[], groups: readonly string[]): { sum: number; count: number }[] {
  const own = new Map<string, { sum: number; count: number }>();
  for (const [i, group] of groups.entries()) {
    const { sum, count } = own.get(group) ?? { sum: 0, count: 0 };
    own.set(group, { sum: sum + values[i], count: count + 1 });
  }
  return [...own.values()];
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

/** A part as a share of a whole; null where that is no number: nothing is a share of 0. Throws a RangeError if one of them is not finite. */
export function share(part: number, whole: number): number | null {
  checkFinite("the part of a share", part);
  checkFinite("the whole of a share", whole);
  const found = part / whole;
  return Number.isFinite(found) ? found : null;
}

/** Pearson's correlation of pairs; null where one of the lists doesn't vary. Throws a RangeError if they differ in length, or as `mean` does. */
export function correlation(xs: readonly number[], ys: readonly number[]): number | null {
  if (xs.length !== ys.length) throw new RangeError(`${xs.length} values can't be paired with ${ys.length}`);
  const [x, y] = [meanAndStd(xs), meanAndStd(ys)];
  if (!(x.std > 0 && y.std > 0)) return null;
  const together = xs.reduce((sum, value, i) => sum + (value - x.mean) * (ys[i] - y.mean), 0);
  return together / ((xs.length - 1) * x.std * y.std);
}
