import * as tf from "@tensorflow/tfjs";
import { streamBefore } from "./hook-graph";
import { type BlockHook, type HookName, kindOf, layerOf } from "./hooks";
import type { Block, Model, ModelConfig, Tokens } from "./model";
import { attend, attention, attentionScores, gelu, layerNorm, linear, rows as rowsOf, scaled, scaleOf } from "./ops";
import type { Rows } from "./plan";
import { cut, handle, repeat } from "./slices";

/** What a hook is computed from. */
interface Inputs {
  /** Another hook's activation, after its edits, at these positions. */
  readonly get: (name: HookName, rows: Rows) => tf.Tensor;
  readonly model: Model;
  readonly tokens: Tokens;
  readonly offset: readonly number[] | undefined;
  /** The keys that queries at these rows can see. */
  readonly keys: (rows: Rows) => Rows;
  /** Not by way of the hooks that nobody looks at: see `atOnce` of the hook graph. */
  readonly atOnce: boolean;
  /** How often the prompts are repeated, one after the other. */
  readonly points: number;
}

interface InBlock extends Inputs {
  readonly block: Block;
  readonly layer: number;
  /** A hook of the same block. */
  readonly here: (kind: BlockHook, rows: Rows) => tf.Tensor;
}

const stream = (layer: number, rows: Rows, { get }: Inputs) =>
  streamBefore(layer)
    .map((name) => get(name, rows))
    .reduce((sum, x) => sum.add(x));

/** `[batch, pos, n_heads * d_head]` → `[batch, pos, head, d_head]` */
const byHead = (x: tf.Tensor, { config }: Model) => x.reshape([x.shape[0], x.shape[1]!, config.n_heads, config.d_head]);

/** Adds -∞ where a key comes after its query. */
function causalMask(queries: Rows, keys: number): tf.Tensor2D {
  const mask = new Float32Array(queries.length * keys);
  for (const [row, q] of queries.entries()) mask.fill(Number.NEGATIVE_INFINITY, row * keys + q + 1, (row + 1) * keys);
  return tf.tensor2d(mask, [queries.length, keys]);
}

/** `[batch, head, query_pos, key_pos]` over all keys; those that no query sees are not looked at. */
function attnScores(rows: Rows, { here, tokens, keys: seenBy }: InBlock): tf.Tensor {
  const [keys, length] = [seenBy(rows), tokens[0].length];
  const scores = attentionScores(here("attn.hook_q", rows), here("attn.hook_k", keys), causalMask(rows, keys.length));
  if (keys.length === length) return scores;
  const none = [0, 0] as [number, number];
  return tf.pad(scores, [none, none, none, [0, length - keys.length]], Number.NEGATIVE_INFINITY);
}

/** `[batch, pos, head, d_head]` */
function weightedValues(rows: Rows, { here, keys: seenBy, atOnce }: InBlock): tf.Tensor {
  const keys = seenBy(rows);
  const v = here("attn.hook_v", keys);
  if (atOnce)
    return attention({ q: here("attn.hook_q", rows), k: here("attn.hook_k", keys), v }, causalMask(rows, keys.length));
  const pattern = here("attn.hook_pattern", rows);
  return attend(pattern.shape[3] === keys.length ? pattern : pattern.slice([0, 0, 0, 0], [-1, -1, -1, keys.length]), v);
}

/** The stream that is read at a hook, normalised; with the layer norm's own gain and bias where they aren't part of other weights. */
function normalized(norm: "ln1" | "ln2", rows: Rows, { here, block, model, atOnce }: InBlock): tf.Tensor {
  const x = here(norm === "ln1" ? "hook_resid_pre" : "hook_mlp_in", rows);
  if (atOnce) return layerNorm(x, model.config.eps, block[norm]);
  return scaled(x, here(`${norm}.hook_scale`, rows), block[norm]);
}

/** A product with one of the model's own matrices. */
const weighted = (x: tf.Tensor, W: tf.Tensor2D, b: tf.Tensor1D) => linear(x, W, b, { lasting: true });

const project = (rows: Rows, { here, model }: InBlock, W: tf.Tensor2D, b: tf.Tensor1D) =>
  byHead(weighted(here("ln1.hook_normalized", rows), W, b), model);

/** The stream once for each head: `[batch, pos, head, d_model]`. Who reads it where nobody edits it reads the stream itself. */
const forEachHead = (rows: Rows, { here, model }: InBlock) =>
  tf.concat(Array<tf.Tensor>(model.config.n_heads).fill(here("hook_resid_pre", rows).expandDims(2)), 2);

/**
 * Queries, keys or values `[batch, pos, head, d_head]` of heads that don't read the stream but an input of their own
 * `[batch, pos, head, d_model]`: each by a layer norm of its own.
 */
export function projectOwn(
  kind: "q" | "k" | "v",
  input: tf.Tensor,
  block: Block,
  { eps, d_head }: ModelConfig,
): tf.Tensor {
  const [W, b] = { q: [block.W_Q, block.b_Q], k: [block.W_K, block.b_K], v: [block.W_V, block.b_V] }[kind] as [
    tf.Tensor2D,
    tf.Tensor1D,
  ];
  const read = layerNorm(input, eps, block.ln1);
  const heads = Array.from({ length: input.shape[2]! }, (_, head) =>
    linear(cut(read, 2, head, 1), cut(W, 1, head * d_head, d_head), cut(b, 0, head * d_head, d_head)),
  );
  return heads.length === 1 ? heads[0] : tf.concat(heads, 2);
}

