import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

// A stamp lies inside the thing that it vouches for, so that deleting the thing deletes the stamp. It is removed
// before the work starts and written last: an interrupted step is never taken for a finished one.

/** @param {Record<string, unknown>} inputs */
function hashOf(inputs) {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex");
}

/** @param {string} file */
export function hashFile(file) {
  return existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : "missing";
}

/**
 * One hash for names and contents of the files below a folder.
 * @param {string} folder
 * @param {(name: string) => boolean} counts
 */
export function hashFolder(folder, counts) {
  if (!existsSync(folder)) return "missing";
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(counts).sort();
  return hashOf(Object.fromEntries(names.map((name) => [name, hashFile(join(folder, name))])));
}

/**
 * @param {string} stamp
 * @param {Record<string, unknown>} inputs
 */
export function isCurrent(stamp, inputs) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hashOf(inputs);
}

/** @param {string} stamp */
export function removeStamp(stamp) {
  rmSync(stamp, { force: true });
}

/**
 * @param {string} stamp
 * @param {Record<string, unknown>} inputs
 */
export function writeStamp(stamp, inputs) {
  writeAtomically(stamp, hashOf(inputs));
}

/**
 * Writes a file whole or not at all. The half is no other writer's: in two containers that share a folder, process ids are the same.
 * @param {string} file
 * @param {string | Uint8Array} content
 */
export function writeAtomically(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  const half = `${file}.${randomUUID()}.tmp`;
  try {
    writeFileSync(half, content);
    renameSync(half, file);
  } catch (error) {
    rmSync(half, { force: true }); // a full disk
    throw error;
  }
}
