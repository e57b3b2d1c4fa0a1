// A model from bytes is the model of the folder that they come from.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { modelFromBytes } from "../../../src/load/from-bytes";
import { loadModel } from "../../../src/load/load";
import { forward } from "../../../src/model/forward";
import { disposeModel, disposeRun } from "../../../src/model/model";
import { near } from "../../fixtures/close";

const FOLDER = resolve(__dirname, "../../../data/embedded");
const files = (...names: string[]) =>
  new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(FOLDER, name)))]));
const ALL = ["config.json", "vocab.json", "model.safetensors"];

test("the same logits and tokens as from the folder", async () => {
  const fromFolder = await loadModel("embedded");
  const fromBytes = modelFromBytes("embedded", files(...ALL));
  assert.deepEqual(fromBytes.model.config, fromFolder.model.config);
  const prompt = [fromFolder.tokenizer.bos, ...fromFolder.tokenizer.encode("The Grouse Kite Dune (GK")];
  assert.deepEqual([fromBytes.tokenizer.bos, ...fromBytes.tokenizer.encode("The Grouse Kite Dune (GK")], prompt);
  const runs = [fromFolder, fromBytes].map(({ model }) => forward(model, [prompt]));
  near(runs[1].logits, runs[0].logits);
  disposeRun(...runs);
  for (const { model } of [fromFolder, fromBytes]) disposeModel(model);
});

for (const name of ALL)
  test(`without ${name} it is named, with what there is`, () => {
    const others = ALL.filter((one) => one !== name);
    assert.throws(() => modelFromBytes("x", files(...others)), {
      message: `${name} is missing; there is ${others.join(", ")}`,
    });
  });

test("a damaged file is named", () => {
  const all = files(...ALL);
  all.set("config.json", new TextEncoder().encode("{"));
  assert.throws(() => modelFromBytes("x", all), /^Error: config\.json is not JSON/);
  const cut = files(...ALL);
  cut.set("model.safetensors", cut.get("model.safetensors")!.slice(0, 1000));
  assert.throws(() => modelFromBytes("x", cut), /^Error: model\.safetensors is not a valid safetensors file/);
});
