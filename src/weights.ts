import * as tf from "@tensorflow/tfjs";
import type { HeadId } from "./hooks";
import type { Block, LayerNorm, Model, ModelConfig } from "./model";
import { random } from "./random";
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

/** Name and shape of every tensor of a checkpoint (without the optional `lm_head.weight`). */
export function checkpointShapes(config: ModelConfig): Map<string, number[]> {
  const blocks = Array.from({ length: config.n_layers }, (_, layer) =>
    Object.entries(BLOCK_TENSORS).map(([name, shape]) => [name.replace("$", `${layer}`), shape(config)] as const),
  );
  return new Map<string, number[]>([
    ["wte.weight", [config.d_vocab, config.d_model]],
    ["wpe.weight", [config.n_ctx, config.d_model]],
    ...blocks.flat(),
    ["ln_f.weight", [config.d_model]],
    ["ln_f.bias", [config.d_model]],
  ]);
}

/** Gives the tensor of that name in Hugging Face's spelling without the prefix `transformer.`. */
export type TensorSource = (name: string) => tf.Tensor;

/** GPT-2 stores the three side by side; apart, each is computed only where it is needed. */
function queriesKeysValues(W: tf.Tensor, b: tf.Tensor) {
  const [W_Q, W_K, W_V] = tf.split(W, 3, 1) as tf.Tensor2D[];
  const [b_Q, b_K, b_V] = tf.split(b, 3) as tf.Tensor1D[];
  return { W_Q, W_K, W_V, b_Q, b_K, b_V };
}

/** A model from named tensors, in TransformerLens's terms; nothing folded. `unembedding`: only where it isn't tied to `wte`. */
export function modelFromTensors(config: ModelConfig, get: TensorSource, unembedding?: tf.Tensor): Model {
  const norm = (name: string): LayerNorm => ({
    w: get(`${name}.weight`) as tf.Tensor1D,
    b: get(`${name}.bias`) as tf.Tensor1D,
  });
  const block = (l: number): Block => ({
    ln1: norm(`h.${l}.ln_1`),
    ...queriesKeysValues(get(`h.${l}.attn.c_attn.weight`), get(`h.${l}.attn.c_attn.bias`)),
    W_O: get(`h.${l}.attn.c_proj.weight`) as tf.Tensor2D,
    b_O: get(`h.${l}.attn.c_proj.bias`) as tf.Tensor1D,
    ln2: norm(`h.${l}.ln_2`),
    W_in: get(`h.${l}.mlp.c_fc.weight`) as tf.Tensor2D,
    b_in: get(`h.${l}.mlp.c_fc.bias`) as tf.Tensor1D,
    W_out: get(`h.${l}.mlp.c_proj.weight`) as tf.Tensor2D,
    b_out: get(`h.${l}.mlp.c_proj.bias`) as tf.Tensor1D,
  });
  const W_E = get("wte.weight") as tf.Tensor2D;
  return {
    config,
    W_E,
    W_pos: get("wpe.weight") as tf.Tensor2D,
    blocks: Array.from({ length: config.n_layers }, (_, l) => block(l)),
    ln_final: norm("ln_f"),
    W_U: (unembedding ?? W_E).transpose() as tf.Tensor2D,
    b_U: tf.zeros([config.d_vocab]),
  };
}

/**
 * A model from a checkpoint in Hugging Face's layout, with or without the prefix `transformer.` in its names.
 * GPT-2's mask buffers (`h.N.attn.bias`) are ignored.
 * @throws on missing or unknown tensors, wrong shapes, and values that aren't finite; each is named.
 */
export function modelFromCheckpoint(config: ModelConfig, checkpoint: Checkpoint): Model {
  const stored = new Map(checkpoint.names.map((name) => [name.replace(/^transformer\./, ""), name]));
  const shapes = checkpointShapes(config);
  if (stored.has("lm_head.weight")) shapes.set("lm_head.weight", [config.d_vocab, config.d_model]);
  for (const [name, shape] of shapes) {
    const found = stored.get(name);
    if (found === undefined) throw new Error(`${config.name} lacks the tensor "${name}"`);
    const actual = checkpoint.shape(found);
    if (`${actual}` !== `${shape}`)
      throw new Error(`${config.name}: "${name}" is [${actual}], config.json wants [${shape}]`);
  }
  const unknown = [...stored.keys()].filter(
    (name) => !shapes.has(name) && !/^h\.\d+\.attn\.(masked_)?bias$/.test(name),
  );
  if (unknown.length > 0)
    throw new Error(`${config.name} has tensors GPT-2 has not: ${unknown.slice(0, 5).join(", ")}`);
  const get: TensorSource = (name) => {
    const { shape, values } = checkpoint.read(stored.get(name)!);
    const bad = values.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new Error(`${config.name}: "${name}" holds ${values[bad]} at ${bad}; the file is damaged`);
    return tf.tensor(values, shape as number[]);
  };
  const tied = !stored.has("lm_head.weight");
  return tf.tidy(() => modelFromTensors(config, get, tied ? undefined : get("lm_head.weight")) as never) as Model;
}

/** A model of random weights; for tests and benchmarks. `scale`: standard deviation of matrices times √(their rows). */
export function randomModel(config: ModelConfig, seed: number, scale = 1.2): Model {
  const { normal } = random(seed);
  const shapes = checkpointShapes(config);
  const get: TensorSource = (name) => {
    const shape = shapes.get(name)!;
    const mean = /ln_\w+\.weight$/.test(name) ? 1 : 0;
    const std = shape.length === 1 ? 0.15 : /^w[tp]e/.test(name) ? 0.5 : scale / Math.sqrt(shape[0]);
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => mean + std * normal());
    return tf.tensor(values, shape);
  };
  return tf.tidy(() => modelFromTensors(config, get) as never) as Model;
}

