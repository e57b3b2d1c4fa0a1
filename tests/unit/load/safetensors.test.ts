import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { encodeSafetensors } from "../../../scripts/checkpoint/encode";
import { parseSafetensors } from "../../../scripts/checkpoint/parse";
import { openSafetensors } from "../../../src/load/safetensors-file";

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

test("every dtype of the format may stand in a file; only floats can be read", () => {
  const bytes = file(
    { mask: entry([2, 1], [0, 2], "U8"), tiny: entry([4], [2, 5], "F6_E2M3"), x: entry([1], [5, 9]) },
    9,
  );
  const read = parseSafetensors(bytes);
  assert.deepEqual([read.shape("mask"), read.shape("tiny")], [[2, 1], [4]]);
  assert.deepEqual([...read.read("x").values], [0]);
  assert.throws(() => read.read("mask"), /"mask" is stored as U8; only F32, F16, BF16, F64 can be read/);
});

test("names and metadata of any kind survive", () => {
  const names = ["__proto__", "", "7", 'a"\\\n\u0000', "é😀", "constructor"];
  const strange = Object.fromEntries(names.map((name, i) => [name, { shape: [1], values: Float32Array.of(i) }]));
  const metadata = Object.fromEntries(names.map((name) => [name, name]));
  const read = parseSafetensors(encodeSafetensors(strange, { metadata }));
  assert.deepEqual([...read.names].sort(), [...names].sort());
  assert.deepEqual(read.metadata, metadata);
  for (const [i, name] of names.entries()) assert.deepEqual([...read.read(name).values], [i]);
  const escaped = parseSafetensors(
    file('{"\\u0061\\ud83d\\ude00":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}\n\t', 4),
  );
  assert.deepEqual(escaped.names, ["a😀"]);
});

test("what can't be written is refused", () => {
  const [values, metadata] = [new Float32Array(5), {}];
  assert.throws(
    () => encodeSafetensors({ a: { shape: [2, 3], values } }, { metadata }),
    /"a": \[2,3\] needs 6 values, not 5/,
  );
  assert.throws(() => encodeSafetensors({ __metadata__: { shape: [5], values } }), /called __metadata__/);
});

const A = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
/** A header with one entry whose numbers are written so. */
const written = (shape: string, data_offsets = "[0,4]") =>
  file(`{"a":{"dtype":"F32","shape":${shape},"data_offsets":${data_offsets}}}`, 4);
const notAWholeNumber = /\("a", "(shape|data_offsets)"\) expected a whole number from 0 to 9007199254740991/;

