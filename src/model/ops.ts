import * as tf from "@tensorflow/tfjs";
import type { LayerNorm } from "./model";

/*
 * linear and rows: the two operations of a forward whose gradients tfjs doesn't give on every backend at a usable speed: WebAssembly
 * has no gradient of tf.gather, and multiplies transposed matrices ten times slower than it transposes and multiplies.
 */

/** Kernels that a backend may have for a whole operation. Where it has none, the operation is put together from tfjs's own. */
export const FUSED_KERNELS = {
  linear: "FusedLinear",
  gelu: "FusedGelu",
  layerNorm: "FusedLayerNorm",
  attention: "FusedAttention",
} as const;

const hasKernel = (name: string) => tf.getKernel(name, tf.getBackend()) !== undefined;
/** These kernels have no gradients: where one is taken, tfjs's own are used, which have them. */
const canFuse = (name: string) => hasKernel(name) && tf.engine().state.gradientDepth === 0;
const runKernel = (name: string, inputs: tf.NamedTensorMap, attrs?: tf.NamedAttrMap) =>
  tf.engine().runKernel(name, inputs, attrs) as tf.Tensor;

const save = (saver: unknown, tensors: tf.Tensor[]) => (saver as tf.GradSaveFunc)(tensors);

/** What a caller knows of a weight. */
interface LinearOptions {
  /** It stays as it is and is used again and again: a backend may keep it in a form that multiplies faster. */
  readonly lasting?: boolean;
}

const affine = (options: LinearOptions) =>
  tf.customGrad((input, weights, bias, saver) => {
    const [x, W, b] = [input, weights, bias] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    save(saver, [x, W]);
    const { linear } = FUSED_KERNELS;
    const value = hasKernel(linear) ? runKernel(linear, { x, W, b }, { ...options }) : tf.matMul(x, W).add(b);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => [
      tf.matMul(dy, saved[1].transpose()),
      tf.matMul(saved[0].transpose(), dy),
      dy.sum(0),
    ];
    return { value, gradFunc };
  });

/**
 * `x @ W + b` over the last axis of `x`, as one flat matrix product: batched ones are very slow in WebAssembly.
 * (Not tf.fused: its WebAssembly kernel mistakes the shape of a bias that was sliced or gathered.)
 */
export function linear(x: tf.Tensor, W: tf.Tensor2D, b: tf.Tensor1D, options: LinearOptions = {}): tf.Tensor {
  if (canFuse(FUSED_KERNELS.linear)) return runKernel(FUSED_KERNELS.linear, { x, W, b }, { ...options });
  return affine(options)(x.reshape([-1, W.shape[0]]), W, b).reshape([...x.shape.slice(0, -1), W.shape[1]]);
}

/** What unembeds some tokens: their columns `[d_model, token]`, and biases. (Gathered: a cut would first copy the whole matrix.) */
export function unembedding({ W_U, b_U }: { W_U: tf.Tensor2D; b_U: tf.Tensor1D }, tokens: readonly number[]) {
  return { W: tf.gather(W_U, tokens as number[], 1), b: tf.gather(b_U, tokens as number[]) };
}

/** Rows of `table`: `ids [batch, pos]` → `[batch, pos, d]`. */
export function rows(table: tf.Tensor2D, ids: tf.Tensor2D): tf.Tensor3D {
  const [n, d] = table.shape;
  const gather = tf.customGrad((t, saver) => {
    save(saver, [ids]);
    const gradFunc = (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
      tf.matMul(tf.oneHot(saved.flatten(), n).toFloat().transpose(), dy.reshape([-1, d]));
    return { value: tf.gather(t as tf.Tensor2D, ids), gradFunc };
  });
  return gather(table) as tf.Tensor as tf.Tensor3D;
}

/*
 * GPT-2's gelu_new is x · ½ (1 + tanh u). Its tanh is written as a sigmoid, ½ (1 + tanh u) = sigmoid(2u), the same function and faster;
 * 2u = x (GELU_A + GELU_B x²).
 */
const GELU_A = 2 * Math.sqrt(2 / Math.PI);
const GELU_B = 0.044715 * GELU_A;

const composedGelu = (x: tf.Tensor): tf.Tensor => x.mul(tf.sigmoid(x.mul(x.square().mul(GELU_B).add(GELU_A))));

/** GPT-2's gelu_new, elementwise. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return canFuse(FUSED_KERNELS.gelu) ? runKernel(FUSED_KERNELS.gelu, { x }) : composedGelu(x);
}

const centred = (x: tf.Tensor) => x.sub(x.mean(-1, true));

const spread = (centredX: tf.Tensor, eps: number) => centredX.square().mean(-1, true).add(eps).sqrt();
const withGain = (x: tf.Tensor, ln: LayerNorm | null) => (ln ? x.mul(ln.w).add(ln.b) : x);

/** What a layer norm divides by, `[…, 1]`. */
export const scaleOf = (x: tf.Tensor, eps: number): tf.Tensor => spread(centred(x), eps);

/** A layer norm whose scale is known. */
export const scaled = (x: tf.Tensor, scale: tf.Tensor, ln: LayerNorm | null): tf.Tensor =>
  withGain(centred(x).div(scale), ln);

/** A layer norm over the last axis; without gain and bias if these are part of the weights that follow. */
export function layerNorm(x: tf.Tensor, eps: number, ln: LayerNorm | null = null): tf.Tensor {
  if (!canFuse(FUSED_KERNELS.layerNorm)) {
    const own = centred(x);
    return withGain(own.div(spread(own, eps)), ln);
  }
  const [w, b] = ln ? [ln.w, ln.b] : [tf.ones([x.shape.at(-1)!]), tf.zeros([x.shape.at(-1)!])];
  return runKernel(FUSED_KERNELS.layerNorm, { x, w, b }, { eps });
}

/** Queries and keys `[batch, pos, head, d_head]` → scores `[batch, head, query_pos, key_pos]`, with `mask [query_pos, key_pos]` added. */
export function attentionScores(q: tf.Tensor, k: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const products = tf.matMul(q.transpose([0, 2, 1, 3]), k.transpose([0, 2, 3, 1]));
  return products.div(Math.sqrt(q.shape[3]!)).add(mask);
}

/** Values `[batch, pos, head, d_head]`, weighted by a pattern `[batch, head, query_pos, key_pos]`. */
export const attend = (pattern: tf.Tensor, v: tf.Tensor): tf.Tensor =>
  tf.matMul(pattern, v.transpose([0, 2, 1, 3])).transpose([0, 2, 1, 3]);

/** Attention of all heads: queries, keys and values `[batch, pos, head, d_head]` → what the heads read, like the queries. */
export function attention({ q, k, v }: Record<"q" | "k" | "v", tf.Tensor>, mask: tf.Tensor): tf.Tensor {
  if (!canFuse(FUSED_KERNELS.attention)) return attend(tf.softmax(attentionScores(q, k, mask)), v);
  const flat = (x: tf.Tensor) => x.reshape([x.shape[0], x.shape[1]!, -1]);
  const inputs = { q: flat(q), k: flat(k), v: flat(v), mask: mask.expandDims(0).expandDims(0) };
  return runKernel(FUSED_KERNELS.attention, inputs, { heads: q.shape[2]! }).reshape(q.shape);
}
