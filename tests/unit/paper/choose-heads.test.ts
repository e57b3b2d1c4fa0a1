import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { strongestWriters } from "../../../src/experiments/ov-circuit";
import { THIS_MODEL } from "../../../src/figures/style";
import { CRITERIA, classifyHeads, headsOf } from "../../../src/groups/classify";
import { headEvidence } from "../../../src/groups/evidence";
import { initBackend } from "../../../src/model/backend/choose";
import { headName } from "../../../src/model/heads";
import type { Model } from "../../../src/model/model";
import { type ChooseOptions, chooseHeads, groupTable, growingGroups } from "../../../src/paper/choose-heads";
import { paperHeads } from "../../../src/paper/paper";
import { resample } from "../../../src/prompts/corruption";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const OPEN = { ...CRITERIA, mover_effect: 0, mover_attention: 0, copying: 0, floor: -1e9 };
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel(1);
});

test("headName: as heads are written", () => assert.equal(headName({ layer: 10, head: 1 }), "10.1"));

const prompts = tinyPrompts(6, 1);

test("found: the groups that classifyHeads makes of the model's own evidence", async () => {
  const classified = classifyHeads(await headEvidence(model, prompts, { corrupted: resample(prompts, 3) }), OPEN);
  const found = await chooseHeads(model, prompts, { seed: 3, criteria: OPEN });
  assert.equal(found.standIns, false);
  assert.deepEqual(found.letter_movers, headsOf(classified, "letter mover"));
  assert.deepEqual(found.propagation, headsOf(classified, "propagation"));
  assert.deepEqual(found.fuzzy_previous_token, headsOf(classified, "fuzzy previous token"));
  assert.deepEqual(found.circuit, headsOf(classified, "circuit"));
});

test("where no head is a letter mover the four that write most stand in, and it is said", async () => {
  const none = await chooseHeads(model, prompts, { seed: 0, criteria: { ...CRITERIA, floor: 1e9 } });
  const writers = await strongestWriters(model, prompts, { top: 4 });
  assert.deepEqual(none, {
    letter_movers: writers,
    propagation: [],
    fuzzy_previous_token: [],
    circuit: writers,
    standIns: true,
  });
  assert.match(groupTable(none)[0].group, /no letter mover/);
  assert.equal(groupTable(none)[1][THIS_MODEL], "none");
});

test("found: leaves no tensors", async () => {
  const { numTensors } = tf.memory();
  await chooseHeads(model, prompts, { seed: 0 });
  assert.equal(tf.memory().numTensors, numTensors);
});

test("paper: its list, without looking at the model, where the model has these heads", async () => {
  const large = { ...model, config: { ...TINY, n_layers: 12, n_heads: 12 } };
  assert.deepEqual(await chooseHeads(large, prompts, { seed: 0, heads: "paper" }), {
    ...paperHeads(),
    standIns: false,
  });
});

test("paper: heads that the model lacks are named", async () => {
  const message = /tiny has 3 layers of 2 heads, so not the paper's 8\.11, 9\.9.*choose heads "found"/;
  await assert.rejects(chooseHeads(model, prompts, { seed: 0, heads: "paper" }), message);
});

test("another choice is refused", async () => {
  const heads = "papers" as ChooseOptions["heads"];
  await assert.rejects(
    chooseHeads(model, prompts, { seed: 0, heads }),
    /heads "papers" is not one of "found", "paper"/,
  );
});

test("groups come together one by one, and a group that adds no head is left out", () => {
  const [a, b, c] = [0, 1, 2].map((head) => ({ layer: 0, head }));
  const grown = (letter_movers: (typeof a)[], propagation: (typeof a)[], circuit: (typeof a)[]) =>
    growingGroups({ letter_movers, propagation, fuzzy_previous_token: [], circuit });
  assert.deepEqual(grown([a], [b], [a, b, c]), [[a], [a, b], [a, b, c]]);
  assert.deepEqual(grown([a], [{ ...a }], [a]), [[a]], "a mover that also passes on");
  assert.deepEqual(grown([], [], []), []);
});
