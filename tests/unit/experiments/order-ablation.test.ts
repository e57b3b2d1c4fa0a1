import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { completeness } from "../../../src/experiments/circuit-criteria";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { columnMean } from "../../../src/experiments/measure";
import { lossByMean, ordinalAblation, ordinalMeans } from "../../../src/experiments/order-ablation";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { patchHeads } from "../../../src/model/interventions";
import { disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { ACRONYMS } from "../../../src/prompts/acronym-task";
import { wordPositions } from "../../../src/prompts/task";
import { apart, near } from "../../fixtures/close";
import { processedModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_layers: 2, n_ctx: 12 };
const WORD_POSITIONS = wordPositions(ACRONYMS);
const data = randomPrompts(4, 5);
let model: Model;

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
});

const hook = "blocks.1.attn.hook_z";

test("the words are C1, C2, C3", () => assert.deepEqual(WORD_POSITIONS, [2, 4, 6]));

test("the mean is over prompts and words, the same at every position, in batches too", async () => {
  const means = await ordinalMeans(model, data, { batch: 3 });
  const run = forward(model, data.tokens, { keep: [hook] });
  const z = run.cache[hook].arraySync(); // [batch, pos, head, d_head]
  const expected = columnMean(
    z.flatMap((prompt) => WORD_POSITIONS.map((pos) => [prompt[pos][1][3]])),
    0,
  );
  const found = means[hook].arraySync()[0];
  assert.equal(found.length, 11);
  for (const pos of found) near(pos[1][3], expected);
  disposeRun(run);
  tf.dispose(Object.values(means));
});

test("ablation puts the mean in at the three words and nowhere else", async () => {
  const means = await ordinalMeans(model, data);
  const readout = letterReadout(data);
  const values = (on: boolean) => {
    const interventions = on ? patchHeads([{ layer: 0, head: 1 }], "z", means, [2, 4, 6]) : [];
    return logitDiffs(forward(model, data.tokens, { interventions, readout }), data);
  };
  const [clean, ablated] = [values(false), values(true)];
  const found = (await ordinalAblation(model, data)).filter(({ layer, head }) => layer === 0 && head === 1);
  assert.equal(found.length, 3);
  for (const { letter, change } of found) near(change, columnMean(ablated, letter - 1) - columnMean(clean, letter - 1));
  apart(
    found.map(({ change }) => change),
    [0, 0, 0],
  );
});

test("the last layer's heads at the words can't reach the letters", async () => {
  for (const { layer, change } of await ordinalAblation(model, data)) if (layer === 1) near(change, 0);
});

test("of the heads that are asked for, and no other", async () => {
  const asked = [{ layer: 0, head: 1 }];
  const all = (await ordinalAblation(model, data)).filter(({ layer, head }) => layer === 0 && head === 1);
  near(await ordinalAblation(model, data, { heads: asked }), all);
  await assert.rejects(ordinalAblation(model, data, { heads: [{ layer: 2, head: 0 }] }), /no head 2.0/);
});

test("loss by either mean: that of each position as by completeness, the common one as by ordinalAblation", async () => {
  const heads = [
    { layer: 1, head: 0 },
    { layer: 0, head: 1 },
  ];
  const corrupted = randomPrompts(4, 15).tokens;
  const found = await lossByMean(model, data, heads, { corrupted });
  const [positions, common] = [found.slice(0, 6), found.slice(6)];
  const removed = [[], ...heads.map((head) => [head])];
  const left = await completeness(model, data, heads, { corrupted, removed });
  const ablated = await ordinalAblation(model, data, { heads });
  assert.equal(common.length, 6);
  for (const [i, row] of positions.entries()) {
    assert.deepEqual([row.layer, row.head], [heads[Math.floor(i / 3)].layer, heads[Math.floor(i / 3)].head]);
    assert.equal(row.mean, "mean of each position");
    near(row.lost, left[i % 3].model - left[3 + i].model);
  }
  for (const [i, { mean, lost, ...row }] of common.entries()) {
    assert.deepEqual([row.layer, row.head, row.letter], [ablated[i].layer, ablated[i].head, ablated[i].letter]);
    assert.equal(mean, "common mean at C1, C2 and C3");
    near(lost, -ablated[i].change);
  }
  apart(
    positions.slice(3),
    common.slice(3).map((row) => ({ ...row, mean: "mean of each position" })),
  );
});

test("nothing is left behind but what is given", async () => {
  const before = tf.memory().numTensors;
  await ordinalAblation(model, data, { batch: 2 });
  assert.equal(tf.memory().numTensors, before);
  const means = await ordinalMeans(model, data);
  assert.equal(tf.memory().numTensors, before + config.n_layers);
  tf.dispose(Object.values(means));
});
