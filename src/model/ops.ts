import * as tf from "@tensorflow/tfjs";

/*
 * linear and rows: the two operations of a forward whose gradients tfjs doesn't give on every backend at a usable speed: WebAssembly
 * has no gradient of tf.gather, and multiplies transposed matrices ten times slower than it transposes and multiplies.
 */

/** Kernels that a backend may have for a whole `linear` or `gelu`. Where it has none, they are put together from tfjs's own. */
export const FUSED_KERNELS = { linear: "FusedLinear", gelu: "FusedGelu" } as const;

const hasKernel = (name: string) => tf.getKernel(name, tf.getBackend()) !== undefined;
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

/** x s has the gradient s + x s (1 − s) (2u)′, where s = sigmoid(2u). */
function geluGradient(x: tf.Tensor): tf.Tensor {
  const squared = x.square();
  const s = tf.sigmoid(x.mul(squared.mul(GELU_B).add(GELU_A)));
  return s.add(
    x
      .mul(s)
      .mul(tf.sub(1, s))
      .mul(squared.mul(3 * GELU_B).add(GELU_A)),
  );
}

const fusedGelu = tf.customGrad((input, saver) => {
  const x = input as tf.Tensor;
  save(saver, [x]);
  const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => dy.mul(geluGradient(saved[0]));
  return { value: runKernel(FUSED_KERNELS.gelu, { x }), gradFunc };
});

/** GPT-2's gelu_new, elementwise. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return hasKernel(FUSED_KERNELS.gelu) ? fusedGelu(x) : composedGelu(x);
}

/** A layer norm without gain and bias. */
export function normalize<T extends tf.Tensor>(x: T, eps: number): T {
  const centred = x.sub(x.mean(-1, true));
  return centred.div(centred.square().mean(-1, true).add(eps).sqrt());
}
