import * as tf from "@tensorflow/tfjs";
import { random } from "../../numbers/random";
import { attention, gelu, layerNorm, linear } from "../ops";

/*
 * Native code that loads may still compute wrong numbers, on a processor or with a library that nobody tried. Before a backend is
 * trusted it has to give the right ones on a few examples of what a forward takes most of its time for.
 */

/** Sums of 70 products of about 1, in float32 and in any order, differ from the exact ones by a few millionths. */
const TOLERANCE = 1e-4;

type Matrix = readonly (readonly number[])[];

/** An operation on numbers, and what it has to give, in double precision. */
interface Example {
  readonly found: tf.Tensor;
  readonly expected: readonly number[];
}

const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function softmaxOf(row: readonly number[]): number[] {
  const powers = row.map(Math.exp);
  return powers.map((power) => power / sum(powers));
}

function normalized(row: readonly number[]): number[] {
  const centred = row.map((value) => value - sum(row) / row.length);
  const scale = Math.sqrt(sum(centred.map((value) => value * value)) / row.length);
  return centred.map((value) => value / scale);
}

const geluOf = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Attention of one head, each query over the keys up to its own place. */
function attended(q: Matrix, k: Matrix, v: Matrix): number[][] {
  return q.map((query, i) => {
    const scores = k.slice(0, i + 1).map((key) => sum(query.map((x, d) => x * key[d])) / Math.sqrt(query.length));
    const pattern = softmaxOf(scores);
    return v[0].map((_, d) => sum(pattern.map((weight, j) => weight * v[j][d])));
  });
}

/** `[batch, head, pos, d_head]` → `[batch, pos, head, d_head]` */
const byPosition = (heads: readonly Matrix[], n_heads: number) =>
  (
    tf.tensor3d(heads as number[][][]).reshape([-1, n_heads, heads[0].length, heads[0][0].length]) as tf.Tensor4D
  ).transpose([0, 2, 1, 3]);

/** Examples of the operations on which a backend is judged. */
function examples(): Record<string, Example> {
  const { normal } = random(0);
  const matrix = (rows: number, columns: number): Matrix =>
    Array.from({ length: rows }, () => Float32Array.from({ length: columns }, normal)).map((row) => [...row]);
  const [a, b, bias] = [matrix(33, 70), matrix(70, 65), matrix(1, 65)[0]];
  const [A, B] = [a, b].map((rows) => tf.tensor2d(rows as number[][]));
  const [lefts, rights] = [
    Array.from({ length: 6 }, () => matrix(5, 9)),
    Array.from({ length: 6 }, () => matrix(9, 7)),
  ];
  const left = tf.tensor3d(lefts as number[][][]).reshape([2, 3, 5, 9]);
  const right = tf.tensor3d(rights as number[][][]).reshape([2, 3, 9, 7]);
  const last = [0, 1, 3, 2];
  const [q, k, v] = Array.from({ length: 3 }, () => Array.from({ length: 6 }, () => matrix(5, 8)));
  const mask = tf.tensor2d(
    Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => (j > i ? Number.NEGATIVE_INFINITY : 0))),
  );
  const [rows, weight] = [matrix(2, 512), matrix(512, 512)];
  const none = tf.zeros([512]) as tf.Tensor1D;
  const batched = lefts.flatMap((each, i) => product(each, rights[i]).flat());
  return {
    "a matrix product": { found: tf.matMul(A, B), expected: product(a, b).flat() },
    "products side by side": { found: tf.matMul(left, right), expected: batched },
    "transposed products": {
      found: tf.matMul(left.transpose(last), right.transpose(last), true, true),
      expected: batched,
    },
    "products with one matrix": {
      found: tf.matMul(left, tf.tensor4d([[rights[0] as number[][]]])),
      expected: lefts.flatMap((each) => product(each, rights[0]).flat()),
    },
    "a product and a bias": {
      found: linear(A, B as tf.Tensor2D, tf.tensor1d(bias as number[])),
      expected: product(a, b).flatMap((row) => row.map((value, j) => value + bias[j])),
    },
    "a product with a weight that stays": {
      found: linear(tf.tensor2d(rows as number[][]), tf.tensor2d(weight as number[][]), none, { lasting: true }),
      expected: product(rows, weight).flat(),
    },
    "parts of a matrix's rows": {
      found: tf.concat([A.slice([3, 2], [20, 60]).flatten(), A.slice([30, 0], [3, 70]).flatten()]),
      expected: [...a.slice(3, 23).flatMap((row) => row.slice(2, 62)), ...a.slice(30).flat()],
    },
    GELU: { found: gelu(A), expected: a.flat().map(geluOf) },
    "a softmax": { found: tf.softmax(A), expected: a.flatMap(softmaxOf) },
    attention: {
      found: attention({ q: byPosition(q, 3), k: byPosition(k, 3), v: byPosition(v, 3) }, mask).transpose([0, 2, 1, 3]),
      expected: q.flatMap((queries, i) => attended(queries, k[i], v[i]).flat()),
    },
    "a layer norm": { found: layerNorm(A, 0), expected: a.flatMap(normalized) },
  };
}

/**
 * Has the running backend compute a few examples.
 * Throws if a number is not the right one.
 * @param what what is named as the culprit
 */
export function checkExamples(what: string): void {
  tf.tidy(() => {
    for (const [name, { found, expected }] of Object.entries(examples())) {
      const values = found.dataSync();
      const wrong = expected.findIndex((value, i) => !(Math.abs(values[i] - value) <= TOLERANCE));
      if (wrong >= 0)
        throw new Error(`${what} computes wrong numbers (${name}: ${values[wrong]} instead of ${expected[wrong]})`);
    }
  });
}
