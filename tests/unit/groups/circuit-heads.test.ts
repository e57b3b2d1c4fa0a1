import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { CRITERIA, classifyHeads, headsOf } from "../../../src/groups/classify";
import { headEvidence } from "../../../src/groups/evidence";
import { randomModel } from "../../../src/load/process";
import { initBackend } from "../../../src/model/backend/choose";
import { headName } from "../../../src/model/heads";
import type { Model } from "../../../src/model/model";
import { type ChooseOptions, chooseHeads } from "../../../src/paper/choose-heads";
import { paperHeads } from "../../../src/paper/paper";

const config = {
  name: "tiny",
  n_layers: 2,
  n_heads: 3,
  d_model: 12,
  d_head: 4,
  d_mlp: 24,
  n_ctx: 11,
  d_vocab: 40,
  eps: 1e-5,
};
const prompt = (i: number) => Array.from({ length: 11 }, (_, p) => (7 * i + 3 * p) % 40);
const data = {
  tokens: [0, 1, 2, 3].map(prompt),
  answerLetters: [0, 1, 2, 3].map((i) => [i, i + 1, i + 2]),
  letters: Array.from({ length: 26 }, (_, i) => i + 5),
};
const corrupted = [1, 2, 3, 0].map(prompt);
let model: Model;
before(async () => {
  await initBackend();
  model = randomModel(config, 1);
});

test("headName: as heads are written", () => assert.equal(headName({ layer: 10, head: 1 }), "10.1"));

test("found: the groups that classifyHeads makes of the model's own evidence", async () => {
  const classified = classifyHeads(await headEvidence(model, data, { corrupted }));
  const found = await chooseHeads(model, data, { corrupted });
  assert.deepEqual(found.letter_movers, headsOf(classified, "letter mover"));
  assert.deepEqual(found.propagation, headsOf(classified, "propagation"));
  assert.deepEqual(found.fuzzy_previous_token, headsOf(classified, "fuzzy previous token"));
  assert.deepEqual(found.circuit, [...found.letter_movers, ...found.propagation, ...found.fuzzy_previous_token]);
});

test("found: criteria are passed on", async () => {
  const none = await chooseHeads(model, data, { corrupted, criteria: { ...CRITERIA, floor: 1e9 } });
  const open = { mover_effect: 0, mover_attention: 0, copying: 0, floor: -1e9 };
  const all = await chooseHeads(model, data, { corrupted, criteria: { ...CRITERIA, ...open } });
  assert.deepEqual(none.circuit, []);
  assert.ok(all.letter_movers.length > 0);
});

test("found: leaves no tensors", async () => {
  const { numTensors } = tf.memory();
  await chooseHeads(model, data, { corrupted });
  assert.equal(tf.memory().numTensors, numTensors);
});

test("paper: its list, without looking at the model, where the model has these heads", async () => {
  const large = { ...model, config: { ...config, n_layers: 12, n_heads: 12 } };
  assert.deepEqual(await chooseHeads(large, data, { corrupted, heads: "paper" }), paperHeads());
});

test("paper: heads that the model lacks are named", async () => {
  const message = /tiny has 2 layers of 3 heads, so not the paper's 8\.11, 9\.9.*choose heads "found"/;
  await assert.rejects(chooseHeads(model, data, { corrupted, heads: "paper" }), message);
});

test("another choice is refused", async () => {
  const heads = "papers" as ChooseOptions["heads"];
  await assert.rejects(chooseHeads(model, data, { corrupted, heads }), /heads "papers" is not one of "found", "paper"/);
});
