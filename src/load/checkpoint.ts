import * as tf from "@tensorflow/tfjs";
import type { Block, LayerNorm, Model, ModelConfig } from "../model/model";
import { quote } from "./header-reader";
import type { Checkpoint } from "./safetensors";

/** GPT-2's tensors in Hugging Face's layout, by layer; `$` stands for the layer's number. */
const BLOCK_TENSORS = {
  "h.$.ln_1.weight": (c: ModelConfig) => [c.d_model],
  "h.$.ln_1.bias": (c: ModelConfig) => [c.d_model],
  "h.$.attn.c_attn.weight": (c: ModelConfig) => [c.d_model, 3 * c.n_heads * c.d_head],
  "h.$.attn.c_attn.bias": (c: ModelConfig) => [3 * c.n_heads * c.d_head],
  "h.$.attn.c_proj.weight": (c: ModelConfig) => [c.n_heads * c.d_head, c.d_model],
  "h.$.attn.c_proj.bias": (c: ModelConfig) => [c.d_model],
  "h.$.ln_2.weight": (c: ModelConfig) => [c.d_model],
  "h.$.ln_2.bias": (c: ModelConfig) => [c.d_model],
  "h.$.mlp.c_fc.weight": (c: ModelConfig) => [c.d_model, c.d_mlp],
  "h.$.mlp.c_fc.bias": (c: ModelConfig) => [c.d_mlp],
  "h.$.mlp.c_proj.weight": (c: ModelConfig) => [c.d_mlp, c.d_model],
  "h.$.mlp.c_proj.bias": (c: ModelConfig) => [c.d_model],
};

const isTied = (config: ModelConfig) => config.tie_word_embeddings !== false;

/** Name and shape of every tensor of a checkpoint; `lm_head.weight` only where it is not tied to `wte.weight`. */
export function checkpointShapes(config: ModelConfig): Map<string, number[]> {
  const blocks = Array.from({ length: config.n_layers }, (_, layer) =>
    Object.entries(BLOCK_TENSORS).map(([name, shape]) => [name.replace("$", `${layer}`), shape(config)] as const),
  );
  const unembedding: [string, number[]][] = isTied(config)
    ? []
    : [["lm_head.weight", [config.d_vocab, config.d_model]]];
  return new Map<string, number[]>([
    ["wte.weight", [config.d_vocab, config.d_model]],
    ["wpe.weight", [config.n_ctx, config.d_model]],
    ...blocks.flat(),
    ["ln_f.weight", [config.d_model]],
    ["ln_f.bias", [config.d_model]],
    ...unembedding,
  ]);
}

/** Gives the tensor of that name in Hugging Face's spelling without the prefix `transformer.`. */
export type TensorSource = (name: string) => tf.Tensor;

/** The parts before and after the blocks. */
export type Ends = Omit<Model, "config" | "blocks">;

function readNorm(get: TensorSource, name: string): LayerNorm {
  return { w: get(`${name}.weight`) as tf.Tensor1D, b: get(`${name}.bias`) as tf.Tensor1D };
}

/** GPT-2 stores the three side by side; apart, each is computed only where it is needed. */
function queriesKeysValues(W: tf.Tensor, b: tf.Tensor) {
  const [W_Q, W_K, W_V] = tf.split(W, 3, 1) as tf.Tensor2D[];
  const [b_Q, b_K, b_V] = tf.split(b, 3) as tf.Tensor1D[];
  return { W_Q, W_K, W_V, b_Q, b_K, b_V };
}

/** One layer's weights as they are stored. */
export function readBlock(get: TensorSource, l: number): Block {
  return {
    ln1: readNorm(get, `h.${l}.ln_1`),
    ...queriesKeysValues(get(`h.${l}.attn.c_attn.weight`), get(`h.${l}.attn.c_attn.bias`)),
    W_O: get(`h.${l}.attn.c_proj.weight`) as tf.Tensor2D,
    b_O: get(`h.${l}.attn.c_proj.bias`) as tf.Tensor1D,
    ln2: readNorm(get, `h.${l}.ln_2`),
    W_in: get(`h.${l}.mlp.c_fc.weight`) as tf.Tensor2D,
    b_in: get(`h.${l}.mlp.c_fc.bias`) as tf.Tensor1D,
    W_out: get(`h.${l}.mlp.c_proj.weight`) as tf.Tensor2D,
    b_out: get(`h.${l}.mlp.c_proj.bias`) as tf.Tensor1D,
  };
}

/** The rest, as it is stored. */
export function readEnds(get: TensorSource, config: ModelConfig): Ends {
  const W_E = get("wte.weight") as tf.Tensor2D;
  const unembedding = isTied(config) ? W_E : get("lm_head.weight"); // [d_vocab, d_model]
  return {
    W_E,
    W_pos: get("wpe.weight") as tf.Tensor2D,
    ln_final: readNorm(get, "ln_f"),
    W_U: unembedding.transpose() as tf.Tensor2D,
    b_U: tf.zeros([config.d_vocab]),
  };
}

