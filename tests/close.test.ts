import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../src/model/backend/choose";
import { apart, near, nearly, within } from "./fixtures/close";

before(() => initBackend());

test("near: 9 of float32's 24 bits may differ, relative above 1 and absolute below", () => {
  near(1 + 2 ** -15, 1);
  near(2 ** -16, 0);
  near(1000 * (1 + 2 ** -16), 1000);
  for (const [found, expected] of [
    [1 + 2 ** -14, 1],
    [2 ** -14, 0],
    [1000 * (1 + 2 ** -14), 1000],
  ] as const)
    assert.throws(() => near(found, expected, "letter 1"), /^AssertionError.*letter 1: .*, not/);
});

test("near: no number is near NaN or infinity but infinity itself", () => {
  near(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => near(bad, 1));
    assert.throws(() => near(1, bad));
  }
  assert.throws(() => near(Number.NaN, Number.NaN));
});

test("near: in tensors, arrays and rows, whose lengths, shapes, names and texts are equal", () => {
  near([{ letter: "C1", values: [1, 2] }], [{ letter: "C1", values: [1, 2 + 2 ** -16] }]);
  near(tf.tensor([[1, 2]]), tf.tensor([[1, 2]]));
  near([1000, 2 ** -8], [1000, 0]); // beside large numbers
  assert.throws(() => near([1, 2 ** -8], [1, 0]), /1: 0.00390625, not 0/);
  near(null, null);
  assert.throws(() => near([{ letter: 1, logit_diff: 3 }], [{ letter: 1, logit_diff: 4 }]), /0: logit_diff: 3, not 4/);
  const different: [unknown, unknown][] = [
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [{ a: "x" }, { a: "y" }],
    [null, 1],
    [1, null],
    [tf.tensor([1, 2]), tf.tensor([[1, 2]])],
  ];
  for (const [found, expected] of different) assert.throws(() => near(found, expected), assert.AssertionError);
});

test("within: no number is further off, also beside large ones", () => {
  within(0.01, { letter: 1, values: [1000.009, 1] }, { letter: 1, values: [1000, 1] });
  assert.throws(() => within(0.01, [{ values: [1000.011] }], [{ values: [1000] }]), /0: values: 0: 1000.011, not 1000/);
  assert.throws(() => within(0.01, 1000.011, 1000), /1000.011, not 1000/);
});

test("nearly is closer, and apart is further than rounding", () => {
  nearly(0.1 + 0.2, 0.3);
  assert.throws(() => nearly(1 + 2 ** -24, 1));
  apart([1, 2], [1, 2.1]);
  assert.throws(() => apart([1, 2], [1, 2 + 2 ** -12]), /1: 2, not 2\.0/);
});
