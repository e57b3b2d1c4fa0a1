/** Writing .safetensors: what trains, makes or damages checkpoints needs it; the library only reads. */

import type { TensorData } from "../../src/load/safetensors";
import { byteCount, type Dtype } from "../../src/load/safetensors-header";
import { quote } from "../../src/numbers/text";
import { toHalf } from "./half";

/** The header of a file whose tensors lie in the order given, with its length before it: all bytes before the data. */
export function encodeHeader(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly dtype: Dtype }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (tensors.has("__metadata__")) throw new Error("no tensor can be called __metadata__ in a safetensors file");
  let end = 0;
  const entries = [...tensors].map(([name, { shape, dtype }]) => {
    const begin = end;
    end += byteCount(name, shape, dtype);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const header = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8)); // so that the data is aligned
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}

/** The bytes of a .safetensors file, tensors in the order given; as F16 values are rounded. Throws if a shape doesn't fit its values. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, TensorData>>,
  { metadata = {}, dtype = "F32" }: { metadata?: Readonly<Record<string, string>>; dtype?: "F32" | "F16" } = {},
): Uint8Array {
  const data = Object.entries(tensors).map(([name, { shape, values }]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    if (size !== values.length)
      throw new Error(`${quote(name)}: [${shape}] needs ${size} values, not ${values.length}`);
    const stored = dtype === "F32" ? values : Uint16Array.from(values, toHalf);
    return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  });
  const shapes = Object.entries(tensors).map(([name, { shape }]) => [name, { shape, dtype }] as const);
  return new Uint8Array(Buffer.concat([encodeHeader(new Map(shapes), metadata), ...data]));
}
