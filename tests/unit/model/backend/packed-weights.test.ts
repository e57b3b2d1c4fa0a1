import assert from "node:assert/strict";
import { test } from "node:test";
import type { OnnxSession } from "../../../../src/model/backend/onnx-kernels";
import { PackedWeights } from "../../../../src/model/backend/packed-weights";

const OPERATOR = { type: "Gemm", domain: "", inputs: ["A", "B", "C"] } as const;
const B = { shape: [1, 1], values: Float32Array.of(1) };

/** At most so many weights, with the sessions that were made and those that have ended. */
function weights(most: number) {
  const [made, ended]: [OnnxSession[], OnnxSession[]] = [[], []];
  const packed = new PackedWeights(() => {
    const session: OnnxSession = { loadModel() {}, run() {}, dispose: () => void ended.push(session) };
    made.push(session);
    return session;
  }, most);
  return {
    of: (data: object) => packed.sessionOf(OPERATOR, data, B),
    drop: (data: object) => packed.drop(data),
    made,
    ended,
  };
}

test("a weight has one session, which ends with its data, once", () => {
  const { of, drop, made, ended } = weights(5);
  const [a, b] = [{}, {}];
  assert.deepEqual([of(a), of(b), of(a), of(b)], [made[0], made[1], made[0], made[1]]);
  assert.equal(made.length, 2);
  drop(a);
  drop(a);
  drop({});
  assert.deepEqual(ended, [made[0]]);
  assert.equal(of(b), made[1]);
});

test("a weight that came when there were too many never gets one; the next one does when another has ended", () => {
  const { of, drop, made } = weights(1);
  const [a, b, c] = [{}, {}, {}];
  assert.equal(of(a), made[0]);
  assert.equal(of(b), undefined);
  drop(a);
  assert.equal(of(b), undefined);
  assert.equal(of(c), made[1]);
  drop(b); // it had none: there is no more room than before
  assert.equal(of({}), undefined);
  assert.equal(made.length, 2);
});

test("a session that could not be made leaves nothing behind", () => {
  let isBroken = true;
  const packed = new PackedWeights(() => {
    if (isBroken) throw new Error("no memory");
    return { loadModel() {}, run() {}, dispose() {} };
  }, 1);
  const data = {};
  assert.throws(() => packed.sessionOf(OPERATOR, data, B), /no memory/);
  isBroken = false;
  assert.ok(packed.sessionOf(OPERATOR, data, B));
});
