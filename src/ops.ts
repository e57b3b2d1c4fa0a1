import * as tf from "@tensorflow/tfjs";

/*
 * linear and rows: the two operations of a forward whose gradients tfjs doesn't give on every backend at a usable speed: WebAssembly
 * has no gradient of tf.gather, and multiplies transposed matrices ten times slower than it transposes and multiplies.
 */

/** Kernels that a backend may have for a whole `linear` or `gelu`. Where it has none, they are put together from tfjs's own. */
export const FUSED_KERNELS = { linear: "FusedLinear", gelu: "FusedGelu" } as const;

const hasKernel = (name: string) => tf.getKernel(name, tf.getBackend()) !== undefined;
const runKernel = (name: string, inputs: tf.NamedTensorMap) => tf.engine().runKernel(name, inputs) as tf.Tensor;

const save = (saver: unknown, tensors: tf.Tensor[]) => (saver as tf.GradSaveFunc)(tensors);

const affine = tf.customGrad((input, weights, bias, saver) => {
  const [x, W, b] = [input, weights, bias] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
  save(saver, [x, W]);
  const { linear } = FUSED_KERNELS;
  const value = hasKernel(linear) ? runKernel(linear, { x, W, b }) : tf.matMul(x, W).add(b);
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
export function linear(x: tf.Tensor, W: tf.Tensor2D, b: tf.Tensor1D): tf.Tensor {
  return affine(x.reshape([-1, W.shape[0]]), W, b).reshape([...x.shape.slice(0, -1), W.shape[1]]);
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

/** Its tanh is written as a sigmoid, 0.5 (1 + tanh u) = sigmoid(2u): the same function, and faster. */
function composedGelu(x: tf.Tensor): tf.Tensor {
  const c = 2 * Math.sqrt(2 / Math.PI);
  return x.mul(
    tf.sigmoid(
      x.mul(
        x
          .square()
          .mul(0.044715 * c)
          .add(c),
      ),
    ),
  );
}

const fusedGelu = tf.customGrad((input, saver) => {
  const x = input as tf.Tensor;
  save(saver, [x]);
  const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.grad(composedGelu)(saved[0], dy);
  return { value: runKernel(FUSED_KERNELS.gelu, { x }), gradFunc };
});

/** GPT-2's gelu_new. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return hasKernel(FUSED_KERNELS.gelu) ? fusedGelu(x) : composedGelu(x);
}

/** A layer norm without gain and bias. */
export function normalize<T extends tf.Tensor>(x: T, eps: number): T {
  const centred = x.sub(x.mean(-1, true));
  return centred.div(centred.square().mean(-1, true).add(eps).sqrt());
}
