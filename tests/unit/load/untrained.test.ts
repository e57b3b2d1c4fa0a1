import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { untrained } from "../../../src/load/untrained";
import { initBackend } from "../../../src/model/backend/choose";
import { disposeModel } from "../../../src/model/model";
import { meanAndStd } from "../../../src/numbers/statistics";
import { apart, near } from "../../fixtures/close";
import { randomModel, TINY, tinyModel } from "../../fixtures/tiny-prompts";

before(async () => {
  await initBackend();
});

const stdOf = (t: tf.Tensor) => meanAndStd([...t.dataSync()]).std;

test("an untrained model has the model's shape, and GPT-2's spread of weights in place of its own", () => {
  const trained = randomModel(TINY, 0);
  const fresh = untrained(trained, 0);
  const { name, ...shape } = fresh.config;
  assert.deepEqual({ ...shape, name: TINY.name }, TINY);
  assert.equal(name, `${TINY.name}, untrained`);
  const [block] = fresh.blocks;
  const written = 0.02 / Math.sqrt(2 * TINY.n_layers);
  for (const [weights, std] of [
    [fresh.W_E, 0.02],
    [fresh.W_pos, 0.02],
    [block.W_in, 0.02],
    [block.W_out, written],
  ] as const)
    assert.ok(Math.abs(stdOf(weights) / std - 1) < 0.2, `${stdOf(weights)} for ${std}`);
  assert.deepEqual([...block.ln1!.w.dataSync()], Array(TINY.d_model).fill(1)); // written, not computed
  assert.deepEqual([...block.b_in.dataSync()], Array(TINY.d_mlp).fill(0));
});

test("it depends on its seed only", () => {
  const [a, b, c] = [1, 1, 2].map((seed) => untrained(randomModel(TINY, seed), seed).W_E);
  assert.deepEqual(a.arraySync(), b.arraySync()); // drawn, not computed
  apart(a, c);
  assert.throws(() => untrained(randomModel(TINY, 0), 0.5), /seed must be an integer, not 0.5/);
});

test("its unembedding is its own where the model's is", () => {
  const tied = untrained(randomModel(TINY, 0), 0);
  near(tied.W_U, tied.W_E.transpose());
  const apartFrom = untrained(randomModel({ ...TINY, tie_word_embeddings: false }, 0), 0);
  apart(apartFrom.W_U, apartFrom.W_E.transpose());
  assert.ok(Math.abs(stdOf(apartFrom.W_U) / 0.02 - 1) < 0.2);
});

test("it is processed where the model is, and leaves nothing else in memory", () => {
  const model = tinyModel();
  const before = tf.memory().numTensors;
  const fresh = untrained(model, 0);
  assert.deepEqual([fresh.ln_final, fresh.blocks[0].ln1], [null, null]);
  disposeModel(fresh);
  assert.equal(tf.memory().numTensors, before);
});
