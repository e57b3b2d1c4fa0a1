import assert from "node:assert/strict";
import { test } from "node:test";
import { toHalf } from "../../../scripts/checkpoint/half";
import { bfloatsToFloats, fromHalf, halvesToFloats } from "../../../src/load/half";

test("every half but NaN survives a round trip", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalf(bits);
    if (!Number.isNaN(value)) assert.equal(toHalf(value), bits, `bits ${bits.toString(16)}`);
  }
  assert.ok(Number.isNaN(fromHalf(toHalf(Number.NaN))));
});

test("what lies between two halves goes to the nearer one, ties to the even one", () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [fromHalf(bits), fromHalf(bits + 1)];
    const quarter = (high - low) / 4;
    assert.deepEqual([toHalf(low + quarter), toHalf(high - quarter)], [bits, bits + 1]);
    assert.equal(toHalf((low + high) / 2), bits % 2 === 0 ? bits : bits + 1);
  }
});

test("known values", () => {
  const cases = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0x3555, 0.333251953125],
  ];
  for (const [bits, value] of cases) assert.equal(fromHalf(bits), value);
  assert.equal(toHalf(65519), 0x7bff);
  assert.equal(toHalf(65520), 0x7c00);
});

test("many at once are the same as one after the other", () => {
  const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
  assert.deepEqual([...halvesToFloats(all)], Array.from(all, fromHalf)); // as lists: NaN has many bit patterns
  const view = new DataView(new ArrayBuffer(4));
  const upperHalf = (bits: number) => {
    view.setUint16(0, bits);
    return view.getFloat32(0);
  };
  assert.deepEqual([...bfloatsToFloats(all)], Array.from(all, upperHalf));
});
