import assert from "node:assert/strict";
import path from "node:path";
import { before, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { loadRuntime, type OnnxRuntime, useOnnxKernels } from "../../../../src/model/backend/onnx-kernels";
import { gelu, linear } from "../../../../src/model/ops";
import { random } from "../../../../src/numbers/random";
import { near } from "../../../fixtures/close";

/** Why onnxruntime-node can't be tested on this machine. */
let obstacle: string | undefined;
before(async () => {
  require("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
});

const tensor = (shape: number[], seed = 1) => {
  const { normal } = random(seed);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, normal), shape);
};

/** `a @ b` of `[m, k]` and `[k, n]` in double precision. */
function product(a: number[][], b: number[][]): number[][] {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
}

/** A runtime whose sessions do what `run` says. */
const fake = (run: (outputs: Record<string, { data: Float32Array }>) => void): OnnxRuntime => ({
  Tensor: class {
    constructor(
      readonly type: string,
      readonly data: Float32Array,
    ) {}
  },
  binding: {
    InferenceSession: class {
      loadModel() {}
      dispose() {}
      run(_: unknown, outputs: Record<string, unknown>) {
        run(outputs as Record<string, { data: Float32Array }>);
      }
    },
  },
  initOrt() {},
});

describe("a runtime that is not to be trusted leaves tfjs as it was", () => {
  const kernels = () => tf.getKernelsForBackend("wasm").map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]);
  const broken: [string, OnnxRuntime, RegExp][] = [
    ["other numbers", fake(({ Y }) => Y.data.fill(0.5)), /onnxruntime-node computes wrong numbers/],
    ["no numbers", fake(({ Y }) => Y.data.fill(Number.NaN)), /onnxruntime-node computes wrong numbers/],
    [
      "an error",
      fake(() => {
        throw new Error("no such operator");
      }),
      /no such operator/,
    ],
    ["another interface", { ...fake(() => {}), binding: {} } as OnnxRuntime, /not a constructor/],
  ];
  for (const [what, runtime, message] of broken)
    test(what, () => {
      const own = new Map(kernels() as [string, unknown][]);
      const { numTensors } = tf.memory();
      assert.throws(() => useOnnxKernels(runtime), message);
      assert.deepEqual(new Map(kernels() as [string, unknown][]), own);
      assert.equal(tf.memory().numTensors, numTensors);
    });
});

test("a worker thread uses onnxruntime only where its reports are known to be off", async () => {
  const file = path.join(__dirname, "../../../../src/model/backend/onnx-kernels");
  const code = `require("tsx/cjs"); require(${JSON.stringify(file)}).loadRuntime();`;
  const fault = (env: NodeJS.ProcessEnv) =>
    new Promise<string>((resolve) => {
      const worker = new Worker(code, { eval: true, env });
      worker.once("error", ({ message }) => resolve(message));
      worker.once("exit", () => resolve(""));
    });
  assert.match(
    await fault({ ...process.env, ORT_DISABLE_TELEMETRY: "" }),
    /in a worker thread .*ORT_DISABLE_TELEMETRY=1/,
  );
  assert.doesNotMatch(await fault({ ...process.env, ORT_DISABLE_TELEMETRY: "1" }), /worker thread/);
});

describe("onnxruntime's kernels", () => {
  before(() => {
    try {
      loadRuntime();
    } catch (error) {
      obstacle = `onnxruntime-node does not load: ${String(error).split("\n", 1)[0]}`;
    }
    if (!obstacle) useOnnxKernels();
  });

  test("a product of any shape, transposed or not, is the product", (t) => {
    if (obstacle) return t.skip(obstacle);
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, size, fc.boolean(), fc.boolean(), (m, k, n, transposeA, transposeB) => {
        const [a, b] = [tensor([m, k], 1), tensor([k, n], 2)] as tf.Tensor2D[];
        const [left, right] = [transposeA ? a.transpose() : a, transposeB ? b.transpose() : b];
        const found = tf.matMul(left, right, transposeA, transposeB).dataSync();
        near(found, product(a.arraySync(), b.arraySync()).flat());
      }),
      { numRuns: 50 },
    );
  });

  test("batches share a matrix, empty tensors go through, integers are left to tfjs", (t) => {
    if (obstacle) return t.skip(obstacle);
    const [a, b] = [tensor([3, 2, 4]) as tf.Tensor3D, tensor([1, 4, 5], 2) as tf.Tensor3D];
    near(
      tf.matMul(a, b).dataSync(),
      a.arraySync().flatMap((each) => product(each, b.arraySync()[0]).flat()),
    );
    assert.deepEqual(tf.matMul(tf.zeros([0, 4]), tf.zeros([4, 2])).shape, [0, 2]);
    assert.deepEqual(gelu(tf.zeros([0, 4])).shape, [0, 4]);
    const integers = tf.ones([2, 2], "int32") as tf.Tensor2D;
    assert.throws(() => tf.matMul(integers, integers), /BatchMatMul for non non-float32 tensors not yet supported/);
  });

  test("what comes after the memory has moved is right", (t) => {
    if (obstacle) return t.skip(obstacle);
    const [x, W, b] = [tensor([7, 30]), tensor([30, 9], 2), tensor([9], 3)] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const expected = product(x.arraySync(), W.arraySync()).flatMap((row) => row.map((v, i) => v + b.arraySync()[i]));
    const size = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.byteLength;
    for (const [start, room] = [size(), 2 ** 22]; size() === start; tf.zeros([room]))
      near(linear(x, W, b).dataSync(), expected);
    near(linear(x, W, b).dataSync(), expected);
    near(
      tf
        .matMul(tf.ones([1, 4096]), tf.ones([4096, 2 ** 13]))
        .dataSync()
        .slice(0, 2),
      [4096, 4096],
    );
  });

  test("a weight that stays gives the product, the same bits every time, until it is disposed of", (t) => {
    if (obstacle) return t.skip(obstacle);
    const [W, b] = [tensor([512, 520], 2), tensor([520], 3)] as [tf.Tensor2D, tf.Tensor1D];
    const right = W.arraySync();
    const bias = b.arraySync();
    for (const rows of [1, 7, 60]) {
      const x = tensor([rows, 512], rows) as tf.Tensor2D;
      const found = linear(x, W, b, { lasting: true }).dataSync();
      near(
        found,
        product(x.arraySync(), right).flatMap((row) => row.map((value, i) => value + bias[i])),
      );
      assert.deepEqual(linear(x, W, b, { lasting: true }).dataSync(), found); // the same computation twice
      assert.deepEqual(linear(x, W.reshape([512, 520]), b, { lasting: true }).dataSync(), found); // the same data
    }
    tf.dispose([W, b]);
    const others = [tensor([512, 520], 4), tensor([520], 5)] as [tf.Tensor2D, tf.Tensor1D];
    const x = tensor([3, 512]) as tf.Tensor2D;
    near(linear(x, ...others, { lasting: true }).dataSync(), linear(x, ...others).dataSync());
  });

  test("no tensor is left behind", (t) => {
    if (obstacle) return t.skip(obstacle);
    const [x, W, b] = [tensor([7, 30]), tensor([30, 9], 2), tensor([9], 3)] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const { numTensors, numDataBuffers } = tf.memory();
    tf.tidy(() => {
      gelu(linear(x, W, b));
    });
    assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers], [numTensors, numDataBuffers]);
  });
});
