import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "./random";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number) => Array.from({ length: 5 }, random(seed).uniform);
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
});

test("a source goes on from a saved state", () => {
  const a = random(1);
  a.uniform();
  const b = random([...a.state()]);
  assert.deepEqual([a.uniform(), a.int(9)], [b.uniform(), b.int(9)]);
});

test("shuffle permutes and leaves its argument alone", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  const out = random(0).shuffle(items);
  assert.deepEqual([...out].sort(), items);
  assert.notDeepEqual(out, items);
  assert.deepEqual(items, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("normal has mean 0 and variance 1", () => {
  const { normal } = random(7);
  const x = Array.from({ length: 20_000 }, normal);
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
  assert.ok(Math.abs(mean) < 0.02, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.03, `variance ${variance}`);
});

test("bad arguments are named", () => {
  assert.throws(() => random(1.5), /seed must be an integer, not 1.5/);
  assert.throws(() => random(0).int(0), /positive integer, not 0/);
});
