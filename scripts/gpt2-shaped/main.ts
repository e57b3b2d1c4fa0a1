/** `npm run gpt2-shaped -- DIR`: a random checkpoint of one of GPT-2's shapes and sizes, for benchmarks and tests. */
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkpointShapes } from "../../src/load/checkpoint";
import type { ModelConfig } from "../../src/model/model";
import { random } from "../../src/numbers/random";
import { encodeHeader } from "../checkpoint/encode";
import { toHalf } from "../checkpoint/half";
import { SHAPES } from "../checkpoint/shapes";
import { randomSpread } from "../checkpoint/spread";
import { pruneVocabulary } from "../checkpoint/vocabulary";

export const GPT2_SMALL: ModelConfig = { ...SHAPES["gpt2-small"], name: "gpt2-shaped" };

type Dtype = "F32" | "F16";

const stored = (values: Float32Array, dtype: Dtype) => (dtype === "F32" ? values : Uint16Array.from(values, toHalf));

/** So many normal random numbers of this mean and standard deviation. */
type Draw = (size: number, spread: { readonly mean: number; readonly std: number }, dtype: Dtype) => ArrayBufferView;

/**
 * Fast: 65,536 normal numbers drawn at random again and again (xorshift). Drawing 124 million afresh would take half a minute, rounding
 * each to float16 longer.
 */
function normalDraw(seed: number): Draw {
  const { normal, int } = random(seed);
  const normals = Float32Array.from({ length: 0x10000 }, normal);
  let state = 1 + int(0x7ffffffe);
  return (size, { mean, std }, dtype) => {
    const table = stored(
      normals.map((value) => mean + std * value),
      dtype,
    );
    const values = dtype === "F32" ? new Float32Array(size) : new Uint16Array(size);
    for (let i = 0; i < size; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = table[state >>> 16];
    }
    return values;
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

/** How weights are stored. */
export interface Storage {
  readonly dtype?: Dtype;
  /** Files, as transformers' `save_pretrained` cuts large models, with an index of what is where. Default 1. */
  readonly files?: number;
}

function writeWeights(dir: string, config: ModelConfig, seed: number, { dtype = "F32", files = 1 }: Storage): void {
  const shapes = [...shapesWithMasks(config)];
  const size = ([, shape]: (typeof shapes)[number]) => shape.reduce((a, b) => a * b);
  const all = shapes.reduce((sum, one) => sum + size(one), 0);
  let before = 0;
  const fileOf = new Map(
    shapes.map((one) => {
      const index = Math.min(files - 1, Math.floor((files * before) / all));
      before += size(one);
      return [one[0], index];
    }),
  );
  const digits = (count: number) => `${count}`.padStart(5, "0");
  const nameOf = (index: number) =>
    files === 1 ? "model.safetensors" : `model-${digits(index + 1)}-of-${digits(files)}.safetensors`;
  const draw = normalDraw(seed);
  for (let index = 0; index < files; index++) {
    const own = shapes.filter(([name]) => fileOf.get(name) === index);
    writeFile(path.join(dir, nameOf(index)), own, { draw, mask: causalMask(config.n_ctx), dtype });
  }
  if (files === 1) return;
  const weight_map = Object.fromEntries([...fileOf].map(([name, index]) => [name, nameOf(index)]));
  writeFileSync(path.join(dir, "model.safetensors.index.json"), `${JSON.stringify({ weight_map }, null, 2)}\n`);
}

interface Content {
  readonly draw: Draw;
  readonly mask: Float32Array;
  readonly dtype: Dtype;
}

function writeFile(file: string, shapes: readonly [string, number[]][], { draw, mask, dtype }: Content): void {
  const part = openSync(`${file}.part`, "w");
  try {
    const entries = shapes.map(([name, shape]) => [name, { shape, dtype }] as const);
    writeAll(part, encodeHeader(new Map(entries), { format: "pt" }));
    for (const [name, shape] of shapes) {
      const size = shape.reduce((a, b) => a * b);
      const isMask = name.endsWith(".attn.bias");
      const { buffer } = isMask ? stored(mask, dtype) : draw(size, randomSpread(name, shape), dtype);
      writeAll(part, new Uint8Array(buffer));
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
 * Writes config.json and the weights, random ones, the same for the same seed, one tensor at a time; and vocab.json where the
 * vocabulary has GPT-2's size.
 */
export function writeCheckpoint(dir: string, config: ModelConfig, seed: number, storage: Storage = {}): void {
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
  writeWeights(dir, config, seed, storage);
  writeFileSync(path.join(dir, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
  if (vocab_size === GPT2_SMALL.d_vocab)
    writeFileSync(path.join(dir, "vocab.json"), JSON.stringify(pruneVocabulary(Array(vocab_size).keys())));
}

const USAGE = `npm run gpt2-shaped -- DIR [options]

  --shape    ${Object.keys(SHAPES).join(", ")} (gpt2-small: 548 MB)
  --half     float16 in place of float32
  --files    files of weights, with an index (1)
  --seed     of the random weights (0)`;

function main(): void {
  const { values, positionals } = parseArgs({
    options: {
      seed: { type: "string", default: "0" },
      shape: { type: "string", default: "gpt2-small" },
      half: { type: "boolean", default: false },
      files: { type: "string", default: "1" },
    },
    allowPositionals: true,
  });
  const { shape, half, seed } = values;
  const files = Number(values.files);
  if (positionals.length !== 1 || !Object.hasOwn(SHAPES, shape) || !(files >= 1)) throw new Error(USAGE);
  writeCheckpoint(positionals[0], SHAPES[shape], Number(seed), { dtype: half ? "F16" : "F32", files });
  console.log(
    `${positionals[0]}: config.json, vocab.json and weights (${shape}'s shape, random weights, seed ${seed})`,
  );
}

if (require.main === module) main();
