import * as tf from "@tensorflow/tfjs";

/*
 * linear and rows: the two operations of a forward whose gradients tfjs doesn't give on every backend at a usable speed: WebAssembly
 * has no gradient of tf.gather, and multiplies transposed matrices ten times slower than it transposes and multiplies.
 */

const save = (saver: unknown, tensors: tf.Tensor[]) => (saver as tf.GradSaveFunc)(tensors);

const product = tf.customGrad((x, weights, saver) => {
  const [a, W] = [x as tf.Tensor2D, weights as tf.Tensor2D];
  save(saver, [a, W]);
  const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => [
    tf.matMul(dy, saved[1].transpose()),
    tf.matMul(saved[0].transpose(), dy),
  ];
  return { value: tf.matMul(a, W), gradFunc };
});

/**
 * `x @ W + b` over the last axis of `x`, as one flat matrix product: batched ones are very slow in WebAssembly.
 * (Not tf.fused: its WebAssembly kernel mistakes the shape of a bias that was sliced or gathered.)
 */
export function linear(x: tf.Tensor, W: tf.Tensor2D, b: tf.Tensor1D): tf.Tensor {
  const flat = x.reshape([-1, W.shape[0]]);
  return product(flat, W)
    .add(b)
    .reshape([...x.shape.slice(0, -1), W.shape[1]]);
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

/** GPT-2's gelu_new. Its tanh written as a sigmoid, 0.5 (1 + tanh u) = sigmoid(2u), is the same function and faster. */
export function gelu(x: tf.Tensor): tf.Tensor {
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

/** A layer norm without gain and bias. */
export function normalize<T extends tf.Tensor>(x: T, eps: number): T {
  const centred = x.sub(x.mean(-1, true));
  return centred.div(centred.square().mean(-1, true).add(eps).sqrt());
}
