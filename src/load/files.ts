/** Opening files that others have put there: only plain ones, and no larger than they can sensibly be. */
import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { parseTable } from "./json";

/** Most bytes of small files, by what they hold. Hugging Face's own of GPT-2 have 1 kB, 1 MB and 20 kB, the official prompts 345 kB. */
export const LIMIT = { settings: 4e6, vocabulary: 64e6, index: 16e6, line: 64e3, words: 64e6 } as const;

/** Node reads less than 2^31 bytes at once. */
const MAX_READ = 2 ** 30;

/**
 * Opens a plain file for reading; a pipe or a device, which could hang or never end, is refused without a byte read.
 * Throws an Error naming the file if it isn't a plain one; SystemError if it can't be opened.
 */
export function openPlain(file: string): { readonly handle: number; readonly size: number } {
  const handle = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a pipe's other end is not waited for
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new Error(`${file} is not a file but ${kindOf(stat)}`);
    return { handle, size: stat.size };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

/** `length` bytes from `begin` on. Throws an Error naming the file if it ends before. */
export function readBytes(handle: number, file: string, begin: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const n = readSync(handle, bytes, done, Math.min(length - done, MAX_READ), begin + done);
    if (n === 0) throw new Error(`${file} ends at byte ${begin + done}; ${begin + length} are needed`);
    done += n;
  }
  return bytes;
}

/**
 * A small file's text, without a byte-order mark.
 * Throws an Error naming the file if it isn't a plain one, has more than `limit` bytes, or is no UTF-8.
 */
export function readText(file: string, limit: number): string {
  const { handle, size } = openPlain(file);
  try {
    if (size > limit) throw new Error(`${file} has ${size} bytes; such a file has at most ${limit}`);
    return decoded(readBytes(handle, file, 0, size), file);
  } finally {
    closeSync(handle);
  }
}

/** Tools of Windows still write UTF-16, or a code page in which an "é" is one byte. */
function decoded(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const isUtf16 = ["fffe", "feff"].includes(Buffer.from(bytes.subarray(0, 2)).toString("hex"));
    throw new Error(`${file} is ${isUtf16 ? "UTF-16" : "no UTF-8"}: save it as UTF-8`);
  }
}

/**
 * A JSON file that holds a table, `{…}`.
 * Throws an Error naming the file if it doesn't; see `readText`.
 * @param what it should hold, for the message
 */
export const readTable = (file: string, limit: number, what: string): Record<string, unknown> =>
  parseTable(readText(file, limit), file, what);

/** A name for what becomes `file` by renaming, that no other process, machine or container takes. */
export const uniqueBeside = (file: string, ending: string): string => `${file}.${randomUUID()}.${ending}`;

/** What lies there, links followed; undefined if nothing does, or the name can't be one of a file. */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined; // too long, a NUL in it, a folder of it that is a file or closed to us
  }
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO() || stat.isSocket()) return "a pipe";
  return "a device";
}
