import * as tf from "@tensorflow/tfjs";
import { streamBefore } from "./hook-graph";
import { type BlockHook, type HookName, kindOf, layerOf } from "./hooks";
import type { Block, LayerNorm, Model, Tokens } from "./model";
import { gelu, linear, rows as rowsOf } from "./ops";
import { type Rows, upTo } from "./plan";
import { repeat } from "./slices";

/** What a hook is computed from. */
interface Inputs {
  /** Another hook's activation, after its edits, at these positions. */
  readonly get: (name: HookName, rows: Rows) => tf.Tensor;
  readonly model: Model;
  readonly tokens: Tokens;
  readonly offset: readonly number[] | undefined;
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

const centred = (x: tf.Tensor) => x.sub(x.mean(-1, true));
const scaleOf = (x: tf.Tensor, eps: number) => centred(x).square().mean(-1, true).add(eps).sqrt();
const normalized = (x: tf.Tensor, scale: tf.Tensor, ln: LayerNorm | null) => {
  const out = centred(x).div(scale);
  return ln ? out.mul(ln.w).add(ln.b) : out;
};

/** `[batch, pos, n_heads * d_head]` → `[batch, pos, head, d_head]` */
const byHead = (x: tf.Tensor, { config }: Model) => x.reshape([x.shape[0], x.shape[1]!, config.n_heads, config.d_head]);

/** Adds -∞ where a key comes after its query. */
const causalMask = (queries: Rows, keys: number) =>
  tf.tensor2d(queries.map((q) => Array.from({ length: keys }, (_, k) => (k > q ? Number.NEGATIVE_INFINITY : 0))));

const upToLast = (rows: Rows) => upTo(rows.at(-1)!);

/** `[batch, head, query_pos, key_pos]` over all keys; those after the last query are not looked at. */
function attnScores(rows: Rows, { here, model, tokens }: InBlock): tf.Tensor {
  const q = here("attn.hook_q", rows).transpose([0, 2, 1, 3]);
  const k = here("attn.hook_k", upToLast(rows)).transpose([0, 2, 3, 1]);
  const [keys, length] = [k.shape[3]!, tokens[0].length];
  const scores = tf.matMul(q, k).div(Math.sqrt(model.config.d_head)).add(causalMask(rows, keys));
  if (keys === length) return scores;
  const none = [0, 0] as [number, number];
  return tf.pad(scores, [none, none, none, [0, length - keys]], Number.NEGATIVE_INFINITY);
}

/** `[batch, pos, head, d_head]` */
function weightedValues(rows: Rows, { here }: InBlock): tf.Tensor {
  const v = here("attn.hook_v", upToLast(rows)).transpose([0, 2, 1, 3]);
  const pattern = here("attn.hook_pattern", rows);
  const seen = pattern.shape[3] === v.shape[2] ? pattern : pattern.slice([0, 0, 0, 0], [-1, -1, -1, v.shape[2]!]);
  return tf.matMul(seen, v).transpose([0, 2, 1, 3]);
}

/** A product with one of the model's own matrices. */
const weighted = (x: tf.Tensor, W: tf.Tensor2D, b: tf.Tensor1D) => linear(x, W, b, { lasting: true });

const project = (rows: Rows, { here, model }: InBlock, W: tf.Tensor2D, b: tf.Tensor1D) =>
  byHead(weighted(here("ln1.hook_normalized", rows), W, b), model);

function attnOut(rows: Rows, { here, block }: InBlock): tf.Tensor {
  const z = here("attn.hook_z", rows);
  return weighted(z.reshape([z.shape[0], z.shape[1]!, -1]), block.W_O, block.b_O);
}

const BLOCK_FORMULAS: Record<BlockHook, (rows: Rows, inputs: InBlock) => tf.Tensor> = {
  hook_resid_pre: (rows, inputs) => stream(inputs.layer, rows, inputs),
  "ln1.hook_scale": (rows, { here, model }) => scaleOf(here("hook_resid_pre", rows), model.config.eps),
  "ln1.hook_normalized": (rows, { here, block }) =>
    normalized(here("hook_resid_pre", rows), here("ln1.hook_scale", rows), block.ln1),
  "attn.hook_q": (rows, inputs) => project(rows, inputs, inputs.block.W_Q, inputs.block.b_Q),
  "attn.hook_k": (rows, inputs) => project(rows, inputs, inputs.block.W_K, inputs.block.b_K),
  "attn.hook_v": (rows, inputs) => project(rows, inputs, inputs.block.W_V, inputs.block.b_V),
  "attn.hook_attn_scores": attnScores,
  "attn.hook_pattern": (rows, { here }) => tf.softmax(here("attn.hook_attn_scores", rows)),
  "attn.hook_z": weightedValues,
  hook_attn_out: attnOut,
  hook_resid_mid: (rows, { here }) => here("hook_resid_pre", rows).add(here("hook_attn_out", rows)),
  "ln2.hook_scale": (rows, { here, model }) => scaleOf(here("hook_resid_mid", rows), model.config.eps),
  "ln2.hook_normalized": (rows, { here, block }) =>
    normalized(here("hook_resid_mid", rows), here("ln2.hook_scale", rows), block.ln2),
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
      return normalized(
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
