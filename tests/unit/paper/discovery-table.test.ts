import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { edgeCount } from "../../../src/discovery/edges";
import { headsOf } from "../../../src/discovery/head-subsets";
import { circuitValues } from "../../../src/experiments/circuit-evaluation";
import { loadModel } from "../../../src/load/load";
import { dataFolder } from "../../../src/load/resolve";
import { sha256 } from "../../../src/load/sha256";
import { initBackend } from "../../../src/model/backend/choose";
import { range } from "../../../src/numbers/lists";
import { random } from "../../../src/numbers/random";
import { mean } from "../../../src/numbers/statistics";
import {
  acdcCircuits,
  DISCOVERY_TABLE,
  discoveryTable,
  LEVEL_STEP,
  packLevels,
  promptsHash,
  subsetLevels,
  unpackLevels,
} from "../../../src/paper/discovery-table";
import { resample } from "../../../src/prompts/corruption";
import { HELD_OUT, loadAcronyms } from "../../../src/prompts/dataset";
import { tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

before(async () => {
  await initBackend();
});

test("levels come back to half a step, whatever their sign", () => {
  const { normal } = random(0);
  const levels = [0, -0.005, 1.27, -1.28, 150, -150, ...range(500).map(() => 5 * normal())];
  const back = unpackLevels(packLevels(levels));
  assert.equal(back.length, levels.length);
  for (const [i, level] of levels.entries())
    assert.ok(Math.abs(back[i] - level) <= LEVEL_STEP / 2 + 1e-9, `${level}, ${back[i]}`);
});

test("the table is of the embedded model and of these prompts; its levels are what circuits have by themselves", async () => {
  const { n, seed, model: modelHash, prompts, levels, acdc } = discoveryTable();
  assert.ok(statSync(DISCOVERY_TABLE).size < 300_000);
  assert.equal(modelHash, sha256(readFileSync(join(dataFolder, "embedded", "model.safetensors"))));
  const { model, tokenizer } = await loadModel("embedded");
  const data = loadAcronyms(HELD_OUT, tokenizer, { n, seed });
  const corrupted = resample(data, seed);
  assert.equal(prompts, promptsHash(data, corrupted));
  const { int } = random(1);
  const subsets = [0, 2 ** 16 - 1, ...range(12).map(() => int(2 ** 16))];
  const circuits = subsets.map((subset) => headsOf(model.config, subset));
  for (const ablation of ["mean", "resample"] as const) {
    assert.equal(levels[ablation].length, 2 ** 16);
    const measured = await circuitValues(model, data, circuits, { corrupted, ablation });
    for (const [i, subset] of subsets.entries()) {
      const level = mean(measured[i].flat());
      assert.ok(Math.abs(levels[ablation][subset] - level) < LEVEL_STEP / 2 + 1e-3, `${ablation}, ${subset}: ${level}`);
    }
  }
  assert.equal(acdc.length, 6);
  for (const { edges } of acdc) assert.ok(edges.length > 0 && edges.every((edge) => edge < edgeCount(model.config)));
  const counts = acdc.map(({ edges }) => edges.length);
  assert.ok(counts[0] > counts[5], `${counts}`);
});

test("of another model levels are measured if its heads are few", async () => {
  const data = tinyPrompts(3, 0);
  const options = { corrupted: resample(data, 0) };
  const own = await subsetLevels("tiny", tinyModel(), data, options);
  assert.deepEqual(
    [own?.levels.mean.length, own?.levels.resample.length, own?.from],
    [64, 64, "measured now, 3 prompts"],
  );
  const model = tinyModel();
  assert.equal(await subsetLevels("wide", { ...model, config: { ...model.config, n_layers: 5 } }, data, options), null);
  assert.deepEqual(acdcCircuits("tiny"), []);
});
