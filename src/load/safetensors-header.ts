import { HeaderReader, quote } from "./header-reader";

/** Bits of one value, by dtype: all dtypes of the format. */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;
export type Dtype = keyof typeof BITS;

/** One tensor in a checkpoint file: where it is, not its values. */
export interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Its bytes, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

interface Header {
  /** By name, in the header's order. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The header of a .safetensors file: the format's own small part of JSON. What the reference implementation (0.8) refuses is refused.
 * Stricter than it, because each of these means that the writer was broken or that readers would disagree:
 * - a name or a metadata key given twice (it takes the last, JSON readers elsewhere the first), a field of an entry that the format doesn't have,
 *   and an entry or dtype written in another form (`["F32",[1],[0,4]]`, `{"F32":null}`);
 * - white space before the first `{`, and `__metadata__` that is null;
 * - numbers and products of sizes beyond 2^53 - 1, which JavaScript can't hold.
 * Nothing nests deeper than the format does, so that no input takes more memory than a small multiple of its own size.
 * Throws an Error saying what is wrong and in which entry.
 * @param bytes the header without its length
 * @param dataSize bytes that follow it
 */
export function parseHeader(bytes: Uint8Array, dataSize: number): Header {
  if (bytes[0] !== 0x7b) throw new Error("its header does not start with {");
  const reader = new HeaderReader(decodeUtf8(bytes));
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> = {};
  reader.table((name) => {
    if (name === "__metadata__") metadata = readMetadata(reader);
    else entries.set(name, readEntry(name, reader));
  });
  reader.end();
  checkRanges(entries, dataSize);
  return { entries, metadata };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("its header is not UTF-8");
  }
}

function readMetadata(reader: HeaderReader): Record<string, string> {
  const pairs: [string, string][] = [];
  reader.table((key) => pairs.push([key, reader.text()]));
  return Object.fromEntries(pairs);
}

function readEntry(name: string, reader: HeaderReader): Entry {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  reader.table((field) => {
    if (field === "dtype") dtype = reader.text();
    else if (field === "shape") shape = reader.list(() => reader.size());
    else if (field === "data_offsets") range = reader.list(() => reader.size());
    else throw new Error(`${quote(name)} has the field ${quote(field)}; dtype, shape and data_offsets are allowed`);
  });
  if (dtype === undefined || shape === undefined || range === undefined)
    throw new Error(`${quote(name)} lacks dtype, shape or data_offsets`);
  if (!isDtype(dtype))
    throw new Error(`${quote(name)} has dtype ${quote(dtype)}; the format has ${Object.keys(BITS).join(", ")}`);
  if (range.length !== 2)
    throw new Error(
      `${quote(name)} has ${range.length} data_offsets; its first byte and the byte after its last are needed`,
    );
  const [begin, end] = range;
  const size = byteCount(name, shape, dtype);
  if (end - begin !== size)
    throw new Error(
      `${quote(name)} needs ${size} bytes for ${showShape(shape)} ${dtype}, its range has ${end - begin}`,
    );
  return { dtype, shape, begin, end };
}

const isDtype = (text: string): text is Dtype => Object.hasOwn(BITS, text);

/** Bytes that a tensor takes in the file. Throws if they are too many for a number, or no whole bytes. */
export function byteCount(name: string, shape: readonly number[], dtype: Dtype): number {
  let bits: number = BITS[dtype];
  for (const n of shape) {
    bits *= n;
    // at every step: a 0 further on would hide the overflow
    if (!Number.isSafeInteger(bits)) throw new Error(`${quote(name)} is too large: ${showShape(shape)} ${dtype}`);
  }
  if (bits % 8 !== 0) throw new Error(`${quote(name)} ends within a byte: ${showShape(shape)} ${dtype}`);
  return bits / 8;
}

/** Ranges must follow each other without hole or overlap, from the first byte to the last. */
function checkRanges(entries: ReadonlyMap<string, Entry>, dataSize: number): void {
  let next = 0;
  for (const [name, { begin, end }] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next) throw new Error(`${quote(name)} starts at byte ${begin} of the data, expected ${next}`);
    next = end;
  }
  if (next !== dataSize) throw new Error(`its tensors end at byte ${next} of the data, the file at ${dataSize}`);
}

const showShape = (shape: readonly number[]) => `[${shape.slice(0, 8)}${shape.length > 8 ? ", …" : ""}]`;
