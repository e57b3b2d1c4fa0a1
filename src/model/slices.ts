import * as tf from "@tensorflow/tfjs";

/*
 * Parts of tensors, put together from slices and concatenations: whole blocks are copied. In WebAssembly tfjs computes tile, gather and
 * broadcasting element by element, a hundred times slower.
 */

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** `count` entries of one axis, from `first` on. As a matrix, whose rows hold what is cut side by side, it is copied row by row. */
export function cut<T extends tf.Tensor>(x: T, axis: number, first: number, count: number): T {
  if (count === x.shape[axis]) return x;
  const [outer, inner] = [product(x.shape.slice(0, axis)), product(x.shape.slice(axis + 1))];
  const part = x.reshape([outer, -1]).slice([0, first * inner], [outer, count * inner]);
  return part.reshape(x.shape.map((n, d) => (d === axis ? count : n)));
}

/** Runs of numbers that follow each other, as first and count: [3, 4, 7] → [3, 2], [7, 1]. */
function runs(indices: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const index of indices) {
    const last = found.at(-1);
    if (last && index === last[0] + last[1]) last[1]++;
    else found.push([index, 1]);
  }
  return found;
}

/** These entries of one axis, in this order. */
export function pick<T extends tf.Tensor>(x: T, indices: readonly number[], axis: number): T {
  const parts = runs(indices).map(([first, count]) => cut(x, axis, first, count));
  return parts.length === 1 ? parts[0] : tf.concat<T>(parts, axis);
}

/** As many parts of the same length, one after the other on the first axis. */
export function split<T extends tf.Tensor>(x: T, parts: number): T[] {
  const count = x.shape[0] / parts;
  return Array.from({ length: parts }, (_, i) => cut(x, 0, i * count, count));
}

/** Another handle on the same values, freed by itself. (In WebAssembly `clone` copies them.) */
export const handle = <T extends tf.Tensor>(x: T): T => x.reshape(x.shape);

/** A tensor so many times, one after the other on the first axis. */
export const repeat = <T extends tf.Tensor>(x: T, times: number): T =>
  times === 1 ? x : tf.concat<T>(Array<T>(times).fill(x), 0);

/** 0, 1, … size - 1 as stretches that are all in or all out. */
export function stretches(size: number, isIn: (index: number) => boolean) {
  const found: { first: number; count: number; isIn: boolean }[] = [];
  for (let first = 0; first < size; first++) {
    const last = found.at(-1);
    if (last?.isIn === isIn(first)) last.count++;
    else found.push({ first, count: 1, isIn: isIn(first) });
  }
  return found;
}

/** `x` with `value`, of the same shape, wherever the index is listed for every one of these axes. */
export function replaceInside(
  x: tf.Tensor,
  value: tf.Tensor,
  inside: readonly (readonly [axis: number, indices: readonly number[]])[],
): tf.Tensor {
  if (inside.length === 0) return value;
  const [[axis, indices], ...others] = inside;
  const listed = new Set(indices);
  const made = stretches(x.shape[axis]!, (i) => listed.has(i)).map(({ first, count, isIn }) => {
    const own = cut(x, axis, first, count);
    return isIn ? replaceInside(own, cut(value, axis, first, count), others) : own;
  });
  return made.length === 1 ? made[0] : tf.concat(made, axis);
}
