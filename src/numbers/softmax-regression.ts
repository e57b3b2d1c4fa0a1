/** Softmax regression on plain numbers: the same result on every backend. */

import { checkAllFinite, checkCount, checkSome } from "./check";
import { extent, range } from "./lists";
import { mean, meanAndStd } from "./statistics";

/** A linear classifier: the class with the largest `weights[class] · features + bias[class]`. */
export interface LinearProbe {
  readonly weights: readonly (readonly number[])[]; // [class][feature]
  readonly bias: readonly number[];
}

interface FitOptions {
  /** Steps of Adam over all samples at once, default 60. */
  readonly steps?: number;
}

/** Weight of the squared weights in the loss. */
const L2 = 0.001;

/**
 * Fits a probe by softmax regression on standardised features. The loss is convex and training starts at 0: nothing is left
 * to chance.
 * Throws a RangeError if there are no samples, not one label for each, a label is no class, a feature is missing or not finite,
 *   or there are no steps.
 * @param features `[sample][feature]`
 * @param labels 0, 1, … for each sample
 */
export function fitProbe(
  features: readonly (readonly number[])[],
  labels: readonly number[],
  { steps = 60 }: FitOptions = {},
): LinearProbe {
  checkSamples(features, labels);
  checkCount("steps", steps);
  const columns = features[0].map((_, j) => meanAndStd(features.map((row) => row[j])));
  const scales = columns.map(({ std }) => 1 / (std + 1e-6));
  const x = features.map((row) => Float64Array.from(row, (value, j) => (value - columns[j].mean) * scales[j]));
  const size = columns.length + 1;
  const parameters = new Float64Array((extent(labels)[1] + 1) * size); // class after class: weights, then bias
  const step = adam(parameters);
  for (let i = 0; i < steps; i++) step(gradient(x, labels, parameters));
  // the standardisation becomes part of the weights
  const starts = range(parameters.length / size).map((c) => c * size);
  const weights = starts.map((start) => scales.map((scale, j) => parameters[start + j] * scale));
  const shift = (own: readonly number[]) => own.reduce((sum, weight, j) => sum + weight * columns[j].mean, 0);
  return { weights, bias: starts.map((start, c) => parameters[start + size - 1] - shift(weights[c])) };
}

/** Of the mean cross-entropy and the penalty, at these parameters. Plain loops: a notebook's probes spend their time here. */
function gradient(x: readonly Float64Array[], labels: readonly number[], parameters: Float64Array): Float64Array {
  const size = x[0].length + 1;
  const out = parameters.map((value, i) => ((i + 1) % size === 0 ? 0 : 2 * L2 * value));
  const errors = new Float64Array(parameters.length / size); // of each class, for one sample
  for (let i = 0; i < x.length; i++) {
    softmaxErrors(x[i], labels[i], parameters, errors);
    for (let c = 0; c < errors.length; c++) addScaled(out, c * size, x[i], errors[c] / x.length);
  }
  return out;
}

/** Probability of each class minus 1 for the right one, written into `errors`. */
function softmaxErrors(row: Float64Array, label: number, parameters: Float64Array, errors: Float64Array): void {
  const size = row.length + 1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < errors.length; c++) {
    const start = c * size;
    let score = parameters[start + size - 1];
    for (let j = 0; j < row.length; j++) score += parameters[start + j] * row[j];
    errors[c] = score;
    if (score > largest) largest = score;
  }
  let total = 0;
  for (let c = 0; c < errors.length; c++) total += errors[c] = Math.exp(errors[c] - largest);
  for (let c = 0; c < errors.length; c++) errors[c] = errors[c] / total - Number(c === label);
}

/** Adds a sample's share to the weights and the bias of the class that begins at `start`. */
function addScaled(out: Float64Array, start: number, row: Float64Array, by: number): void {
  for (let j = 0; j < row.length; j++) out[start + j] += by * row[j];
  out[start + row.length] += by;
}

/** Adam: each call moves `parameters` one step against the gradient. */
function adam(parameters: Float64Array, rate = 0.1): (gradient: Float64Array) => void {
  const [first, second] = [new Float64Array(parameters.length), new Float64Array(parameters.length)];
  let [left1, left2] = [1, 1];
  return (gradient) => {
    left1 *= 0.9;
    left2 *= 0.999;
    gradient.forEach((g, i) => {
      first[i] += 0.1 * (g - first[i]);
      second[i] += 0.001 * (g * g - second[i]);
      parameters[i] -= (rate * (first[i] / (1 - left1))) / (Math.sqrt(second[i] / (1 - left2)) + 1e-8);
    });
  };
}

/** The class that a probe sees in each sample. Throws a RangeError if a sample doesn't have the probe's features, all finite. */
export function predictClasses({ weights, bias }: LinearProbe, features: readonly (readonly number[])[]): number[] {
  checkFeatures(features, weights[0].length);
  return features.map((row) => {
    const scores = weights.map((own, c) => own.reduce((sum, weight, j) => sum + weight * row[j], bias[c]));
    return scores.indexOf(Math.max(...scores));
  });
}

/** Share of samples whose label a probe finds. Throws as `fitProbe` does. */
export function probeAccuracy(
  probe: LinearProbe,
  features: readonly (readonly number[])[],
  labels: readonly number[],
): number {
  checkSamples(features, labels);
  return mean(predictClasses(probe, features).map((found, i) => Number(found === labels[i])));
}

function checkSamples(features: readonly (readonly number[])[], labels: readonly number[]): void {
  checkSome("samples", features);
  checkFeatures(features, features[0].length);
  if (labels.length !== features.length)
    throw new RangeError(`${labels.length} labels for ${features.length} samples; give one for each`);
  for (const label of labels) checkCount("a label", label, 0);
}

function checkFeatures(features: readonly (readonly number[])[], n: number): void {
  for (const [i, row] of features.entries()) {
    if (row.length !== n) throw new RangeError(`sample ${i} has ${row.length} features, not ${n}`);
    checkAllFinite(`sample ${i}: feature`, row);
  }
}
