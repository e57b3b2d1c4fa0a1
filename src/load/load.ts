import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { initBackend } from "../model/backend/choose";
import type { Model, ModelConfig } from "../model/model";
import { modelFromCheckpoint } from "./process";
import { resolveModel } from "./resolve";
import { openSafetensors } from "./safetensors";
import { checkVocabSize, loadTokenizer, type Tokenizer } from "./tokenizer";

/** What every GPT-2 config must say, where it says anything; another value means another architecture. */
const ARCHITECTURE: Readonly<Record<string, unknown>> = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
};

const LAYOUT =
  "a model's folder holds config.json, model.safetensors, and vocab.json or tokenizer.json, all from the same GPT-2 model";

function readJson(dir: string): Record<string, unknown> {
  const file = path.join(dir, "config.json");
  if (!existsSync(file)) throw new Error(`${dir} has no config.json: ${LAYOUT}`);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} is not JSON (${(error as Error).message}); fetch it again`, { cause: error });
  }
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw new Error(`${file} is no table of settings, {"model_type": "gpt2", …}; fetch it again`);
  return json as Record<string, unknown>;
}

/** A model's folder, or the name under which the hub has it: there the folder is named after a commit. */
function nameOf(dir: string): string {
  const parts = path.resolve(dir).split(path.sep);
  const repo = parts.at(-3)?.startsWith("models--") && parts.at(-2) === "snapshots" ? parts.at(-3)! : undefined;
  return repo ? repo.replace("models--", "").replace("--", "/") : parts.at(-1)!;
}

/** Reads a Hugging Face config.json. @throws if there is none, it is damaged or not a GPT-2's; names the file and the field. */
export function readConfig(dir: string): ModelConfig {
  const file = path.join(dir, "config.json");
  const json = readJson(dir);
  for (const [field, value] of Object.entries(ARCHITECTURE))
    if (json[field] !== undefined && json[field] !== value)
      throw new Error(
        `${file}: ${field} is ${JSON.stringify(json[field])}; only ${JSON.stringify(value)} is supported: choose a model of GPT-2's architecture`,
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
  const eps = json.layer_norm_epsilon ?? 1e-5; // Hugging Face's default
  if (typeof eps !== "number" || !(eps > 0 && eps < 1))
    throw new Error(`${file}: layer_norm_epsilon is ${JSON.stringify(eps)}; a number between 0 and 1 is needed`);
  const tie_word_embeddings = json.tie_word_embeddings ?? true;
  if (typeof tie_word_embeddings !== "boolean")
    throw new Error(`${file}: tie_word_embeddings is ${JSON.stringify(tie_word_embeddings)}; true or false is needed`);
  return {
    name: nameOf(dir),
    n_layers: size("n_layer"),
    n_heads,
    d_model,
    d_head: d_model / n_heads,
    d_mlp: json.n_inner === undefined || json.n_inner === null ? 4 * d_model : size("n_inner"),
    n_ctx: size("n_positions", "n_ctx"),
    d_vocab: size("vocab_size"),
    eps,
    tie_word_embeddings,
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
  checkVocabSize(tokenizer, config.d_vocab, dir);
  return { model: loadWeights(dir, config, processed), tokenizer };
}

/**
 * The weights of a folder's model.safetensors. A processed model is read and processed part by part, so that little more than the result is
 * ever in memory.
 * @throws if the file is missing, damaged, or not that of a GPT-2 of these sizes; names the file and the tensor
 */
export function loadWeights(dir: string, config: ModelConfig, processed: boolean): Model {
  const file = path.join(dir, "model.safetensors");
  if (!existsSync(file))
    throw new Error(
      `${dir} has no model.safetensors: ${LAYOUT}. Other formats (pytorch_model.bin) become one with transformers' save_pretrained`,
    );
  const checkpoint = openSafetensors(file);
  try {
    return modelFromCheckpoint(config, checkpoint, { processed });
  } finally {
    checkpoint.close();
  }
}
