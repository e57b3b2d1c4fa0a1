import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "./backend";
import { resolveModel } from "./hub";
import type { Model, ModelConfig } from "./model";
import { openSafetensors } from "./safetensors";
import { checkVocabSize, loadTokenizer, type Tokenizer } from "./tokenizer";
import { modelFromCheckpoint, processWeights } from "./weights";

/** What every GPT-2 config must say, where it says anything; another value means another architecture. */
const ARCHITECTURE: Readonly<Record<string, unknown>> = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
};

/** Reads a Hugging Face config.json. @throws if it is not a GPT-2's; names the field. */
export function readConfig(dir: string): ModelConfig {
  const file = path.join(dir, "config.json");
  const json = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  for (const [field, value] of Object.entries(ARCHITECTURE))
    if (json[field] !== undefined && json[field] !== value)
      throw new Error(
        `${file}: ${field} is ${JSON.stringify(json[field])}; only ${JSON.stringify(value)} is supported`,
      );
  const size = (...fields: string[]): number => {
    const value = fields.map((field) => json[field]).find((v) => v !== undefined && v !== null);
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw new Error(`${file}: ${fields.join(" or ")} is ${JSON.stringify(value)}; a positive integer is needed`);
    return value as number;
  };
  const d_model = size("n_embd");
  const n_heads = size("n_head");
  if (d_model % n_heads !== 0) throw new Error(`${file}: n_embd ${d_model} is not a multiple of n_head ${n_heads}`);
  return {
    name: path.basename(path.resolve(dir)),
    n_layers: size("n_layer"),
    n_heads,
    d_model,
    d_head: d_model / n_heads,
    d_mlp: json.n_inner === undefined || json.n_inner === null ? 4 * d_model : size("n_inner"),
    n_ctx: size("n_positions", "n_ctx"),
    d_vocab: size("vocab_size"),
    eps: typeof json.layer_norm_epsilon === "number" ? json.layer_norm_epsilon : 1e-5,
  };
}

export interface LoadedModel {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
}

/**
 * Loads a model and its tokenizer, and starts the tfjs backend.
 * @param id see `resolveModel`
 * @param options `processed`: apply TransformerLens's weight processing, as the paper does (default true)
 * @throws if the folder lacks a file or a file is damaged or of another architecture
 */
export async function loadModel(id?: string, { processed = true } = {}): Promise<LoadedModel> {
  await initBackend();
  const dir = await resolveModel(id);
  const config = readConfig(dir);
  const tokenizer = loadTokenizer(dir);
  checkVocabSize(tokenizer, config.d_vocab);
  return { model: loadWeights(dir, config, processed), tokenizer };
}

/** The weights of a folder's model.safetensors. */
export function loadWeights(dir: string, config: ModelConfig, processed: boolean): Model {
  const file = path.join(dir, "model.safetensors");
  if (!existsSync(file))
    throw new Error(`${dir} has no model.safetensors; a folder in Hugging Face's layout is needed`);
  const checkpoint = openSafetensors(file);
  try {
    return tf.tidy(() => {
      const raw = modelFromCheckpoint(config, checkpoint);
      return (processed ? processWeights(raw) : raw) as never;
    }) as Model;
  } finally {
    checkpoint.close();
  }
}
