import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { everySubset, headsOf, subsetOf } from "../../../src/discovery/head-subsets";
import { circuitValues } from "../../../src/experiments/circuit-evaluation";
import { initBackend } from "../../../src/model/backend/choose";
import { allHeads } from "../../../src/model/heads";
import type { Model } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { mean } from "../../../src/numbers/statistics";
import { resample } from "../../../src/prompts/corruption";
import { apart, near } from "../../fixtures/close";
import { processedModel, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(5, 0);
const corrupted = resample(data, 0);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel();
});

for (const ablation of ["mean", "resample"] as const)
  test(`every subset is what it is by itself, ablated by ${ablation}, in batches`, async () => {
    const tensors = tf.memory().numTensors;
    const levels = await everySubset(model, data, { corrupted, ablation, batch: 3 });
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(levels.length, 64);
    const circuits = range(64).map((subset) => headsOf(TINY, subset));
    const alone = await circuitValues(model, data, circuits, { corrupted, ablation });
    near(
      levels,
      alone.map((prompts) => mean(prompts.flat())),
    );
    apart([levels[0]], [levels[1]]);
  });

test("a single layer, a single head", async () => {
  const small = { ...TINY, n_layers: 1, n_heads: 1 };
  const levels = await everySubset(processedModel(small, 1), data, { corrupted });
  assert.equal(levels.length, 2);
});

test("a subset's number and its heads say the same", () => {
  for (const subset of [0, 1, 37, 63]) assert.equal(subsetOf(TINY, headsOf(TINY, subset)), subset);
  assert.deepEqual(headsOf(TINY, 63), allHeads(TINY));
  assert.deepEqual(headsOf(TINY, 4), [{ layer: 1, head: 0 }]);
  assert.throws(() => subsetOf(TINY, [{ layer: 9, head: 0 }]), /no head 9.0/);
});

test("more heads than can be measured are refused", async () => {
  const wide = { ...model, config: { ...TINY, n_layers: 9 } };
  await assert.rejects(everySubset(wide, data, { corrupted }), /tiny has 18 heads: too many subsets.* at most 16/);
});
