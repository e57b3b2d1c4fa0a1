// The perturbation under which other tests run: in tfjs's products, the library's own and their gradients.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { before, test } from "node:test";
import { apart, near } from "./fixtures/close";

type Kind = "matMul" | "linear" | "attention" | "gradient" | "zeros";
/** Of each kind of product, the same two rows: in a product of three rows, in that again, and in one of two. */
type Products = Record<Kind, [number[], number[], number[]]> & { left: number[] };

const CODE = `
  const tf = require("@tensorflow/tfjs");
  const { initBackend } = require("./dist/model/backend/choose");
  const { attention, linear } = require("./dist/model/ops");
  const values = (...shape) => tf.tensor(Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.cos(i + 1)), shape);
  initBackend().then(() => {
    const [x, W, b] = [values(3, 8), values(8, 5), tf.zeros([5])];
    const two = x.slice([0, 0], [2, 8]);
    const kinds = {
      matMul: (x) => tf.matMul(x, W),
      linear: (x) => linear(x, W, b),
      attention: (x) => {
        const [q, k] = [x, values(4, 8)].map((rows) => rows.reshape([1, -1, 2, 4]));
        return attention({ q, k, v: k }, tf.zeros([x.shape[0], 4])).reshape([-1, 8]);
      },
      gradient: tf.grad((x) => linear(x, W, b)),
      zeros: (x) => tf.matMul(x.mul(0), W),
    };
    const { numTensors, numDataBuffers } = tf.memory();
    const found = {};
    for (const [kind, product] of Object.entries(kinds))
      found[kind] = [x, x, two].map((rows) => tf.tidy(() => [...product(rows).slice([0, 0], [2, -1]).dataSync()]));
    found.left = [tf.memory().numTensors - numTensors, tf.memory().numDataBuffers - numDataBuffers];
    console.log("\\n" + JSON.stringify(found));
  });`;

function products(seed: string): Products {
  const args = ["--require", path.join(__dirname, "fixtures", "perturb.cjs"), "-e", CODE];
  const env = { ...process.env, NODE_OPTIONS: "", ACRONYM_PERTURB: seed };
  const out = execFileSync(process.execPath, args, { cwd: path.resolve(__dirname, ".."), env, encoding: "utf8" });
  return JSON.parse(out.trimEnd().split("\n").at(-1)!);
}

let plain: Products;
let first: Products;
before(() => {
  [plain, first] = [products(""), products("1")];
});
const KINDS = ["matMul", "linear", "attention", "gradient"] as const;

test("without a seed nothing is perturbed; with one every product is, by about one part in 10⁶", () => {
  for (const kind of KINDS) {
    const level = Math.max(...plain[kind][0].map(Math.abs));
    const moved = plain[kind][0].map((value, i) => Math.abs(first[kind][0][i] - value) / level);
    assert.ok(Math.max(...moved) > 3e-7 && Math.max(...moved) < 2e-6, `${kind}: ${Math.max(...moved)}`);
    near(plain[kind][2], plain[kind][0], kind);
  }
});

test("the same product is the same to the bit, in one process and in another", () => {
  for (const kind of KINDS) assert.deepEqual(first[kind][1], first[kind][0], kind);
  assert.deepEqual(products("1"), first);
});

test("the same rows in a product of another shape differ, and so they do with another seed", () => {
  const second = products("2");
  for (const kind of KINDS) {
    assert.notDeepEqual(first[kind][2], first[kind][0], kind);
    assert.notDeepEqual(second[kind][0], first[kind][0], kind);
  }
});

test("sums of zeros stay 0, and nothing is left behind", () => {
  for (const values of first.zeros) for (const value of values) assert.equal(value, 0);
  assert.deepEqual(first.left, [0, 0]);
  assert.throws(() => apart(first.matMul, plain.matMul), "what can be seen must be more than this");
});
