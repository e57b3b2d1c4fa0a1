/** What must hold of a file that was accepted, worked out by other means than the reader's own. */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import type { Checkpoint } from "../../src/load/safetensors";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** "BF16" → 16, "F6_E2M3" → 6; the format's only dtype without a number has a byte. */
const bitsOf = (dtype: string) => (dtype === "BOOL" ? 8 : Number(/\d+/.exec(dtype)![0]));

const TEXT = /"(?:[^"\\]|\\.)*"/g;

/** Keys in a table and the tables in it. */
function countKeys(value: unknown): number {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return 0;
  return Object.values(value).reduce((sum: number, inner) => sum + 1 + countKeys(inner), 0);
}

/** Throws AssertionError if the file is inconsistent or the checkpoint says something else than the file. */
export function checkAccepted(bytes: Uint8Array, checkpoint: Checkpoint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const dataStart = 8 + Number(view.getBigUint64(0, true));
  assert.ok(isUtf8(bytes.subarray(8, dataStart)));
  const text = Buffer.from(bytes.subarray(8, dataStart)).toString();
  assert.match(
    text.replaceAll(TEXT, ""),
    /^\{[\d\s{}[\]:,]*$/,
    "no number but in digits, no word, no white space first",
  );
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text) as Record<string, unknown>;
  const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"\s*:/g)].length;
  const hasMetadata = Object.hasOwn(JSON.parse(text), "__metadata__") ? 1 : 0;
  assert.equal(countKeys(entries) + countKeys(metadata) + hasMetadata, written, "no key twice");
  assert.deepEqual({ ...checkpoint.metadata }, metadata);
  assert.deepEqual([...checkpoint.names].sort(), Object.keys(entries).sort());
  const uses = new Uint8Array(bytes.length - dataStart);
  for (const [name, entry] of Object.entries(entries)) {
    checkEntry(entry as Entry, uses);
    checkValues(name, entry as Entry, { checkpoint, view, dataStart });
  }
  assert.ok(
    uses.every((n) => n === 1),
    "each byte belongs to one tensor",
  );
}

function checkEntry({ dtype, shape, data_offsets, ...rest }: Entry, uses: Uint8Array): void {
  assert.deepEqual(rest, {});
  assert.equal(data_offsets.length, 2);
  const [begin, end] = data_offsets;
  for (const n of [...shape, begin, end]) assert.ok(Number.isSafeInteger(n) && n >= 0 && !Object.is(n, -0));
  const bits = shape.reduce((product, n) => product * BigInt(n), BigInt(bitsOf(dtype)));
  assert.equal(bits, 8n * BigInt(end - begin));
  assert.ok(begin <= end && end <= uses.length);
  for (let i = begin; i < end; i++) uses[i] += 1;
}

interface Opened {
  readonly checkpoint: Checkpoint;
  readonly view: DataView;
  readonly dataStart: number;
}

function checkValues(
  name: string,
  { dtype, shape, data_offsets }: Entry,
  { checkpoint, view, dataStart }: Opened,
): void {
  assert.deepEqual(checkpoint.shape(name), shape);
  if (!["F32", "F16", "BF16", "F64"].includes(dtype)) {
    assert.throws(
      () => checkpoint.read(name),
      new RegExp(` is stored as ${dtype}; only F32, F16, BF16, F64 can be read`),
    );
    return;
  }
  const read = checkpoint.read(name);
  assert.deepEqual(read.shape, shape);
  assert.equal(
    read.values.length,
    shape.reduce((a, b) => a * b, 1),
  );
  const upper = new DataView(new ArrayBuffer(4));
  read.values.forEach((value, i) => {
    const at = dataStart + data_offsets[0] + i * (bitsOf(dtype) / 8);
    if (dtype === "F32") assert.equal(value, view.getFloat32(at, true));
    if (dtype === "F64") assert.equal(value, Math.fround(view.getFloat64(at, true)));
    if (dtype !== "BF16") return;
    upper.setUint16(0, view.getUint16(at, true));
    assert.equal(value, upper.getFloat32(0));
  });
}
