import { initBackend } from "../model/backend/choose";
import type { Model, ModelConfig } from "../model/model";
import { readConfig } from "./config-file";
import { requireFile } from "./folder";
import type { LoadedModel } from "./from-bytes";
import { modelFromCheckpoint } from "./process";
import { resolveModel } from "./resolve";
import { loadTokenizer } from "./vocabulary-files";
import { openWeights, WEIGHTS, WEIGHTS_INDEX } from "./weight-files";

export { readConfig } from "./config-file";

export type { LoadedModel } from "./from-bytes";

/**
 * Loads a model and its tokenizer, and starts the tfjs backend.
 * Throws if the folder lacks a file or a file is damaged or of another architecture.
 * @param id see `resolveModel`
 * @param options `processed`: apply TransformerLens's weight processing, as the paper does (default true)
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * console.log(model.config.n_layers, model.config.n_heads); // → 4 4
 * console.log(tokenizer.encode(" Kite").length); // → 2
 * ```
 */
export async function loadModel(id?: string, { processed = true } = {}): Promise<LoadedModel> {
  await initBackend();
  const dir = await resolveModel(id);
  const config = readConfig(dir);
  const tokenizer = loadTokenizer(dir, config.d_vocab);
  return { model: loadWeights(dir, config, processed), tokenizer };
}

/**
 * The weights of a folder: its model.safetensors, or the parts that model.safetensors.index.json names. A processed model is read and
 * processed part by part, so that little more than the result is ever in memory.
 * Throws if a file is missing, damaged, or not that of a GPT-2 of these sizes; names the file and the tensor.
 */
export function loadWeights(dir: string, config: ModelConfig, processed: boolean): Model {
  requireFile(dir, WEIGHTS, WEIGHTS_INDEX);
  const checkpoint = openWeights(dir);
  try {
    return modelFromCheckpoint(config, checkpoint, { processed });
  } finally {
    checkpoint.close();
  }
}
