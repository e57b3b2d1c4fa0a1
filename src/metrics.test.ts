import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { near, nearly } from "../tests/close";
import { initBackend } from "./backend";
import { bootstrapMean, column, correlation, letterLogitDiff, meanAndStd } from "./metrics";

before(async () => {
  await initBackend();
});

/** Logits 0 … 25, so letter k has logit k. */
const rising = () => tf.range(0, 26).tile([2]).reshape([1, 2, 26]) as tf.Tensor3D;

test("the logit difference is against the largest, or the mean, of the others", () => {
  assert.deepEqual(letterLogitDiff(rising(), [[25, 3]]), [[1, -22]]);
  const [[last, first]] = letterLogitDiff(rising(), [[25, 0]], "mean");
  near([last, first], [13, -13]);
});

test("a shift of all logits changes nothing", () => {
  assert.deepEqual(letterLogitDiff(rising().add(5), [[4, 7]]), letterLogitDiff(rising(), [[4, 7]])); // whole numbers
});

test("shapes that don't fit are named", () => {
  assert.throws(() => letterLogitDiff(tf.zeros([1, 2, 25]), [[1, 2]]), /\[1,2,25\]/);
  assert.throws(() => letterLogitDiff(rising(), [[1, 2, 3]]), /1 answers of 3 letters/);
});

test("the standard deviation divides by n - 1", () => {
  assert.deepEqual(meanAndStd([2, 4]), { mean: 3, std: Math.SQRT2 });
  assert.deepEqual(meanAndStd([5]), { mean: 5, std: 0 });
  assert.throws(() => meanAndStd([]), /no values/);
});

test("a bootstrap interval holds the mean, narrows with n and depends on the seed only", () => {
  const values = (n: number) => Array.from({ length: n }, (_, i) => i % 10);
  const [few, many] = [20, 2000].map((n) => bootstrapMean(values(n), { seed: 1 }));
  assert.ok(few.low < 4.5 && 4.5 < few.high);
  assert.ok(many.high - many.low < 0.3 * (few.high - few.low));
  assert.deepEqual(bootstrapMean(values(20), { seed: 1 }), few);
  assert.notDeepEqual(bootstrapMean(values(20), { seed: 2 }), few);
});

test("a column of rows", () => {
  assert.deepEqual(
    column(
      [
        [1, 2],
        [3, 4],
      ],
      1,
    ),
    [2, 4],
  );
});

test("correlation: 1 on a rising line, -1 on a falling one, by hand in between", () => {
  nearly(correlation([1, 2, 4], [10, 20, 40]), 1);
  nearly(correlation([1, 2, 4], [-3, -5, -9]), -1);
  nearly(correlation([0, 0, 1, 1], [0, 1, 0, 1]), 0);
  nearly(correlation([1, 2, 3], [1, 3, 2]), 0.5);
  assert.throws(() => correlation([1, 2], [1]), /2 values can't be paired with 1/);
  assert.throws(() => correlation([1, 1], [1, 2]), /values that vary/);
});
