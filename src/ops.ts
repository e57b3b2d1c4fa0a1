import * as tf from "@tensorflow/tfjs";

/*
 * The two operations of a forward whose gradients tfjs doesn't give on every backend at a usable speed: WebAssembly
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