function attnOut(rows: Rows, { here, block }: InBlock): tf.Tensor {
  const z = here("attn.hook_z", rows);
  return weighted(z.reshape([z.shape[0], z.shape[1]!, -1]), block.W_O, block.b_O);
}

const BLOCK_FORMULAS: Record<BlockHook, (rows: Rows, inputs: InBlock) => tf.Tensor> = {
  hook_resid_pre: (rows, inputs) => stream(inputs.layer, rows, inputs),
  hook_q_input: forEachHead,
  hook_k_input: forEachHead,
  hook_v_input: forEachHead,
  "ln1.hook_scale": (rows, { here, model }) => scaleOf(here("hook_resid_pre", rows), model.config.eps),
  "ln1.hook_normalized": (rows, inputs) => normalized("ln1", rows, inputs),
  "attn.hook_q": (rows, inputs) => project(rows, inputs, inputs.block.W_Q, inputs.block.b_Q),
  "attn.hook_k": (rows, inputs) => project(rows, inputs, inputs.block.W_K, inputs.block.b_K),
  "attn.hook_v": (rows, inputs) => project(rows, inputs, inputs.block.W_V, inputs.block.b_V),
  "attn.hook_attn_scores": attnScores,
  "attn.hook_pattern": (rows, { here }) => tf.softmax(here("attn.hook_attn_scores", rows)),
  "attn.hook_z": weightedValues,
  hook_attn_out: attnOut,
  hook_resid_mid: (rows, { here }) => here("hook_resid_pre", rows).add(here("hook_attn_out", rows)),
  hook_mlp_in: (rows, { here }) => handle(here("hook_resid_mid", rows)),
  "ln2.hook_scale": (rows, { here, model }) => scaleOf(here("hook_mlp_in", rows), model.config.eps),
  "ln2.hook_normalized": (rows, inputs) => normalized("ln2", rows, inputs),
  "mlp.hook_pre": (rows, { here, block }) => weighted(here("ln2.hook_normalized", rows), block.W_in, block.b_in),
  "mlp.hook_post": (rows, { here }) => gelu(here("mlp.hook_pre", rows)),
  hook_mlp_out: (rows, { here, block }) => weighted(here("mlp.hook_post", rows), block.W_out, block.b_out),
  hook_resid_post: (rows, { here }) => here("hook_resid_mid", rows).add(here("hook_mlp_out", rows)),
};

const int = (ids: readonly (readonly number[])[]) => tf.tensor2d(ids as number[][], undefined, "int32");

const embedding = (rows: Rows, { model, tokens, points }: Inputs) =>
  repeat(rowsOf(model.W_E, int(tokens.map((ids) => rows.map((r) => ids[r])))), points);

/** `offset` moves each prompt's first position. */
function positionEmbedding(rows: Rows, { model, tokens, offset, points }: Inputs): tf.Tensor {
  if (offset) return repeat(rowsOf(model.W_pos, int(offset.map((o) => rows.map((r) => o + r)))), points);
  return repeat(rowsOf(model.W_pos, int([rows])), tokens.length * points);
}

/**
 * Beyond about 1e19 an activation's square is no float32 any more: its scale is infinite, the normalised stream 0, and the model would
 * say the same of every prompt. What is not a number reaches the logits, where it is refused by who reads them.
 */
function checkScale(scale: tf.Tensor, { tokens, model }: Inputs): tf.Tensor {
  const row = scale.dataSync().indexOf(Number.POSITIVE_INFINITY);
  if (row < 0) return scale;
  const prompt = Math.floor(row / scale.shape[1]!) % tokens.length;
  throw new RangeError(
    `prompt ${prompt}: what ${model.config.name}'s layers add up to is too large for float32, so its logits say nothing; look at its weights and at what is patched in`,
  );
}

/** A hook's activation at these positions, before its edits: the model's mathematics, one formula a hook. */
export function formula(name: HookName, rows: Rows, inputs: Inputs): tf.Tensor {
  const { get, model } = inputs;
  const { n_layers, eps } = model.config;
  switch (name) {
    case "hook_embed":
      return embedding(rows, inputs);
    case "hook_pos_embed":
      return positionEmbedding(rows, inputs);
    case "ln_final.hook_scale":
      return scaleOf(stream(n_layers, rows, inputs), eps);
    case "ln_final.hook_normalized":
      return scaled(
        stream(n_layers, rows, inputs),
        checkScale(get("ln_final.hook_scale", rows), inputs),
        model.ln_final,
      );
    default: {
      const layer = layerOf(name);
      const here = (kind: BlockHook, at: Rows) => get(`blocks.${layer}.${kind}`, at);
      return BLOCK_FORMULAS[kindOf(name) as BlockHook](rows, { ...inputs, layer, here, block: model.blocks[layer] });
    }
  }
}
