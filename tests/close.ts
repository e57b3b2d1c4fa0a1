/** How equal two computed numbers have to be: the one place that says so. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";

/**
 * float32 keeps 24 bits. Two computations of the same thing in another shape or order, on another backend or processor, round every one
 * of their sums differently; over the layers of a model that can reach the last 9 of them. Relative to the largest number of the same
 * tensor or array, because small sums of large numbers are as wrong as those; absolute where that is below 1.
 */
const FLOAT32 = 2 ** -15;

/** Plain numbers keep 53 bits, and few steps are done with them. */
const FLOAT64 = 2 ** -40;

/** What makes a difference: thirty-two times what rounding can. */
const PLAIN_TO_SEE = 2 ** -10;

interface Difference {
  readonly size: number;
  readonly text: string;
}

/** 0 for equal numbers, which infinities can be and NaN never is. */
function relative(found: number, expected: number, level: number): number {
  if (found === expected) return 0;
  const size = Math.abs(found - expected) / level;
  return Number.isNaN(size) ? Number.POSITIVE_INFINITY : size;
}

type Numbers = ArrayLike<number> & Iterable<number>;
const areNumbers = (value: object): value is Numbers =>
  ArrayBuffer.isView(value) || (Array.isArray(value) && value.length > 0 && value.every((x) => typeof x === "number"));

function ofNumbers(found: Numbers, expected: Numbers, path: string): Difference {
  assert.equal(found.length, expected.length, `${path}${found.length} numbers, not ${expected.length}`);
  let level = 1;
  for (const value of expected) if (Number.isFinite(value)) level = Math.max(level, Math.abs(value));
  let [size, at] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const one = relative(found[i], expected[i], level);
    if (one > size) [size, at] = [one, i];
  }
  return { size, text: `${path}${at}: ${found[at]}, not ${expected[at]}` };
}

/** The largest difference of two numbers, tensors, or rows and arrays of them. @throws if anything in them but numbers differs */
function largest(found: unknown, expected: unknown, path: string): Difference {
  if (typeof found === "number" && typeof expected === "number") {
    const size = relative(found, expected, Number.isFinite(expected) ? Math.max(1, Math.abs(expected)) : 1);
    return { size, text: `${path}${found}, not ${expected}` };
  }
  if (found instanceof tf.Tensor && expected instanceof tf.Tensor) {
    assert.deepEqual(found.shape, expected.shape, path || undefined);
    return largest(found.dataSync(), expected.dataSync(), path);
  }
  if (typeof found !== "object" || typeof expected !== "object" || found === null || expected === null) {
    assert.deepEqual(found, expected, path || undefined);
    return { size: 0, text: "" };
  }
  if (areNumbers(found) && areNumbers(expected)) return ofNumbers(found, expected, path);
  assert.deepEqual(Object.keys(found), Object.keys(expected), path || undefined);
  let most: Difference = { size: 0, text: `${path}all are equal` };
  for (const [key, value] of Object.entries(found)) {
    const one = largest(value, (expected as Record<string, unknown>)[key], `${path}${key}: `);
    if (one.size > most.size) most = one;
  }
  return most;
}

/**
 * Equal but for the rounding of float32: numbers, tensors, and rows and arrays of them; whatever else they hold has to be equal.
 * For what is computed twice in different ways. What is computed once, or twice in the same way, is equal to the bit: `assert.equal`.
 */
export function near(found: unknown, expected: unknown, what = ""): void {
  const { size, text } = largest(found, expected, what && `${what}: `);
  assert.ok(size <= FLOAT32, text);
}

/** `near` for plain numbers made of the same numbers: equal but for the rounding of float64. */
export function nearly(found: unknown, expected: unknown, what = ""): void {
  const { size, text } = largest(found, expected, what && `${what}: `);
  assert.ok(size <= FLOAT64, text);
}

/** Different by more than rounding could make them, in at least one number. */
export function apart(found: unknown, expected: unknown, what = ""): void {
  const { size, text } = largest(found, expected, what && `${what}: `);
  assert.ok(size >= PLAIN_TO_SEE, text);
}