const refused: [string, Uint8Array, RegExp][] = [
  ["an empty file", new Uint8Array(0), /it has 0 bytes/],
  ["a header beyond the file", file({}, 0).slice(0, 9), /its header would end at byte 10, the file at 9/],
  ["an oversized header", Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 123]), /the limit is 100000000/],
  ["a header just above the limit", Uint8Array.from([1, 225, 245, 5, 0, 0, 0, 0, 123]), /have 100000001 bytes/],
  [
    "a Git LFS pointer",
    Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    /git lfs pull/,
  ],
  ["a header without braces", file("a", 0), /does not start with \{/],
  ["a header that isn't JSON", file("{a}", 0), /at character 1 expected "; found "a}"/],
  ["a header that is a list", file("[]", 0), /does not start with \{/],
  ["white space before the header", file(` {"a":${A}}`, 4), /does not start with \{/],
  ["a header that stops", file(`{"a":${A}`, 4), /expected }; found its end/],
  ["a text that stops", file('{"a', 0), /expected a closing "; found its end/],
  ["a text that stops in an escape", file('{"a\\', 0), /expected a closing "; found its end/],
  ["a comma too many", file(`{"a":${A},}`, 4), /expected "; found "}"/],
  ["a word after the header", file(`{"a":${A}}x`, 4), /expected its end; found "x"/],
  ["a zero byte after the header", file(`{"a":${A}}\0`, 4), /expected its end; found "\\u0000"/],
  ["bytes that aren't UTF-8", file({ "\ufffd": {} }, 0).map((byte) => (byte === 0xef ? 0xff : byte)), /is not UTF-8/],
  ["half a surrogate pair", file(`{"\\ud800":${A}}`, 4), /half a surrogate pair/],
  ["an unknown escape", file(`{"\\x61":${A}}`, 4), /unknown escapes/],
  ["a control character", file(`{"a\nb":${A}}`, 4), /without control characters/],
  ["a name given twice", file(`{"a":${A},"a":${A}}`, 4), /each name only once, but "a" is given twice/],
  ["a name given twice in two spellings", file(`{"a":${A},"\\u0061":${A}}`, 4), /"a" is given twice/],
  ["a field given twice", file(`{"a":${A.replace("{", '{"dtype":"F32",')}}`, 4), /\("a"\).*"dtype" is given twice/],
  ["metadata given twice", file('{"__metadata__":{},"__metadata__":{}}', 0), /"__metadata__" is given twice/],
  [
    "a key of the metadata given twice",
    file('{"__metadata__":{"k":"1","k":"2"}}', 0),
    /\("__metadata__"\).*"k" is given twice/,
  ],
  ["metadata that isn't texts", file({ __metadata__: { n: 1 } }, 0), /\("__metadata__", "n"\) expected "; found "1}}"/],
  ["metadata that is null", file({ __metadata__: null }, 0), /\("__metadata__"\) expected {/],
  [
    "a hole",
    file({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12),
    /"b" starts at byte 8 of the data, expected 4/,
  ],
  ["a hole at the start", file({ a: entry([1], [4, 8]) }, 8), /"a" starts at byte 4 of the data, expected 0/],
  [
    "an overlap",
    file({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8),
    /"b" starts at byte 4 of the data, expected 8/,
  ],
  ["trailing bytes", file({ a: entry([1], [0, 4]) }, 5), /end at byte 4 of the data, the file at 5/],
  ["data cut short", file({ a: entry([1], [0, 4]) }, 3), /end at byte 4 of the data, the file at 3/],
  [
    "a range that doesn't fit the shape",
    file({ a: entry([2], [0, 4]) }, 4),
    /needs 8 bytes for \[2\] F32, its range has 4/,
  ],
  ["a range that runs backwards", file({ a: entry([1], [4, 0]) }, 4), /its range has -4/],
  ["three offsets", file({ a: entry([1], [0, 4, 4]) }, 4), /"a" has 3 data_offsets/],
  ["an unknown dtype", file({ a: entry([1], [0, 4], "f32") }, 4), /"a" has dtype "f32"; the format has BOOL, F4/],
  ["a dtype from the prototype", file({ a: entry([1], [0, 4], "toString") }, 4), /dtype "toString"/],
  ["values that end within a byte", file({ a: entry([3], [0, 2], "F4") }, 2), /"a" ends within a byte: \[3\] F4/],
  ["a negative shape", written("[-1]"), notAWholeNumber],
  ["a shape with a point", written("[1.0]"), notAWholeNumber],
  ["a shape with an exponent", written("[1e0]"), notAWholeNumber],
  ["a leading zero", written("[01]"), notAWholeNumber],
  ["a shape that is a text", written('["1"]'), notAWholeNumber],
  ["a shape that isn't a number", written("[NaN]"), notAWholeNumber],
  ["a size JavaScript can't hold", written("[9007199254740993]"), notAWholeNumber],
  ["a size no number can hold", written(`[${"9".repeat(400)}]`), notAWholeNumber],
  ["fractional offsets", written("[1]", "[0.5,4.5]"), notAWholeNumber],
  ["negative offsets", written("[1]", "[-4,0]"), notAWholeNumber],
  ["a negative zero", written("[1]", "[-0,4]"), notAWholeNumber],
  ["infinite offsets", written("[1]", "[0,1e999]"), notAWholeNumber],
  [
    "a shape that overflows",
    written("[1099511627776,1099511627776]"),
    /"a" is too large: \[1099511627776,1099511627776\] F32/,
  ],
  ["an overflow hidden by a zero", written("[1099511627776,1099511627776,0]", "[0,0]"), /"a" is too large/],
  ["an entry that is null", file({ a: null }, 0), /\("a"\) expected {; found "null}"/],
  ["an entry that is a list", file('{"a":["F32",[1],[0,4]]}', 4), /\("a"\) expected {/],
  ["a dtype that is a table", file({ a: entry([1], [0, 4], { F32: null }) }, 4), /\("a", "dtype"\) expected "/],
  [
    "an entry without a shape",
    file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4),
    /"a" lacks dtype, shape or data_offsets/,
  ],
  [
    "an unknown field",
    file({ a: { ...entry([1], [0, 4]), x: 1 } }, 4),
    /"a" has the field "x"; dtype, shape and data_offsets/,
  ],
  ["a nesting bomb", file(`{"a":${"[".repeat(5e6)}`, 0), /\("a"\) expected {; found "\[\[\[/],
  ["a nesting bomb in a shape", file(`{"a":{"shape":${"[".repeat(5e6)}`, 0), /expected a whole number/],
  [
    "100,000 tensors on one range",
    file(Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`t${i}`, entry([1], [0, 4])])), 4),
    /"t1" starts at byte 0 of the data, expected 4/,
  ],
];
for (const [what, bytes, message] of refused)
  test(`refuses ${what}`, () => {
    assert.throws(
      () => parseSafetensors(bytes),
      ({ message: text }: Error) =>
        text.startsWith("safetensors is not a valid safetensors file: ") && text.length < 400 && message.test(text),
    );
  });

test("a size beyond the data is refused before anything is allocated", () => {
  const bytes = file({ a: entry([2 ** 47], [0, 2 ** 49]) }, 4); // 0.5 PB
  assert.throws(() => parseSafetensors(bytes), /its tensors end at byte 562949953421312 of the data, the file at 4/);
});

test("a folder is not a file", () => {
  assert.throws(() => openSafetensors(tmpdir()), /is not a file/);
});
