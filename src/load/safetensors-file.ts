import { closeSync } from "node:fs";
import { openPlain, readBytes } from "./files";
import { type Checkpoint, readSafetensors } from "./safetensors";

/** Opens a .safetensors file, see `readSafetensors`. Throws if it isn't a valid one; says what is wrong. */
export function openSafetensors(path: string): Checkpoint {
  const { handle, size } = openPlain(path);
  try {
    return readSafetensors({
      name: path,
      size,
      read: (begin, length) => readBytes(handle, path, begin, length),
      close: () => closeSync(handle),
    });
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}
