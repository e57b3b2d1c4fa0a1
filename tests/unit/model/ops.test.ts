import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../../../src/model/backend/choose";
import { attention, gelu, layerNorm, linear, rows } from "../../../src/model/ops";
import { random } from "../../../src/numbers/random";
import { near } from "../../fixtures/close";

before(async () => {
  await initBackend();
});

const tensor = (shape: number[], seed: number) => {
  const { normal } = random(seed);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, normal), shape);
};

test("linear is x @ W + b, and so are its gradients", () => {
  const [x, W, b] = [tensor([2, 3, 5], 1), tensor([5, 4], 2), tensor([4], 3)];
  const dy = tensor([2, 3, 4], 4);
  // row by row: Σ over the middle axis of the broadcast product, whose gradients are tfjs's own
  const plain = (...[input, weights, bias]: tf.Tensor[]) => input.expandDims(-1).mul(weights).sum(2).add(bias);
  const ours = (...[input, weights, bias]: tf.Tensor[]) => linear(input, weights as tf.Tensor2D, bias as tf.Tensor1D);
  near(ours(x, W, b), plain(x, W, b), "value");
  const [found, expected] = [ours, plain].map((f) => tf.grads(f)([x, W, b], dy));
  for (const [i, name] of ["x", "W", "b"].entries()) near(found[i], expected[i], `gradient of ${name}`);
});

test("rows are rows, and rows that are taken twice get both gradients", () => {
  const table = tensor([4, 3], 1) as tf.Tensor2D;
  const ids = tf.tensor2d([[2, 0, 2]], [1, 3], "int32");
  const oneHot = tf.oneHot(ids, 4).toFloat().reshape([3, 4]) as tf.Tensor2D;
  const plain = (t: tf.Tensor) => tf.matMul(oneHot, t as tf.Tensor2D).reshape([1, 3, 3]);
  near(rows(table, ids), plain(table), "value");
  const dy = tensor([1, 3, 3], 2);
  const gradient = (f: (t: tf.Tensor) => tf.Tensor) => tf.grad(f)(table, dy);
  near(
    gradient((t) => rows(t as tf.Tensor2D, ids)),
    gradient(plain),
    "gradient",
  );
});

test("gelu and its gradient are those of ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))", () => {
  const x = tf.linspace(-6, 6, 121);
  const exact = (t: tf.Tensor) =>
    t.mul(0.5).mul(
      t
        .add(t.mul(t).mul(t).mul(0.044715))
        .mul(Math.sqrt(2 / Math.PI))
        .tanh()
        .add(1),
    );
  near(gelu(x), exact(x), "value");
  near(tf.grad(gelu)(x), tf.grad(exact)(x), "gradient");
});

test("a layer norm, with and without gain and bias, and its gradients", () => {
  const [x, w, b] = [tensor([2, 3, 8], 1), tensor([8], 2), tensor([8], 3)];
  const dy = tensor([2, 3, 8], 4);
  const plain = (...[t, gain, bias]: tf.Tensor[]) => {
    const { mean, variance } = tf.moments(t, -1, true);
    return t.sub(mean).div(variance.add(1e-5).sqrt()).mul(gain).add(bias);
  };
  const ours = (...[t, gain, bias]: tf.Tensor[]) =>
    layerNorm(t, 1e-5, { w: gain as tf.Tensor1D, b: bias as tf.Tensor1D });
  near(ours(x, w, b), plain(x, w, b), "value");
  near(layerNorm(x, 1e-5), plain(x, tf.ones([8]), tf.zeros([8])), "value without");
  const [found, expected] = [ours, plain].map((f) => tf.grads(f)([x, w, b], dy));
  for (const [i, name] of ["x", "w", "b"].entries()) near(found[i], expected[i], `gradient of ${name}`);
});

test("attention of some queries is that of all at their rows, and so are its gradients", () => {
  const [q, k, v] = [1, 2, 3].map((seed) => tensor([2, 5, 3, 4], seed));
  const mask = tf.tensor2d(
    Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => (j > i ? Number.NEGATIVE_INFINITY : 0))),
  );
  const dy = tensor([2, 5, 3, 4], 4);
  const plain = (...[a, b, c]: tf.Tensor[]) => {
    const [queries, keys, values] = [a, b, c].map((x) => x.transpose([0, 2, 1, 3]));
    const scores = queries.expandDims(3).mul(keys.expandDims(2)).sum(-1).div(2).add(mask);
    return tf.softmax(scores).expandDims(-1).mul(values.expandDims(2)).sum(3).transpose([0, 2, 1, 3]);
  };
  const ours = (...[a, b, c]: tf.Tensor[]) => attention({ q: a, k: b, v: c }, mask);
  near(ours(q, k, v), plain(q, k, v), "value");
  const some = (x: tf.Tensor) => x.slice([0, 1, 0, 0], [-1, 2, -1, -1]);
  const first = (x: tf.Tensor) => x.slice([0, 0, 0, 0], [-1, 3, -1, -1]);
  near(
    attention({ q: some(q), k: first(k), v: first(v) }, mask.slice([1, 0], [2, 3])),
    some(plain(q, k, v)),
    "two queries, three keys",
  );
  const [found, expected] = [ours, plain].map((f) => tf.grads(f)([q, k, v], dy));
  for (const [i, name] of ["q", "k", "v"].entries()) near(found[i], expected[i], `gradient of ${name}`);
});
