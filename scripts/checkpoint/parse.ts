import { type Checkpoint, readSafetensors } from "../../src/load/safetensors";

/** A checkpoint of bytes in memory, see `openSafetensors`. `name` stands for the path. */
export function parseSafetensors(bytes: Uint8Array, name = "safetensors"): Checkpoint {
  return readSafetensors({
    name,
    size: bytes.length,
    read: (begin, length) => new Uint8Array(bytes.subarray(begin, begin + length)),
    close: () => {},
  });
}