/** GPT-2's mask buffers, constants that some writers store beside the weights. */
const isMask = (name: string) => /^h\.\d+\.attn\.(masked_)?bias$/.test(name);

/** Heads that classes made of GPT-2 put on it beside `lm_head`: they read its last residual stream, which they don't change. */
const isOtherHead = (name: string) =>
  /^(score|classifier|regressor|cls|qa_outputs|summary|sequence_summary|(?!lm_head)\w*heads?)\./.test(name);

/** Every GPT-2 has this tensor, and no head on it: what stands before its name stands before all of GPT-2's. */
const ANCHOR = "wpe.weight";

/**
 * Names without what wrappers (`module.`, `_orig_mod.`, `model.`) and classes with a head on it (`transformer.`) put before GPT-2's own; a head
 * stands beside `transformer.`, within the wrappers or without them.
 */
function ownNames(names: readonly string[]): (name: string) => string {
  const anchor = names.find((name) => `.${name}`.endsWith(`.${ANCHOR}`)) ?? `transformer.${ANCHOR}`;
  const inner = anchor.slice(0, -ANCHOR.length);
  const outer = inner.replace(/[^.]+\.$/, "");
  return (name) => name.slice(([inner, outer].find((prefix) => name.startsWith(prefix)) ?? "").length);
}

/** What a checkpoint calls GPT-2's tensors: own name → stored name. */
function storedNames({ file, names }: Checkpoint, config: ModelConfig): Map<string, string> {
  const ownName = ownNames(names);
  const stored = new Map(names.map((name) => [ownName(name), name]));
  if (stored.size < names.length)
    throw new Error(`${file} has a tensor twice, with and without a prefix such as "transformer."`);
  // one table under two names is stored once, and some writers keep the second
  const head = stored.get("lm_head.weight");
  if (head !== undefined && isTied(config) && !stored.has("wte.weight")) stored.set("wte.weight", head);
  return stored;
}

/**
 * The tensors of a checkpoint in Hugging Face's layout, each read when it is asked for, with or without prefixes such as
 * `transformer.` in its names. Not read, as there: GPT-2's mask buffers (`h.N.attn.bias`), heads of other tasks (`score.weight`), and `lm_head.weight` where it is
 * tied to `wte.weight`, unless it is the only one of the two.
 * Throws on missing or unknown tensors and wrong shapes at once; on a dtype that can't be read and values that aren't finite when that
 *   tensor is asked for. The file and the tensor are named.
 */
export function checkpointTensors(config: ModelConfig, checkpoint: Checkpoint): TensorSource {
  const { file, names } = checkpoint;
  const stored = storedNames(checkpoint, config);
  // before a list of that length is made
  if (names.length < config.n_layers)
    throw new Error(
      `${file} has ${names.length} tensors, too few for config.json's n_layer ${config.n_layers}: ${TOGETHER}`,
    );
  const shapes = checkpointShapes(config);
  if (stored.has("lm_head.weight")) shapes.set("lm_head.weight", [config.d_vocab, config.d_model]);
  for (const [name, shape] of shapes) {
    const found = stored.get(name);
    if (found === undefined)
      throw new Error(`${file} lacks the tensor "${name}", which config.json calls for: ${TOGETHER}`);
    const actual = checkpoint.shape(found);
    if (`${actual}` !== `${shape}`)
      throw new Error(
        `${checkpoint.fileOf(found)}: "${name}" is [${actual}], config.json wants [${shape}]: ${`${actual}` === `${[...shape].reverse()}` ? TURNED : TOGETHER}`,
      );
  }
  const unknown = [...stored.keys()].filter((name) => !shapes.has(name) && !isMask(name) && !isOtherHead(name));
  if (unknown.length > 0)
    throw new Error(
      `${file} has ${unknown.length} tensors that a GPT-2 of config.json's sizes has not (${unknown.slice(0, 5).map(quote).join(", ")}): ${TOGETHER}; what else they would compute is not known here`,
    );
  return (name) => readFinite(checkpoint, stored.get(name)!);
}

const TOGETHER = "take both files from the same GPT-2 model";
const TURNED =
  "it is stored [out, in], as torch's Linear has it, and GPT-2's Conv1D has [in, out]: transpose the weights of c_attn, c_proj and c_fc";

function readFinite(checkpoint: Checkpoint, name: string): tf.Tensor {
  const { shape, values } = checkpoint.read(name);
  const bad = firstNotFinite(values);
  if (bad >= 0)
    throw new Error(
      `${checkpoint.fileOf(name)}: "${name}" holds ${values[bad]} at ${bad}, weights must be finite: the file is damaged or its training diverged; fetch it again`,
    );
  return tf.tensor(values, shape as number[]);
}

/** A plain loop: a callback for each of 10^8 values would take seconds. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}