/** A change of a model's weights; the given model stays as it is and the result shares no tensor with it. */
type Processing = (model: Model) => Model;

const processing =
  (change: (model: Model) => Partial<Model>): Processing =>
  (model) =>
    tf.tidy(() => clone({ ...model, ...change(model) }) as never) as Model;

/** Tensors are immutable: a clone is another handle on the same values. */
function clone<T>(value: T): T {
  if (value instanceof tf.Tensor) return value.clone() as T;
  if (Array.isArray(value)) return value.map(clone) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, clone(v)])) as T;
}

const centred = <T extends tf.Tensor>(x: T, axis: number): T => x.sub(x.mean(axis, true));

/** A layer norm's gain and bias moved into the weights that read from it; these are then centred over d_model. */
function fold(ln: LayerNorm | null, W: tf.Tensor2D, b: tf.Tensor1D): [tf.Tensor2D, tf.Tensor1D] {
  if (!ln) return [W, b];
  return [centred(W.mul<tf.Tensor2D>(ln.w.expandDims(1)), 0), b.add(W.mul(ln.b.expandDims(1)).sum(0))];
}

/** TransformerLens's `fold_ln`: layer norms only centre and scale afterwards. */
export const foldLayerNorm: Processing = processing(({ blocks, ln_final, W_U, b_U }) => {
  const [W, b] = fold(ln_final, W_U, b_U);
  return {
    ln_final: null,
    W_U: W,
    b_U: b,
    blocks: blocks.map((block) => {
      const [W_Q, b_Q] = fold(block.ln1, block.W_Q, block.b_Q);
      const [W_K, b_K] = fold(block.ln1, block.W_K, block.b_K);
      const [W_V, b_V] = fold(block.ln1, block.W_V, block.b_V);
      const [W_in, b_in] = fold(block.ln2, block.W_in, block.b_in);
      return { ...block, ln1: null, W_Q, W_K, W_V, b_Q, b_K, b_V, ln2: null, W_in, b_in };
    }),
  };
});

/** TransformerLens's `center_writing_weights`: what is written to the residual stream has mean 0 over d_model. */
export const centerWritingWeights: Processing = processing(({ W_E, W_pos, blocks }) => ({
  W_E: centred(W_E, -1),
  W_pos: centred(W_pos, -1),
  blocks: blocks.map((block) => ({
    ...block,
    W_O: centred(block.W_O, -1),
    b_O: centred(block.b_O, -1),
    W_out: centred(block.W_out, -1),
    b_out: centred(block.b_out, -1),
  })),
}));

/** TransformerLens's `center_unembed`: logits have mean 0 over the vocabulary. */
export const centerUnembed: Processing = processing(({ W_U, b_U }) => ({
  W_U: centred(W_U, -1),
  b_U: centred(b_U, -1),
}));

/** TransformerLens's `fold_value_biases`: attention rows sum to 1, so a value bias acts like an output bias. */
export const foldValueBiases: Processing = processing(({ blocks }) => ({
  blocks: blocks.map((block) => {
    const b_O = block.b_O.add<tf.Tensor1D>(tf.matMul(block.b_V.expandDims(0), block.W_O).squeeze([0]));
    return { ...block, b_O, b_V: tf.zerosLike(block.b_V) };
  }),
}));

/** All of TransformerLens's processing that the paper's code asks for, in its order. Behaviour stays the same; logits are centred. */
export const processWeights: Processing = (model) =>
  tf.tidy(() => foldValueBiases(centerUnembed(centerWritingWeights(foldLayerNorm(model)))) as never) as Model;

/** @throws if layer norms aren't folded, so that reading weights alone would miss their gains */
export function checkProcessed({ config, ln_final }: Model): void {
  if (ln_final !== null)
    throw new Error(`${config.name} is not processed; load it with loadModel(id, { processed: true })`);
}

/** @throws RangeError if the model has no such head, naming those it has */
export function checkHead({ n_layers, n_heads }: ModelConfig, { layer, head }: HeadId): void {
  const isIn = (value: number, count: number) => Number.isInteger(value) && value >= 0 && value < count;
  if (!isIn(layer, n_layers) || !isIn(head, n_heads))
    throw new RangeError(`no head ${layer}.${head}; layers are 0 … ${n_layers - 1}, heads 0 … ${n_heads - 1}`);
}

/** One head's weights. @throws if the model has no such head. */
export function headWeights({ config, blocks }: Model, { layer, head }: HeadId) {
  checkHead(config, { layer, head });
  const { d_model, d_head } = config;
  const { W_Q, W_K, W_V, b_Q, b_K, b_V, W_O } = blocks[layer];
  return tf.tidy(() => {
    const columns = (W: tf.Tensor2D) => W.slice([0, head * d_head], [d_model, d_head]);
    const part = (b: tf.Tensor1D) => b.slice(head * d_head, d_head);
    return {
      W_Q: columns(W_Q), // [d_model, d_head]
      W_K: columns(W_K),
      W_V: columns(W_V),
      W_O: W_O.slice([head * d_head, 0], [d_head, d_model]), // [d_head, d_model]
      b_Q: part(b_Q), // [d_head]
      b_K: part(b_K),
      b_V: part(b_V),
    };
  });
}
