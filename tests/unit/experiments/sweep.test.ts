import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { sweep } from "../../../src/experiments/sweep";
import { initBackend } from "../../../src/model/backend/choose";
import { allHeads } from "../../../src/model/heads";
import { grid, range } from "../../../src/numbers/lists";

before(() => initBackend());

test("a grid varies its first name slowest", () => {
  assert.deepEqual(grid({ a: [1, 2], b: ["x", "y"] }), [
    { a: 1, b: "x" },
    { a: 1, b: "y" },
    { a: 2, b: "x" },
    { a: 2, b: "y" },
  ]);
  assert.deepEqual(allHeads({ n_layers: 1, n_heads: 2 }), [
    { layer: 0, head: 0 },
    { layer: 0, head: 1 },
  ]);
});

test("rows are points and measurements, progress counts them, tensors are freed", async () => {
  const before = tf.memory().numTensors;
  const seen: number[] = [];
  const rows = await sweep(grid({ x: range(3) }), ({ x }) => ({ square: tf.scalar(x).square().dataSync()[0] }), {
    progress: (done, total) => seen.push(done * 10 + total),
  });
  assert.deepEqual(rows, [
    { x: 0, square: 0 },
    { x: 1, square: 1 },
    { x: 2, square: 4 },
  ]);
  assert.deepEqual(seen, [13, 23, 33]);
  assert.equal(tf.memory().numTensors, before);
});

test("an error in a measurement ends the sweep and leaves neither tensors nor listeners", async () => {
  const [tensors, listeners] = [tf.memory().numTensors, process.listenerCount("SIGINT")];
  const measure = () => {
    tf.zeros([3]);
    throw new Error("measured badly");
  };
  await assert.rejects(sweep([{ x: 1 }], measure), /measured badly/);
  assert.deepEqual([tf.memory().numTensors, process.listenerCount("SIGINT")], [tensors, listeners]);
});

test("an interrupt stops a sweep between two points; the process goes on", async () => {
  const script = `
    const { sweep, SweepInterrupted } = require(${JSON.stringify(path.join(__dirname, "../../../src/experiments/sweep.ts"))});
    const { initBackend } = require(${JSON.stringify(path.join(__dirname, "../../../src/model/backend/choose.ts"))});
    const points = Array.from({ length: 1e6 }, (_, x) => ({ x }));
    const measure = ({ x }) => { if (x === 10) process.kill(process.pid, "SIGINT"); return {}; };
    initBackend().then(() => sweep(points, measure)).catch((error) => {
      console.log(error instanceof SweepInterrupted, error.rows.length < 1000, error.message.includes("of 1000000 points"));
      return sweep([{ x: 1 }], ({ x }) => ({ y: x + 1 })).then((rows) => console.log(JSON.stringify(rows)));
    });`;
  const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.deepEqual([code, out], [0, 'true true true\n[{"x":1,"y":2}]\n']);
});
