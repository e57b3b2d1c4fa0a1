import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { circuitValues } from "../../../src/experiments/circuit-evaluation";
import { jointLosses, mlpAblation } from "../../../src/experiments/joint-ablation";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { columnMean } from "../../../src/experiments/measure";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads, headsOutside } from "../../../src/model/heads";
import { edit } from "../../../src/model/hooks";
import { disposeRun, type Model } from "../../../src/model/model";
import { near } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(4, 1);
const options = { corrupted: tinyPrompts(4, 2).tokens };
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

test("one head alone is lost together as by itself", async () => {
  for (const loss of await jointLosses(model, data, [{ layer: 1, head: 0 }], options)) {
    near(loss.together, loss["one by one"]);
    near(loss.ratio!, 1);
  }
});

test("losses are of the whole model, summed over heads and without all of them", async () => {
  const heads = allHeads(TINY).slice(1, 4);
  const sets = [[], ...heads.map((head) => [head]), heads].map((removed) => headsOutside(removed, TINY));
  const levels = (await circuitValues(model, data, sets, options)).map((rows) => columnMean(rows, 1));
  const [, second] = await jointLosses(model, data, heads, options);
  near(second.together, levels[0] - levels[4]);
  near(second["one by one"], 3 * levels[0] - levels[1] - levels[2] - levels[3]);
  await assert.rejects(jointLosses(model, data, [], options), /there are no heads to remove/);
});

test("an MLP's mean over the prompts takes its place, position by position, in batches too; no tensor is left", async () => {
  const tensors = tf.memory().numTensors;
  const rows = await mlpAblation(model, data, { batch: 3 });
  assert.equal(tf.memory().numTensors, tensors);
  assert.deepEqual(
    rows.slice(0, 3).map(({ layer, letter }) => [layer, letter]),
    [0, 1, 2].map((layer) => [layer, 1]),
  );
  const meanOverPrompts = edit("blocks.1.hook_mlp_out", (x) => x.mean<tf.Tensor3D>(0, true).tile([x.shape[0], 1, 1]));
  const levels = [[], meanOverPrompts].map((interventions) => {
    const run = forward(model, data.tokens, { interventions, readout: letterReadout(data) });
    const level = columnMean(logitDiffs(run, data), 2);
    disposeRun(run);
    return level;
  });
  near(rows.find(({ layer, letter }) => layer === 1 && letter === 3)!.change, levels[1] - levels[0]);
});
