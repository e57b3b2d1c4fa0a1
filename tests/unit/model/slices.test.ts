import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { initBackend } from "../../../src/model/backend/choose";
import { cut, handle, pick, repeat, replaceInside, split } from "../../../src/model/slices";

before(async () => {
  await initBackend();
});

const SHAPE = [2, 5, 3, 4];
const x = () => tf.range(0, 120, 1).reshape(SHAPE);
const list = (n: number) => fc.array(fc.integer({ min: 0, max: n - 1 }), { minLength: 1, maxLength: n });
const numbers = (t: tf.Tensor) => [...t.dataSync()];

test("picked entries are those that gather gives, in any order and with repetitions", () => {
  const cases = fc.integer({ min: 0, max: 3 }).chain((axis) => list(SHAPE[axis]).map((indices) => ({ axis, indices })));
  fc.assert(
    fc.property(cases, ({ axis, indices }) => {
      tf.tidy(() => {
        assert.deepEqual(numbers(pick(x(), indices, axis)), numbers(tf.gather(x(), indices, axis)));
      });
    }),
    { seed: 1 },
  );
});

test("a cut of everything is the tensor itself; a repetition is what tile gives", () => {
  const a = x();
  assert.equal(cut(a, 1, 0, 5), a);
  assert.deepEqual(numbers(cut(a, 1, 3, 2)), numbers(a.slice([0, 3], [-1, 2])));
  assert.equal(repeat(a, 1), a);
  assert.deepEqual(numbers(repeat(a, 3)), numbers(a.tile([3, 1, 1, 1])));
});

test("parts of a matrix are its own numbers, wherever they begin and end, and a matrix stays as it is", () => {
  const [rows, columns] = [7, 5];
  const within = (n: number) =>
    fc
      .integer({ min: 0, max: n - 1 })
      .chain((from) => fc.tuple(fc.constant(from), fc.integer({ min: 1, max: n - from })));
  fc.assert(
    fc.property(within(rows), within(columns), ([row, high], [column, wide]) => {
      tf.tidy(() => {
        const matrix = tf.range(0, rows * columns, 1).reshape([rows, columns]);
        const expected = Array.from(
          { length: high * wide },
          (_, i) => (row + Math.floor(i / wide)) * columns + column + (i % wide),
        );
        assert.deepEqual(numbers(matrix.slice([row, column], [high, wide])), expected);
        assert.deepEqual(numbers(matrix), [...Array(rows * columns).keys()]);
      });
    }),
    { seed: 2 },
  );
});

test("a tensor split along its first axis is what tf.split gives; of one part it is itself", () => {
  const a = x().reshape([6, 20]);
  assert.deepEqual(split(a, 3).map(numbers), tf.split(a, 3).map(numbers));
  assert.equal(split(a, 1)[0], a);
  assert.deepEqual(
    split(tf.zeros([4, 0, 3]), 2).map(({ shape }) => shape),
    [
      [2, 0, 3],
      [2, 0, 3],
    ],
  );
});

test("a handle has the same values and outlives the tensor it was made of", () => {
  const a = x();
  const other = handle(a);
  a.dispose();
  assert.deepEqual(numbers(other), [...Array(120).keys()]);
  other.dispose();
});

test("replaced is what lies inside on every axis, and nothing else", () => {
  const cases = fc.record({ pos: fc.option(list(5)), head: fc.option(list(3)), key: fc.option(list(4)) });
  fc.assert(
    fc.property(cases, ({ pos, head, key }) => {
      const inside = [pos, head, key].flatMap((indices, i) => (indices ? [[i + 1, indices] as const] : []));
      const found = tf.tidy(() => numbers(replaceInside(x(), x().mul(-1).sub(1), inside)) as never) as number[];
      found.forEach((value, flat) => {
        const at = [Math.floor(flat / 60), Math.floor(flat / 12) % 5, Math.floor(flat / 4) % 3, flat % 4];
        const isIn = inside.every(([axis, indices]) => indices.includes(at[axis]));
        assert.equal(value, isIn ? -flat - 1 : flat);
      });
    }),
    { seed: 2 },
  );
});
