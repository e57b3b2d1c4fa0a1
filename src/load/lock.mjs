// Plain JavaScript: set-up takes this lock before there is a compiler; downloads take it, too.
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.mjs";

/** A live owner touches its lock this often (ms). */
const HEARTBEAT = 3_000;
/** A lock untouched for so long (ms) is nobody's. */
const STALE = 10 * HEARTBEAT;
/** A lock without a readable owner is about to be written; after this time (ms) its writer was ended before it could. */
const UNFINISHED = 2_000;
/** Most bytes that are read of a lock. */
const LONGEST = 4096;

/**
 * @typedef {object} Waiting
 * @property {(line: string) => void} say
 * @property {string} doing what is done under the lock: "setting up this folder"
 * @property {number} patience ms to wait for others
 * @property {AbortSignal} [signal] ends the waiting with its reason
 */

/**
 * Who holds a lock. A process id says something only where its processes can be seen: on this machine, since it was started, and in this
 * container; `place` names that. Elsewhere the owner's heartbeat alone tells whether it lives.
 * @typedef {object} Owner
 * @property {number} pid
 * @property {string} [id] no other owner's
 * @property {string} [host]
 * @property {string} [place]
 * @property {number} [child] the installer that it has started
 */

/** The lock is another's now: this process slept too long, or someone deleted its file. */
class LockLost extends Error {}

/**
 * Runs `work` while no other process runs work under the same lock file, on any machine or in any container that shares it. A lock whose owner
 * is gone is taken over, but only after the installer that the owner left behind has ended too: it would go on writing.
 * @template T
 * @param {string} file
 * @param {(check: () => void) => Promise<T>} work `check` throws if the lock was lost meanwhile, for instance because the computer slept;
 *   the work is then begun anew once the lock is ours again
 * @param {Partial<Waiting>} [options]
 * @returns {Promise<T>}
 */
export async function withLock(file, work, options = {}) {
  const waiting = { say: () => {}, doing: "setting up this folder", patience: 15 * 60_000, ...options };
  for (;;) {
    const id = await acquire(file, waiting);
    const heartbeat = setInterval(() => touch(file, id), HEARTBEAT).unref();
    const release = () => give(file, id);
    process.once("exit", release);
    try {
      return await work(checkOf(file, id));
    } catch (error) {
      if (!(error instanceof LockLost)) throw error;
      waiting.say(`Another process took over ${waiting.doing} while this one slept; waiting for it …`);
    } finally {
      clearInterval(heartbeat);
      process.removeListener("exit", release);
      release();
    }
  }
}

/**
 * Records which installer runs under this process's lock.
 * @param {string} file
 * @param {number | undefined} child its pid
 */
export function noteChild(file, child) {
  const owner = read(file)?.owner;
  if (owner?.pid === process.pid && isHere(owner)) writeFileSync(file, JSON.stringify({ ...owner, child }));
}

/**
 * @param {string} file
 * @param {string} id
 */
function checkOf(file, id) {
  let checked = Date.now();
  return () => {
    const now = Date.now();
    // nobody takes a lock that was touched a moment ago, and whoever could ask did not sleep
    if (now - checked > HEARTBEAT && !touch(file, id)) throw new LockLost();
    checked = now;
  };
}

/**
 * @param {string} file
 * @param {Waiting} options
 * @returns {Promise<string>} the id of this hold
 */
