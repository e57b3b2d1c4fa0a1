import { bfloatsToFloats, halvesToFloats } from "./half";
import { quote } from "./header-reader";
import { type Dtype, type Entry, parseHeader } from "./safetensors-header";

/** The file that holds all weights of a model, where they are not in parts. */
export const WEIGHTS = "model.safetensors";

export interface TensorData {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** An open checkpoint: tensors are read one at a time, so that a large file is never in memory twice. */
export interface Checkpoint {
  /** The file's path; of several parts their index. */
  readonly file: string;
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** The path of the file that holds this tensor. Throws if there is none of that name. */
  fileOf(name: string): string;
  /** Throws if there is no tensor of that name. */
  shape(name: string): readonly number[];
  /** Reads one tensor as float32. Throws if there is none of that name, its dtype isn't F32, F16, BF16 or F64, or the file was cut short since. */
  read(name: string): TensorData;
  close(): void;
}

const MAX_HEADER = 100_000_000; // the reference implementation's limit

/** Where a checkpoint's bytes come from: a file, or memory. */
export interface Source {
  readonly name: string;
  readonly size: number;
  /** A copy of bytes that are known to lie within `size`. */
  read(begin: number, length: number): Uint8Array;
  close(): void;
}

/**
 * A checkpoint of such bytes, whose whole header is checked: what the reference implementation refuses is refused (see `parseHeader`). Any of
 * the format's dtypes may stand in the file. Nothing is allocated by a number from the file before it is compared with the file's size.
 * Throws if they aren't a valid file; says what is wrong.
 */
export function readSafetensors(source: Source): Checkpoint {
  const { dataStart, entries, metadata } = readHeader(source);
  const entry = (name: string): Entry => {
    const found = entries.get(name);
    if (!found) throw new Error(`${source.name} has no tensor ${quote(name)}`);
    return found;
  };
  return {
    file: source.name,
    names: [...entries.keys()],
    metadata,
    fileOf: (name) => {
      entry(name);
      return source.name;
    },
    shape: (name) => entry(name).shape,
    read: (name) => {
      const { dtype, shape, begin, end } = entry(name);
      const toFloat32 = TO_FLOAT32[dtype];
      if (!toFloat32)
        throw new Error(
          `${source.name}: ${quote(name)} is stored as ${dtype}; only ${Object.keys(TO_FLOAT32).join(", ")} can be read`,
        );
      return { shape, values: toFloat32(source.read(dataStart + begin, end - begin).buffer) };
    },
    close: source.close,
  };
}

function readHeader(source: Source) {
  const { name, size, read } = source;
  try {
    if (size < 8) throw new Error(`it has ${size} bytes, the header's length alone takes 8`);
    const start = read(0, 8);
    if (String.fromCharCode(...start) === "version ")
      throw new Error("it is a Git LFS pointer that stands for the file; fetch the file itself with `git lfs pull`");
    const length = new DataView(start.buffer).getBigUint64(0, true);
    if (length > MAX_HEADER) throw new Error(`its header would have ${length} bytes, the limit is ${MAX_HEADER}`);
    const dataStart = 8 + Number(length);
    if (dataStart > size) throw new Error(`its header would end at byte ${dataStart}, the file at ${size}`);
    return { dataStart, ...parseHeader(read(8, Number(length)), size - dataStart) };
  } catch (error) {
    throw new Error(`${name} is not a valid safetensors file: ${(error as Error).message}`, { cause: error });
  }
}

/** The dtypes that can be read. */
const TO_FLOAT32: { readonly [D in Dtype]?: (bytes: ArrayBufferLike) => Float32Array } = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => halvesToFloats(new Uint16Array(bytes)),
  BF16: (bytes) => bfloatsToFloats(new Uint16Array(bytes)),
  F64: (bytes) => Float32Array.from(new Float64Array(bytes)),
};
