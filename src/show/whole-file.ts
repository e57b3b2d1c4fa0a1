import { renameSync, writeFileSync } from "node:fs";

/** Writes a file whole: who reads it meanwhile finds the old one or the new one, never a half. */
export function writeWhole(path: string, content: string | Buffer): void {
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, content);
  renameSync(part, path);
}
