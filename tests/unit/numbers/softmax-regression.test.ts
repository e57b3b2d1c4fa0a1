import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { range } from "../../../src/numbers/lists";
import { random } from "../../../src/numbers/random";
import { fitProbe, type LinearProbe, predictClasses, probeAccuracy } from "../../../src/numbers/softmax-regression";
import { mean } from "../../../src/numbers/statistics";

/** Three clouds of points in so many dimensions. */
function clouds(n: number, d: number, seed: number, apart: number) {
  const { normal } = random(seed);
  const centres = range(3).map(() => range(d).map(() => apart * normal()));
  const labels = range(n).map((i) => i % 3);
  return { features: labels.map((label) => centres[label].map((x) => x + normal())), labels };
}

const probabilities = ({ weights, bias }: LinearProbe, row: readonly number[]) => {
  const scores = weights.map((own, c) => Math.exp(own.reduce((sum, w, j) => sum + w * row[j], bias[c])));
  const total = scores.reduce((a, b) => a + b);
  return scores.map((score) => score / total);
};

describe("fitProbe", () => {
  it("separates what is separable", () => {
    const { features, labels } = clouds(90, 5, 0, 10);
    assert.equal(probeAccuracy(fitProbe(features, labels), features, labels), 1);
  });

  it("finds the middle one of three classes on one line, where regression on the labels would not", () => {
    const values = [1 / 3, 1 / 5, 1 / 7];
    const labels = range(30).map((i) => i % 3);
    const features = labels.map((label) => [values[label]]);
    assert.equal(probeAccuracy(fitProbe(features, labels), features, labels), 1);
  });

  it("ends at the maximum of the likelihood: on average it predicts each class as often as it occurs", () => {
    const { features, labels } = clouds(120, 4, 1, 0.5);
    const skewed = labels.map((label, i) => (i % 5 === 0 ? 0 : label));
    const probe = fitProbe(features, skewed, { steps: 1000 });
    for (const c of range(3)) {
      const predicted = mean(features.map((row) => probabilities(probe, row)[c]));
      assert.ok(Math.abs(predicted - skewed.filter((label) => label === c).length / 120) < 1e-4, `class ${c}`);
    }
  });

  it("does not depend on a feature's unit or zero", () => {
    const { features, labels } = clouds(60, 3, 2, 0.7);
    const moved = features.map(([a, b, c]) => [a * 100 + 7, b / 50 - 3, c]);
    const [plain, other] = [features, moved].map((x) => predictClasses(fitProbe(x, labels), x));
    assert.deepEqual(other, plain);
  });

  it("is not disturbed by a feature that never changes", () => {
    const { features, labels } = clouds(60, 3, 3, 5);
    const padded = features.map((row) => [...row, 4]);
    assert.equal(probeAccuracy(fitProbe(padded, labels), padded, labels), 1);
  });

  it("finds nothing where there is nothing to find", () => {
    const { normal, shuffle } = random(4);
    const features = range(600).map(() => [normal(), normal()]);
    const labels = shuffle(range(600).map((i) => i % 3));
    const probe = fitProbe(features.slice(0, 300), labels.slice(0, 300));
    const found = probeAccuracy(probe, features.slice(300), labels.slice(300));
    assert.ok(found > 0.23 && found < 0.43, `accuracy ${found}`);
  });

  it("refuses samples and labels that don't fit, naming them", () => {
    assert.throws(() => fitProbe([], []), /no samples/);
    assert.throws(() => fitProbe([[1], [2]], [0]), /1 labels for 2 samples/);
    assert.throws(() => fitProbe([[1], [2]], [0, 1.5]), /label must be a whole number from 0 on, not 1.5/);
    const probe = fitProbe([[1], [2]], [0, 1]);
    assert.throws(() => probeAccuracy(probe, [[1]], [0, 1]), /2 labels for 1 samples/);
  });
});
