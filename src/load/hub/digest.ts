import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { statOf } from "../files";

/** What the hub calls a file's content: sha256 (64 digits, of large files) or git's sha1 (40 digits). */
export const isDigest = (text: string): boolean => /^([0-9a-f]{64}|[0-9a-f]{40})$/.test(text);

/** Whether a plain file of this size and content is there. Only one of the right size is read. */
export async function isWhole(file: string, size: number, digest: string): Promise<boolean> {
  const found = statOf(file);
  return found?.isFile() === true && found.size === size && (await digestOf(file, digest)) === digest;
}

/** A file's digest of the same kind as `like`. Reads it from disk, so that it tells what will be loaded. */
export async function digestOf(file: string, like: string): Promise<string> {
  const isSha256 = like.length === 64;
  const hash = createHash(isSha256 ? "sha256" : "sha1");
  if (!isSha256) hash.update(`blob ${(await stat(file)).size}\0`); // git hashes the size along
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}
