import * as tf from "@tensorflow/tfjs";
import { type Activation, type ActivationCache, applyEdit, axesOf, type HookName } from "./hooks";
import type { Block, ForwardOptions, LayerNorm, Model, ModelConfig, Run, Tokens } from "./model";
import { gelu, linear, rows } from "./ops";
import { makePlan, type Plan, shiftEdit } from "./plan";

/**
 * Runs the model once.
 * @throws on ragged or empty tokens, ids outside the vocabulary, more positions than n_ctx, edits that don't fit
 *   their hook, or a `from` of other tokens, another model or with interventions.
 */
export function forward(model: Model, tokens: Tokens, options: ForwardOptions = {}): Run {
  const { interventions = [], offset } = options;
  checkTokens(model.config, tokens, offset);
  const plan = makePlan(model, tokens, options);
  const { logits, cache } = tf.tidy(() => compute(model, tokens, options, plan));
  const computedFrom = { layer: plan.layer, pos: plan.pos };
  return { model, tokens, interventions, offset, logits, cache: strictCache(cache), computedFrom };
}

function checkTokens({ n_ctx, d_vocab, name }: ModelConfig, tokens: Tokens, offset?: readonly number[]): void {
  if (tokens.length === 0 || tokens[0].length === 0) throw new Error("tokens are empty; give at least one prompt");
  const length = tokens[0].length;
  tokens.forEach((row, i) => {
    if (row.length !== length)
      throw new Error(`prompt ${i} has ${row.length} tokens, prompt 0 has ${length}; all must have one length`);
    const bad = row.find((id) => !Number.isInteger(id) || id < 0 || id >= d_vocab);
    if (bad !== undefined) throw new RangeError(`prompt ${i}: token ${bad} is not in ${name}'s 0 … ${d_vocab - 1}`);
  });
  if (offset && offset.length !== tokens.length)
    throw new Error(`${offset.length} offsets for ${tokens.length} prompts; give one for each`);
  const end = length + Math.max(0, ...(offset ?? []));
  if (end > n_ctx) throw new RangeError(`${end} positions are needed, ${name} has ${n_ctx}`);
}

function strictCache(kept: Record<string, tf.Tensor>): ActivationCache {
  return new Proxy(kept, {
    get(target, name) {
      if (typeof name === "string" && name.includes("hook_") && !(name in target))
        throw new Error(`"${name}" was not kept by this run; name it in forward's \`keep\``);
      return Reflect.get(target, name);
    },
  }) as unknown as ActivationCache;
}

/** Gives each activation its edits, keeps it if asked to, and hands it on. */
type At = <N extends HookName>(name: N, activation: tf.Tensor) => Activation<N>;

/** What the parts of one forward share. `pos` … `length` are the positions computed. */
interface Context {
  readonly model: Model;
  readonly batch: number;
  readonly length: number;
  readonly pos: number;
  readonly at: At;
  /** The activation with the positions before `pos`, which are as in `from`. */
  readonly withEarlier: (name: HookName, activation: tf.Tensor) => tf.Tensor;
  readonly mask: tf.Tensor2D;
}

const posAxis = (name: HookName) => (axesOf(name).includes("query_pos") ? 2 : 1);

function compute(model: Model, tokens: Tokens, options: ForwardOptions, plan: Plan) {
  const { pos, from, edits, keeps } = plan;
  const [batch, length] = [tokens.length, tokens[0].length];
  const cache: Record<string, tf.Tensor> = {};
  for (const name of plan.keptBefore) cache[name] = (from!.cache[name] as tf.Tensor).clone();

  const withEarlier = (name: HookName, activation: tf.Tensor) => {
    if (pos === 0) return activation;
    const axis = posAxis(name);
    const earlier = from!.cache[name] as tf.Tensor;
    const size = earlier.shape.map((n, d) => (d === axis ? pos : n));
    const begin = size.map(() => 0);
    return tf.concat([earlier.slice(begin, size), activation], axis);
  };
  const at: At = <N extends HookName>(name: N, activation: tf.Tensor) => {
    let out = activation;
    for (const edit of edits.get(name) ?? []) {
      if (edit.change && pos > 0) {
        const whole = applyEdit(withEarlier(name, out), edit);
        out = whole.slice(whole.shape.map((_, d) => (d === posAxis(name) ? pos : 0)));
      } else out = applyEdit(out, shiftEdit(edit, pos, posAxis(name)));
    }
    if (keeps(name)) cache[name] = withEarlier(name, out);
    return out as Activation<N>;
  };

  const context = { model, batch, length, pos, at, withEarlier, mask: causalMask(pos, length) };
  let resid = plan.start
    ? (from!.cache[plan.start] as tf.Tensor).slice([0, pos])
    : embed(context, tokens, options.offset);
  for (let layer = Math.max(plan.layer, 0); layer < plan.end; layer++) resid = runBlock(context, layer, resid);
  if (options.readout === "none" && !keeps("ln_final.hook_scale") && !keeps("ln_final.hook_normalized"))
    return { logits: tf.zeros<tf.Rank.R3>([batch, 0, 0]), cache };
  return { logits: unembed(context, resid, options.readout ?? "all"), cache };
}

