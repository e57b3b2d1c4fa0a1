import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { letterLogitDiff } from "../../../src/experiments/logit-difference";
import { initBackend } from "../../../src/model/backend/choose";
import { range } from "../../../src/numbers/lists";
import { bootstrapMean, correlation, mean, meanAndStd, share, softmax } from "../../../src/numbers/statistics";
import { near, nearly } from "../../fixtures/close";

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
  assert.throws(() => letterLogitDiff(tf.zeros([1, 2, 1]), [[0, 0]]), /\[1,2,1\]/);
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

test("correlation: 1 on a rising line, -1 on a falling one, by hand in between", () => {
  nearly(correlation([1, 2, 4], [10, 20, 40]), 1);
  nearly(correlation([1, 2, 4], [-3, -5, -9]), -1);
  nearly(correlation([0, 0, 1, 1], [0, 1, 0, 1]), 0);
  nearly(correlation([1, 2, 3], [1, 3, 2]), 0.5);
  assert.throws(() => correlation([1, 2], [1]), /2 values can't be paired with 1/);
  for (const [xs, ys] of [
    [
      [1, 1],
      [1, 2],
    ],
    [
      [1, 2],
      [3, 3],
    ],
    [[1], [2]],
  ])
    assert.equal(correlation(xs, ys), null);
});

/** Logits 0 … 25 of two prompts and two letters, one of them another value. */
function spoilt(value: number, prompt: number, letter: number, capital: number): tf.Tensor3D {
  const values = Float32Array.from({ length: 4 * 26 }, (_, i) => i % 26);
  values[(prompt * 2 + letter) * 26 + capital] = value;
  return tf.tensor3d(values, [2, 2, 26]);
}

test("a logit that is not finite is named, not answered with", () => {
  const candidates = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const answers = [
    [1, 2],
    [3, 4],
  ];
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const against of ["max", "mean"] as const) {
      const message = new RegExp(
        `^RangeError: prompt 1, letter 2: the logit of "K" is ${value}, not a finite number. .* −∞`,
      );
      assert.throws(() => letterLogitDiff(spoilt(value, 1, 1, 10), answers, against, { candidates }), message);
    }
  assert.throws(() => letterLogitDiff(spoilt(Number.NaN, 1, 1, 10), answers), /the logit of token 10 is NaN/);
  const names = { first: 50, letters: [2, 3], candidates };
  assert.throws(
    () => letterLogitDiff(spoilt(Number.NaN, 1, 1, 0), answers, "max", names),
    /prompt 51, letter 3: .* "A"/,
  );
});

test("an answer that is no letter, or another comparison, is refused", () => {
  for (const bad of [26, -1, 1.5, undefined])
    assert.throws(() => letterLogitDiff(rising(), [[1, bad as number]]), /RangeError: answer .* is not one of 0 … 25/);
  assert.throws(
    () => letterLogitDiff(rising(), [[1, 2]], "median" as never),
    /against "median" is not one of "max", "mean"/,
  );
});

test("what is averaged or shared is finite, and there is some", () => {
  for (const average of [mean, meanAndStd, (values: number[]) => bootstrapMean(values, { seed: 0 })]) {
    assert.throws(() => average([]), /RangeError: no values/);
    assert.throws(() => average([1, Number.NaN, 2]), /RangeError: of 3 values to average, number 1 is NaN/);
    assert.throws(() => average([1, 2, undefined as never]), /RangeError: .* number 2 is undefined/);
    assert.throws(() => average([Number.POSITIVE_INFINITY]), RangeError);
    assert.throws(() => average([1.7e308, 1.7e308]), /RangeError: the sum of 2 values is Infinity/);
  }
  assert.equal(share(1, 4), 0.25);
  assert.throws(() => share(1, Number.NaN), /RangeError: the whole of a share .*NaN/);
  assert.throws(() => share(Number.POSITIVE_INFINITY, 1), /RangeError: the part of a share .*Infinity/);
  assert.throws(() => bootstrapMean([1, 2], { seed: 0, draws: 0 }), /draws must be a whole number from 1 on, not 0/);
  for (const level of [0, 1, 95])
    assert.throws(() => bootstrapMean([1, 2], { seed: 0, level }), /level must be between 0 and 1/);
});

test("nothing is a share of 0, or of so little that the share is no number", () => {
  for (const [part, whole] of [
    [1, 0],
    [0, 0],
    [1, -0],
    [1e300, 1e-300],
  ])
    assert.equal(share(part, whole), null);
});

test("by groups, whole groups are drawn: copies of a value tell nothing new", () => {
  const values = [1, 2, 3, 4, 10];
  const copies = range(8).flatMap(() => values);
  const groups = copies.map((value) => `${value}`);
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  const plain = bootstrapMean(values, { seed: 0 });
  const byGroup = bootstrapMean(copies, { seed: 0, groups });
  assert.ok(Math.abs(byGroup.low - plain.low) < 1e-9 && Math.abs(byGroup.high - plain.high) < 1e-9);
  assert.ok(width(bootstrapMean(copies, { seed: 0 })) < width(byGroup) / 2);
  // of unequal groups the mean is of all values drawn, not of the groups' means
  const { low, high } = bootstrapMean([0, 0, 0, 8], { seed: 0, groups: ["a", "a", "a", "b"] });
  assert.deepEqual([low, high], [0, 8]);
  const middle = bootstrapMean([0, 0, 0, 8], { seed: 0, groups: ["a", "a", "a", "b"], level: 0.01 });
  assert.equal(middle.low, 2);
  assert.throws(() => bootstrapMean([1, 2], { seed: 0, groups: ["a"] }), /1 groups for 2 values; give one for each/);
});

test("softmax gives probabilities whose ratios are those of the logits' powers, however large they are", () => {
  const found = softmax([1, 2, 4]);
  nearly(
    found.reduce((sum, one) => sum + one, 0),
    1,
  );
  nearly([found[1] / found[0], found[2] / found[0]], [Math.E, Math.exp(3)]);
  nearly(softmax([1001, 1002, 1004]), found);
  nearly(softmax([-1e6, 0]), [0, 1]);
  assert.deepEqual(softmax([]), []);
});
