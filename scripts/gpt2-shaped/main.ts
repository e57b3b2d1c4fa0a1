/** `npm run gpt2-shaped -- DIR`: a random checkpoint of GPT-2 Small's shape and size, for benchmarks and tests. */
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkpointShapes } from "../../src/load/checkpoint";
import type { ModelConfig } from "../../src/model/model";
import { random } from "../../src/numbers/random";
import { encodeHeader } from "../checkpoint/encode";
import { randomSpread } from "../checkpoint/spread";
import { pruneVocabulary } from "../checkpoint/vocabulary";

export const GPT2_SMALL: ModelConfig = {
  name: "gpt2-shaped",
  n_layers: 12,
  n_heads: 12,
  d_model: 768,
  d_head: 64,
  d_mlp: 3072,
  n_ctx: 1024,
  d_vocab: 50257,
  eps: 1e-5,
};

/** Fills with normal random numbers of this mean and standard deviation. */
type Fill = (values: Float32Array, spread: { readonly mean: number; readonly std: number }) => void;

/**
 * Fast: 65,536 normal numbers drawn at random again and again (xorshift). Drawing 124 million afresh would take half a minute.
 */
function normalFill(seed: number): Fill {
  const { normal, int } = random(seed);
  const normals = Float32Array.from({ length: 0x10000 }, normal);
  let state = 1 + int(0x7ffffffe);
  return (values, { mean, std }) => {
    for (let i = 0; i < values.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = mean + std * normals[state >>> 16];
    }
  };
}

/** GPT-2's mask buffer: 1 where a query may see a key. */
function causalMask(n_ctx: number): Float32Array {
  return Float32Array.from({ length: n_ctx * n_ctx }, (_, i) => (i % n_ctx <= Math.floor(i / n_ctx) ? 1 : 0));
}

/** All tensors in the file's order, mask buffers included as in the original. */
function shapesWithMasks(config: ModelConfig): Map<string, number[]> {
  const { n_layers, n_ctx } = config;
  const masks = Array.from({ length: n_layers }, (_, l): [string, number[]] => [
    `h.${l}.attn.bias`,
    [1, 1, n_ctx, n_ctx],
  ]);
  return new Map([...masks, ...checkpointShapes(config)]);
}

function writeWeights(file: string, config: ModelConfig, seed: number): void {
  const shapes = shapesWithMasks(config);
  const [fill, mask] = [normalFill(seed), causalMask(config.n_ctx)];
  const part = openSync(`${file}.part`, "w");
  try {
    const entries = [...shapes].map(([name, shape]) => [name, { shape, dtype: "F32" }] as const);
    writeAll(part, encodeHeader(new Map(entries), { format: "pt" }));
    for (const [name, shape] of shapes) {
      const isMask = name.endsWith(".attn.bias");
      const values = isMask ? mask : new Float32Array(shape.reduce((a, b) => a * b));
      if (!isMask) fill(values, randomSpread(name, shape));
      writeAll(part, new Uint8Array(values.buffer));
    }
  } finally {
    closeSync(part);
  }
  renameSync(`${file}.part`, file);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/**
 * Writes config.json and model.safetensors of random weights, the same for the same seed, one tensor at a time; and vocab.json where the
 * vocabulary has GPT-2's size.
 */
export function writeCheckpoint(dir: string, config: ModelConfig, seed: number): void {
  const {
    n_layers: n_layer,
    n_heads: n_head,
    d_model: n_embd,
    d_mlp: n_inner,
    n_ctx,
    d_vocab: vocab_size,
    eps,
  } = config;
  const sizes = { n_layer, n_head, n_embd, n_inner, n_positions: n_ctx, n_ctx, vocab_size, layer_norm_epsilon: eps };
  const json = { architectures: ["GPT2LMHeadModel"], model_type: "gpt2", activation_function: "gelu_new", ...sizes };
  mkdirSync(dir, { recursive: true });
  writeWeights(path.join(dir, "model.safetensors"), config, seed);
  writeFileSync(path.join(dir, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
  if (vocab_size === GPT2_SMALL.d_vocab)
    writeFileSync(path.join(dir, "vocab.json"), JSON.stringify(pruneVocabulary(Array(vocab_size).keys())));
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { seed: { type: "string", default: "0" } },
    allowPositionals: true,
  });
  if (positionals.length !== 1) throw new Error("usage: npm run gpt2-shaped -- DIR [--seed 0]; DIR gets 548 MB");
  writeCheckpoint(positionals[0], GPT2_SMALL, Number(values.seed));
  console.log(
    `${positionals[0]}: config.json, vocab.json, model.safetensors (GPT-2 Small's shape, random weights, seed ${values.seed})`,
  );
}

if (require.main === module) main();
