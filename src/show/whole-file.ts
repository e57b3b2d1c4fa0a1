import { randomUUID } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";

/** Why a file can't be written, by the system's code; of other codes its message tells. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is full",
  EFBIG: "files may not be so large here (ulimit -f)",
};

/**
 * Writes a file: who reads it meanwhile finds the old one or the new one, never a half; nothing is left of a failed try.
 * Throws Error if it can't be written, with the reason and the system's `code`.
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const part = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    writeFileSync(part, content, { flag: "wx" });
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ""] ?? message;
    throw Object.assign(new Error(`${path} can't be written: ${reason}`, { cause: error }), { code });
  }
}
