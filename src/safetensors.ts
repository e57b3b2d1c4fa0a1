import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fromHalf, toHalf } from "./half";

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
type Dtype = keyof typeof BYTES;

/** One tensor in a checkpoint file: where it is, not its values. */
interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface TensorData {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** An open checkpoint: tensors are read one at a time, so that a large file is never in memory twice. */
export interface Checkpoint {
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  shape(name: string): readonly number[];
  /** Reads one tensor as float32. @throws if there is none of that name or the file is cut short. */
  read(name: string): TensorData;
  close(): void;
}

const MAX_HEADER = 100_000_000; // the reference implementation's limit

/** Where a checkpoint's bytes come from: a file, or memory in tests. */
interface Source {
  readonly name: string;
  readonly size: number;
  read(begin: number, length: number): Uint8Array;
  close(): void;
}

/** Opens a .safetensors file and checks its whole header. @throws if the file isn't a valid one; says what is wrong. */
export function openSafetensors(path: string): Checkpoint {
  const file = openSync(path, "r");
  try {
    return open({
      name: path,
      size: fstatSync(file).size,
      read: (begin, length) => {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const n = readSync(file, bytes, done, length - done, begin + done);
          if (n === 0) throw new Error(`${path} ends at byte ${begin + done}; ${begin + length} are needed`);
          done += n;
        }
        return bytes;
      },
      close: () => closeSync(file),
    });
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The same for bytes in memory. */
export function parseSafetensors(bytes: Uint8Array, name = "safetensors"): Checkpoint {
  return open({
    name,
    size: bytes.length,
    read: (begin, n) => new Uint8Array(bytes.subarray(begin, begin + n)),
    close: () => {},
  });
}

function open(source: Source): Checkpoint {
  const fail = (what: string): never => {
    throw new Error(`${source.name} is not a valid safetensors file: ${what}`);
  };
  if (source.size < 8) fail(`it has ${source.size} bytes, the header's length alone takes 8`);
  const length = new DataView(source.read(0, 8).buffer).getBigUint64(0, true);
  if (length > MAX_HEADER) fail(`its header would have ${length} bytes, the limit is ${MAX_HEADER}`);
  const dataStart = 8 + Number(length);
  if (dataStart > source.size) fail(`its header would end at byte ${dataStart}, the file at ${source.size}`);
  const { entries, metadata } = parseHeader(source.read(8, Number(length)), source.size - dataStart, fail);
  const entry = (name: string): Entry => {
    const found = entries.get(name);
    if (!found) throw new Error(`${source.name} has no tensor "${name}"`);
    return found;
  };
  return {
    names: [...entries.keys()],
    metadata,
    shape: (name) => entry(name).shape,
    read: (name) => {
      const { dtype, shape, begin, end } = entry(name);
      return { shape, values: toFloat32(source.read(dataStart + begin, end - begin), dtype) };
    },
    close: source.close,
  };
}

interface Header {
  readonly entries: Map<string, Entry>;
  readonly metadata: Record<string, string>;
}

function parseHeader(bytes: Uint8Array, dataSize: number, fail: (what: string) => never): Header {
  if (bytes[0] !== 0x7b) fail("its header does not start with {");
  let text = "";
  let header: Record<string, unknown> = {};
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    fail(`its header is not JSON (${(error as Error).message})`);
  }
  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") entries.set(name, checkEntry(name, value, fail));
  }
  // ranges must follow each other without hole or overlap, from the first byte to the last
  let next = 0;
  for (const [name, { begin, end }] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next) fail(`"${name}" starts at byte ${begin} of the data, expected ${next}`);
    next = end;
  }
  if (next !== dataSize) fail(`its tensors end at byte ${next} of the data, the file at ${dataSize}`);
  const metadata = (header.__metadata__ ?? {}) as Record<string, string>;
  if (typeof metadata !== "object" || Object.values(metadata).some((value) => typeof value !== "string"))
    fail("its __metadata__ is not a table of texts");
  return { entries, metadata };
}

const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

function checkEntry(name: string, value: unknown, fail: (what: string) => never): Entry {
  const { dtype, shape, data_offsets } = (value ?? {}) as Record<string, unknown>;
  if (!(typeof dtype === "string" && Object.hasOwn(BYTES, dtype)))
    fail(`"${name}" has dtype ${JSON.stringify(dtype)}; ${Object.keys(BYTES).join(", ")} can be read`);
  if (!(Array.isArray(shape) && shape.every(isSize))) fail(`"${name}" has shape ${JSON.stringify(shape)}`);
  if (!(Array.isArray(data_offsets) && data_offsets.length === 2 && data_offsets.every(isSize)))
    fail(`"${name}" has data_offsets ${JSON.stringify(data_offsets)}`);
  const [begin, end] = data_offsets as number[];
  const size = (shape as number[]).reduce((a, b) => a * b, BYTES[dtype as Dtype]);
  if (end - begin !== size) fail(`"${name}" needs ${size} bytes for [${shape}] ${dtype}, its range has ${end - begin}`);
  return { dtype: dtype as Dtype, shape: shape as number[], begin, end };
}

function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  if (dtype === "F32") return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    if (dtype === "BF16") bits[i] = halves[i] << 16;
    else out[i] = fromHalf(halves[i]);
  }
  return out;
}

/** The bytes of a .safetensors file, tensors in the order given; as F16 values are rounded. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, TensorData>>,
  { metadata = {}, dtype = "F32" }: { metadata?: Readonly<Record<string, string>>; dtype?: "F32" | "F16" } = {},
): Uint8Array {
  const stored = Object.entries(tensors).map(([name, { shape, values }]) => {
    const data = dtype === "F32" ? values : Uint16Array.from(values, toHalf);
    return { name, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  });
  let offset = 0;
  const entries = stored.map(({ name, shape, bytes }) => {
    const begin = offset;
    offset += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, offset] }];
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const header = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8)); // so that the data is aligned
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return new Uint8Array(Buffer.concat([length, header, ...stored.map(({ bytes }) => bytes)]));
}