function embed({ model, batch, length, pos, at }: Context, tokens: Tokens, offset?: readonly number[]): tf.Tensor {
  const int = (ids: Tokens) => tf.tensor2d(ids as number[][], [batch, length], "int32");
  const embedded = at("hook_embed", rows(model.W_E, int(tokens)).slice([0, pos]));
  const positions = offset
    ? rows(model.W_pos, int(offset.map((o) => Array.from({ length }, (_, i) => o + i))))
    : model.W_pos.slice(0, length).expandDims(0).tile([batch, 1, 1]);
  return embedded.add(at("hook_pos_embed", positions.slice([0, pos])));
}

/** Adds -∞ where a key comes after its query; the first query is at position `pos`. */
function causalMask(pos: number, length: number): tf.Tensor2D {
  const row = (query: number) => Array.from({ length }, (_, key) => (key > query ? Number.NEGATIVE_INFINITY : 0));
  return tf.tensor2d(Array.from({ length: length - pos }, (_, i) => row(i + pos)));
}

function runBlock(context: Context, layer: number, input: tf.Tensor): tf.Tensor {
  const { at } = context;
  const block = context.model.blocks[layer];
  const pre = at(`blocks.${layer}.hook_resid_pre`, input);
  const attn_out = attention(context, layer, block, layerNorm(context, `blocks.${layer}.ln1`, pre, block.ln1));
  const mid = at(`blocks.${layer}.hook_resid_mid`, pre.add(attn_out));
  const mlp_out = mlp(context, layer, block, layerNorm(context, `blocks.${layer}.ln2`, mid, block.ln2));
  return at(`blocks.${layer}.hook_resid_post`, mid.add(mlp_out));
}

type LayerNormName = "ln_final" | `blocks.${number}.ln${1 | 2}`;

function layerNorm({ at, model }: Context, name: LayerNormName, x: tf.Tensor, weights: LayerNorm | null): tf.Tensor {
  const hook = (what: "scale" | "normalized") => `${name}.hook_${what}` as HookName;
  const centred = x.sub(x.mean(-1, true));
  const scale = at(hook("scale"), centred.square().mean(-1, true).add(model.config.eps).sqrt());
  const normalized = centred.div(scale);
  return at(hook("normalized"), weights ? normalized.mul(weights.w).add(weights.b) : normalized);
}

/** `[batch, pos, head, d_head]` ↔ `[batch, head, pos, d_head]` */
const swapHeadAndPos = (x: tf.Tensor) => x.transpose([0, 2, 1, 3]);

function attention(context: Context, layer: number, block: Block, x: tf.Tensor): tf.Tensor {
  const { at, withEarlier, batch, length, pos, mask } = context;
  const { n_heads, d_head } = context.model.config;
  const hook = <K extends string>(what: K) => `blocks.${layer}.attn.hook_${what}` as const;
  const [q, k, v] = tf
    .split(linear(x, block.W_QKV, block.b_QKV), 3, -1)
    .map((part) => part.reshape([batch, length - pos, n_heads, d_head]));
  const queries = at(hook("q"), q);
  const keys = withEarlier(hook("k"), at(hook("k"), k));
  const values = withEarlier(hook("v"), at(hook("v"), v));
  const products = tf.matMul(swapHeadAndPos(queries), swapHeadAndPos(keys), false, true).div(Math.sqrt(d_head));
  const scores = at(hook("attn_scores"), products.add(mask)); // [batch, head, query_pos, key_pos]
  const pattern = at(hook("pattern"), tf.softmax(scores));
  const z = at(hook("z"), swapHeadAndPos(tf.matMul(pattern, swapHeadAndPos(values)))); // [batch, pos, head, d_head]
  const joined = z.reshape([batch, length - pos, n_heads * d_head]);
  return at(`blocks.${layer}.hook_attn_out`, linear(joined, block.W_O, block.b_O));
}

function mlp({ at }: Context, layer: number, block: Block, x: tf.Tensor): tf.Tensor {
  const pre = at(`blocks.${layer}.mlp.hook_pre`, linear(x, block.W_in, block.b_in));
  const post = at(`blocks.${layer}.mlp.hook_post`, gelu(pre));
  return at(`blocks.${layer}.hook_mlp_out`, linear(post, block.W_out, block.b_out));
}

function unembed(context: Context, resid: tf.Tensor, readout: NonNullable<ForwardOptions["readout"]>): tf.Tensor3D {
  const { model, pos, batch } = context;
  const { W_U, b_U } = model;
  const normalized = layerNorm(context, "ln_final", resid, model.ln_final);
  if (readout === "none") return tf.zeros([batch, 0, 0]);
  if (readout === "all") return linear(normalized, W_U, b_U) as tf.Tensor3D;
  const positions = tf.tensor1d(
    readout.positions.map((p) => p - pos),
    "int32",
  );
  const vocab = tf.tensor1d(readout.vocab as number[], "int32");
  return linear(tf.gather(normalized, positions, 1), tf.gather(W_U, vocab, 1), tf.gather(b_U, vocab)) as tf.Tensor3D;
}
