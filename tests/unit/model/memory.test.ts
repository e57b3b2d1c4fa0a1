import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { bytesNeeded, checkMemory, checkModelFits } from "../../../src/model/memory";
import type { ForwardOptions, Model } from "../../../src/model/model";
import { makePlan } from "../../../src/model/plan";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const { tokens } = tinyPrompts(6, 0);
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

const demand = (options: ForwardOptions, batch = tokens.length) => ({
  config: TINY,
  batch,
  plan: makePlan(model, tokens, [[]], options),
  readout: options.readout,
});

test("the estimate is what is kept and read, and more than that for what is computed in between", () => {
  const none = bytesNeeded(demand({ readout: "none" }));
  assert.equal(none, 0);
  const logits = 4 * 6 * 11 * TINY.d_vocab;
  assert.ok(bytesNeeded(demand({})) > logits);
  const keep = ["blocks.0.hook_resid_pre"] as const;
  const before = bytesNeeded(demand({ readout: "none", keep }));
  const run = forward(model, tokens, { readout: "none", keep });
  assert.ok(before >= 4 * run.cache["blocks.0.hook_resid_pre"].size);
  assert.equal(bytesNeeded(demand({}, 60)), 10 * bytesNeeded(demand({})));
});

test("what doesn't fit is refused with an estimate and a number that would", () => {
  const many = demand({}, 4_000_000);
  const free = 2 * 2 ** 30;
  assert.throws(
    () => checkMemory(many, () => free),
    /4000000 prompts in one forward of tiny need about [\d.]+ GB; 2\.0 GB are free/,
  );
  let fits = 0;
  try {
    checkMemory(many, () => free);
  } catch (error) {
    fits = Number(/at most about (\d+) at a time/.exec((error as Error).message)![1]);
  }
  assert.ok(fits > 1000);
  checkMemory(demand({}, fits), () => free);
  assert.throws(() => checkMemory(demand({}, fits + 1000), () => free), RangeError);
});

test("what a model needs is its tensors, and the largest of them three times more while it is read", () => {
  const shapes = [[2 ** 14, 2 ** 14], [5]]; // 1 GB and 20 bytes
  checkModelFits("small", shapes, () => 4 * 2 ** 30 + 20);
  const refused = () => checkModelFits("large", shapes, () => 4 * 2 ** 30 + 19);
  assert.throws(refused, /large needs about 4\.0 GB of memory; 4\.0 GB .*are free/);
});

test("a forward that would not fit is refused before anything is computed", () => {
  const tensors = tf.memory().numTensors;
  const config = { ...model.config, d_vocab: 2 ** 40 }; // nothing of this size exists: only its estimate counts
  assert.throws(() => forward({ ...model, config }, tokens), /need about .* GB/);
  assert.equal(tf.memory().numTensors, tensors);
});
