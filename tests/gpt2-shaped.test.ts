import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { writeCheckpoint } from "../scripts/gpt2-shaped/main";
import { loadWeights, readConfig } from "../src/load/load";
import { openSafetensors } from "../src/load/safetensors-file";
import { initBackend } from "../src/model/backend/choose";
import { disposeModel, type ModelConfig } from "../src/model/model";

const dir = mkdtempSync(path.join(tmpdir(), "gpt2-shaped-"));
after(() => rmSync(dir, { recursive: true }));

const config: ModelConfig = {
  name: "small",
  n_layers: 2,
  n_heads: 2,
  d_model: 64,
  d_head: 32,
  d_mlp: 256,
  n_ctx: 16,
  d_vocab: 500,
  eps: 1e-5,
};
const written = (name: string, seed: number) => {
  writeCheckpoint(path.join(dir, name), config, seed);
  return readFileSync(path.join(dir, name, "model.safetensors"));
};

test("the same seed writes the same checkpoint, and it loads", async () => {
  assert.ok(written("small", 1).equals(written("again", 1)));
  assert.ok(!written("small", 1).equals(written("other", 2)));
  await initBackend();
  const folder = path.join(dir, "small");
  assert.deepEqual(readConfig(folder), { ...config, tie_word_embeddings: true });
  disposeModel(loadWeights(folder, config, true));
});

test("weights are spread as normal numbers of GPT-2's names are, masks are causal", () => {
  written("small", 1);
  const checkpoint = openSafetensors(path.join(dir, "small", "model.safetensors"));
  const { values } = checkpoint.read("h.1.mlp.c_fc.weight"); // [64, 256]: standard deviation 1.2 / √64
  const mean = values.reduce((a, b) => a + b) / values.length;
  const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  const standardError = 0.15 / Math.sqrt(values.length);
  assert.ok(Math.abs(mean) < 5 * standardError, `mean ${mean}`);
  assert.ok(Math.abs(std - 0.15) < 5 * standardError, `standard deviation ${std}`);
  const mask = checkpoint.read("h.0.attn.bias");
  assert.deepEqual(mask.shape, [1, 1, 16, 16]);
  assert.deepEqual([...mask.values.subarray(16, 20)], [1, 1, 0, 0]);
  checkpoint.close();
});