async function acquire(file, { say, doing, patience, signal }) {
  const [id, started] = [randomUUID(), performance.now()];
  mkdirSync(dirname(file), { recursive: true });
  let told = "";
  const isStale = watch();
  for (;;) {
    const own = { pid: process.pid, id, host: hostname(), place: PLACE };
    try {
      writeFileSync(file, JSON.stringify(own), { flag: "wx" });
      return id;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const found = read(file);
    if (found === undefined) continue; // gone meanwhile
    if (isStale(found)) {
      takeAway(file, found);
      continue;
    }
    const name = nameOf(found.owner);
    if (found.owner && name !== told) say(`Waiting for ${name}, which is ${doing} …`);
    if (found.owner) told = name;
    if (performance.now() - started > patience) {
      const who = name.replace(/^p/, "P");
      throw new Problem(`${who} has been ${doing} for a long time. End it, delete ${file}, and run the command again.`);
    }
    signal?.throwIfAborted();
    await sleep(250);
  }
}

/** @param {Owner | undefined} owner */
function nameOf(owner) {
  if (!owner) return "another process";
  const elsewhere = isHere(owner) ? "" : ` on ${owner.host}`;
  return `process ${isHere(owner) && !isAlive(owner.pid) ? owner.child : owner.pid}${elsewhere}`;
}

/**
 * A lock as it was found.
 * @typedef {object} Found
 * @property {Owner | undefined} owner undefined if it isn't written yet, or unreadable
 * @property {string} text
 * @property {number} touched ms since 1970, by the clock of whoever touched it
 */

/**
 * Tells of a lock, asked again and again, whether it is nobody's. A lock of another machine is watched for a while: clocks differ.
 * @returns {(found: Found) => boolean}
 */
function watch() {
  let seen = "";
  let since = 0;
  return ({ owner, text, touched }) => {
    const state = `${touched} ${text}`;
    if (state !== seen) [seen, since] = [state, performance.now()];
    const [watched, age] = [performance.now() - since, Date.now() - touched];
    const limit = owner ? STALE : UNFINISHED;
    if (owner && !isHere(owner)) return watched >= limit;
    if (owner?.child !== undefined && isAlive(owner.child)) return false; // it would go on writing
    if (owner && !isAlive(owner.pid)) return true;
    return watched >= limit || age >= limit;
  };
}

/**
 * @param {string} file
 * @returns {Found | undefined} undefined if there is none
 */
function read(file) {
  try {
    // opened, because an opened file's time is true on network disks, too; a pipe in its place is not waited for
    const handle = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const bytes = Buffer.alloc(LONGEST);
      const text = bytes.toString("utf8", 0, readSync(handle, bytes));
      return { owner: ownerIn(text), text, touched: fstatSync(handle).mtimeMs };
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * @param {string} text
 * @returns {Owner | undefined}
 */
function ownerIn(text) {
  try {
    const owner = JSON.parse(text);
    return Number.isSafeInteger(owner.pid) && owner.pid > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Renames first, so that only one of several takers succeeds, and gives back what turns out to be another lock than was found stale.
 * @param {string} file
 * @param {Found} stale
 */
function takeAway(file, stale) {
  const grave = `${file}.${randomUUID()}.stale`;
  try {
    renameSync(file, grave);
    const taken = read(grave);
    if (taken && (taken.text !== stale.text || taken.touched !== stale.touched)) linkSync(grave, file);
  } catch {
    // another process was quicker
  }
  rmSync(grave, { force: true });
}

/**
 * @param {string} file
 * @param {string} id
 */
const isOwn = (file, id) => read(file)?.owner?.id === id;

/**
 * @param {string} file
 * @param {string} id
 * @returns {boolean} whether the lock is still ours
 */
function touch(file, id) {
  try {
    if (!isOwn(file, id)) return false;
    utimesSync(file, new Date(), new Date());
    return true;
  } catch {
    return false; // removed meanwhile
  }
}

/**
 * @param {string} file
 * @param {string} id
 */
function give(file, id) {
  try {
    if (isOwn(file, id)) rmSync(file, { force: true });
  } catch {
    // unreadable: not ours to remove
  }
}

/** Where this process's id means something: this machine since it was started, this container. */
const PLACE = [
  contentOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? hostname(),
  contentOf(() => readlinkSync("/proc/self/ns/pid")) ?? "",
].join(" ");

/** @param {() => string} read */
function contentOf(read) {
  try {
    return read();
  } catch {
    return undefined; // no Linux
  }
}

/** @param {Owner} owner a lock of an earlier version names no place */
function isHere({ place }) {
  return place === undefined || place === PLACE;
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
