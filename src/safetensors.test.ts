import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { encodeSafetensors, openSafetensors, parseSafetensors } from "./safetensors";

const tensors = {
  a: { shape: [2, 3], values: Float32Array.of(1, -2, 3.5, 0, 1e-30, 7) },
  empty: { shape: [0, 4], values: new Float32Array(0) },
  scalar: { shape: [], values: Float32Array.of(9) },
};

/** A file with this header and so many bytes of data. */
function file(header: unknown, dataSize: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + dataSize);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}
const entry = (shape: unknown, data_offsets: unknown, dtype: unknown = "F32") => ({ dtype, shape, data_offsets });

test("what is written is read back, with its metadata", () => {
  const read = parseSafetensors(encodeSafetensors(tensors, { metadata: { note: "x" } }));
  assert.deepEqual(read.metadata, { note: "x" });
  assert.deepEqual(read.names, ["a", "empty", "scalar"]);
  for (const [name, { shape, values }] of Object.entries(tensors)) assert.deepEqual(read.read(name), { shape, values });
});

test("tensors can be written in half precision", () => {
  const small = { shape: [3], values: Float32Array.of(1, 1 + 2 ** -12, -0.1) };
  const bytes = encodeSafetensors({ small }, { dtype: "F16" });
  assert.deepEqual([...parseSafetensors(bytes).read("small").values], [1, 1, -0.0999755859375]);
});

test("a file on disk is read one tensor at a time", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "safetensors-"));
  try {
    const name = path.join(dir, "x.safetensors");
    writeFileSync(name, encodeSafetensors(tensors));
    const checkpoint = openSafetensors(name);
    assert.deepEqual(checkpoint.read("a"), tensors.a);
    assert.throws(() => checkpoint.read("b"), /has no tensor "b"/);
    checkpoint.close();
    writeFileSync(name, encodeSafetensors(tensors).slice(0, -1));
    assert.throws(
      () => openSafetensors(name),
      /x\.safetensors is not a valid safetensors file: its tensors end at byte 28/,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("half precision is widened exactly", () => {
  const bytes = file({ h: entry([8], [0, 16], "F16"), b: entry([2], [16, 20], "BF16") }, 20);
  const data = new DataView(bytes.buffer, bytes.length - 20);
  const halves = [0x3c00, 0xc000, 0x0001, 0x0400, 0x7bff, 0x7c00, 0x8000, 0x3555, 0x3f80, 0xc049];
  for (const [i, bits] of halves.entries()) data.setUint16(2 * i, bits, true);
  const read = parseSafetensors(bytes);
  const third = 0.333251953125;
  assert.deepEqual([...read.read("h").values], [1, -2, 2 ** -24, 2 ** -14, 65504, Number.POSITIVE_INFINITY, -0, third]);
  assert.deepEqual([...read.read("b").values], [1, -3.140625]);
});

const refused: [string, Uint8Array, RegExp][] = [
  ["an empty file", new Uint8Array(0), /it has 0 bytes/],
  ["a header beyond the file", file({}, 0).slice(0, 9), /its header would end at byte 10, the file at 9/],
  ["an oversized header", Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 123]), /the limit is 100000000/],
  ["a header that isn't JSON", file("{a}", 0), /its header is not JSON/],
  ["a header that is a list", file("[]", 0), /does not start with \{/],
  [
    "a hole",
    file({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12),
    /"b" starts at byte 8 of the data, expected 4/,
  ],
  [
    "an overlap",
    file({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8),
    /"b" starts at byte 4 of the data, expected 8/,
  ],
  ["trailing bytes", file({ a: entry([1], [0, 4]) }, 5), /end at byte 4 of the data, the file at 5/],
  [
    "a range that doesn't fit the shape",
    file({ a: entry([2], [0, 4]) }, 4),
    /needs 8 bytes for \[2\] F32, its range has 4/,
  ],
  ["an unknown dtype", file({ a: entry([1], [0, 4], "I32") }, 4), /dtype "I32"; F32, F16, BF16 can be read/],
  ["a dtype from the prototype", file({ a: entry([1], [0, 4], "toString") }, 4), /dtype "toString"/],
  ["a negative shape", file({ a: entry([-1], [0, 4]) }, 4), /shape \[-1\]/],
  ["a shape that overflows", file({ a: entry([2 ** 40, 2 ** 40], [0, 4]) }, 4), /its range has 4/],
  ["fractional offsets", file({ a: entry([1], [0.5, 4.5]) }, 5), /data_offsets \[0.5,4.5\]/],
  ["metadata that isn't texts", file({ __metadata__: { n: 1 } }, 0), /__metadata__/],
  ["an entry that is null", file({ a: null }, 0), /dtype undefined/],
];
for (const [what, bytes, message] of refused)
  test(`refuses ${what}`, () => {
    assert.throws(() => parseSafetensors(bytes), message);
  });
