// Plain JavaScript: set-up takes this lock before there is a compiler; downloads take it, too.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.mjs";

/** A live owner touches its lock this often (ms); a lock untouched for ten times that is nobody's, whatever its pid. */
const HEARTBEAT = 3_000;

/**
 * @typedef {object} Waiting
 * @property {(line: string) => void} say
 * @property {string} doing what is done under the lock: "setting up this folder"
 * @property {number} patience ms to wait for others
 * @property {AbortSignal} [signal] ends the waiting with its reason
 */

/**
 * Runs `work` while no other process runs work under the same lock file. A lock whose owner is gone is taken over,
 * but only after the installer that the owner left behind has ended too: it would go on writing.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {Partial<Waiting>} [options]
 */
export async function withLock(file, work, options = {}) {
  await acquire(file, { say: () => {}, doing: "setting up this folder", patience: 15 * 60_000, ...options });
  const heartbeat = setInterval(() => touch(file), HEARTBEAT).unref();
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener("exit", release);
    release();
  }
}

/**
 * Records which installer runs under the lock.
 * @param {string} file
 * @param {number | undefined} child its pid
 */
export function noteChild(file, child) {
  writeFileSync(file, JSON.stringify({ pid: process.pid, child }));
}

/**
 * @param {string} file
 * @param {Waiting} options
 */
async function acquire(file, { say, doing, patience, signal }) {
  const deadline = Date.now() + patience;
  mkdirSync(dirname(file), { recursive: true });
  let told = 0;
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify({ pid: process.pid }), { flag: "wx" });
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const holder = holderOf(file);
    if (holder === 0) {
      takeAway(file);
      continue;
    }
    if (holder > 0 && holder !== told) say(`Waiting for process ${holder}, which is ${doing} …`);
    told = holder;
    if (Date.now() > deadline) {
      throw new Problem(
        `Process ${holder} has been ${doing} for a long time. End it, delete ${file}, and run the command again.`,
      );
    }
    signal?.throwIfAborted();
    await sleep(250);
  }
}

/**
 * @param {string} file
 * @returns {number} the process to wait for, -1 if it is not known yet, 0 if there is none
 */
function holderOf(file) {
  try {
    const age = Date.now() - statSync(file).mtimeMs;
    const { pid, child } = JSON.parse(readFileSync(file, "utf8") || "{}");
    // an empty file: its owner is just about to write it, or was ended before it could
    if (pid === undefined) return age < 2_000 ? -1 : 0;
    if (isAlive(pid) && age < 10 * HEARTBEAT) return pid;
    return child !== undefined && isAlive(child) ? child : 0;
  } catch {
    return 0; // gone or unreadable meanwhile: try again
  }
}

/**
 * Renames first, so that only one of several takers succeeds, and gives back what turns out to be a live lock.
 * @param {string} file
 */
function takeAway(file) {
  const grave = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, grave);
    if (holderOf(grave) === 0) rmSync(grave, { force: true });
    else renameSync(grave, file);
  } catch {
    // another process was quicker
  }
}

/** @param {string} file */
function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // removed by hand: nothing to keep alive
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
