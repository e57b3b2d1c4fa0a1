import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "./backend";
import { projectFolder, resolveModel } from "./hub";
import { loadModel, loadWeights, readConfig } from "./load";
import { disposeModel } from "./model";

const fixture = path.join(projectFolder, "tests", "fixtures", "tiny-a");
let dir: string;
before(() => {
  dir = mkdtempSync(path.join(tmpdir(), "models-"));
});
after(() => rmSync(dir, { recursive: true }));

/** A copy of the fixture's folder with other values in its config.json. */
function withConfig(name: string, changes: Record<string, unknown>): string {
  const copy = path.join(dir, name);
  mkdirSync(copy);
  for (const file of ["config.json", "model.safetensors"]) cpSync(path.join(fixture, file), path.join(copy, file));
  const config = { ...JSON.parse(readFileSync(path.join(fixture, "config.json"), "utf8")), ...changes };
  writeFileSync(path.join(copy, "config.json"), JSON.stringify(config));
  return copy;
}

test("sizes come from config.json", () => {
  assert.deepEqual(readConfig(fixture), {
    name: "tiny-a",
    n_layers: 3,
    n_heads: 4,
    d_model: 64,
    d_head: 16,
    d_mlp: 256,
    n_ctx: 32,
    d_vocab: 128,
    eps: 1e-5,
  });
});

test("another architecture and impossible sizes are named", () => {
  assert.throws(() => readConfig(withConfig("llama", { model_type: "llama" })), /model_type is "llama"; only "gpt2"/);
  assert.throws(() => readConfig(withConfig("relu", { activation_function: "relu" })), /activation_function is "relu"/);
  assert.throws(() => readConfig(withConfig("half", { n_layer: 1.5 })), /n_layer is 1.5; a positive integer/);
  assert.throws(() => readConfig(withConfig("heads", { n_head: 5 })), /n_embd 64 is not a multiple of n_head 5/);
});

test("weights that don't fit config.json are named", async () => {
  await initBackend();
  const small = withConfig("small", { vocab_size: 127 });
  assert.throws(
    () => loadWeights(small, readConfig(small), true),
    /"wte.weight" is \[128,64\], config.json wants \[127,64\]/,
  );
  const deep = withConfig("deep", { n_layer: 4 });
  assert.throws(() => loadWeights(deep, readConfig(deep), true), /lacks the tensor "h.3.ln_1.weight"/);
});

test("a folder without a tokenizer or weights says so", async () => {
  await assert.rejects(loadModel(fixture), /vocab.json/);
  const empty = withConfig("empty", {});
  rmSync(path.join(empty, "model.safetensors"));
  assert.throws(() => loadWeights(empty, readConfig(empty), true), /has no model.safetensors/);
});

test("loading leaves one model's tensors", async () => {
  await initBackend();
  const before = tf.memory().numTensors;
  const model = loadWeights(fixture, readConfig(fixture), true);
  assert.equal(tf.memory().numTensors - before, 4 + 8 * 3);
  disposeModel(model);
  assert.equal(tf.memory().numTensors, before);
});

test("a model is the embedded one or a folder; a relative one may start at the project", async () => {
  assert.equal(await resolveModel("embedded"), path.join(projectFolder, "data", "embedded"));
  assert.equal(await resolveModel(fixture), fixture);
  assert.equal(await resolveModel(path.join("tests", "fixtures", "tiny-a")), fixture);
});
