// An error as a notebook's reader needs it.
const { inspect, types } = require("node:util");

/** @typedef {import("./cell-lines.cjs").Place} Place */

/** tslab's own interrupt, and Node's of a cell that never gave others a turn. A sweep has better words of its own. */
const INTERRUPTED = /^Interrupted asynchronously$|^Script execution was interrupted/;
/** A frame of Node, of a package, or of the kernel and its call of the cell. */
const FOREIGN = /node_modules[/\\]|\bnode:|<anonymous>\)?$|\bcell-\d+:|scripts[/\\]notebooks[/\\]/;
const FRAME = /^ *at (?:async )?(?:new )?(?:(?:Object|Proxy)\.)?(?:(.+) \()?/;

/** A cell that the reader stopped. */
class Interrupted extends Error {
  constructor() {
    super("interrupted; the kernel is ready for the next cell");
    this.name = "Interrupted";
  }
}

/** @param {unknown} error */
const isInterrupt = (error) => error instanceof Error && INTERRUPTED.test(error.message);

/**
 * The message first, then the lines of cells that led to it. Frames of packages and of the kernel are left out.
 * @param {unknown} error
 * @param {(frame: string) => Place | undefined} place
 * @param {number} running the cell that runs
 * @param {{ library?: boolean }} [options] library: with the library's own frames, which who works on it needs
 * @returns {string}
 */
function describe(error, place, running, { library = false } = {}) {
  if (!types.isNativeError(error)) return inspect(error);
  // where the cell was when it was interrupted helps nobody
  if (error instanceof Interrupted || error.name === "SweepInterrupted") return `${error.message}.`;
  const frames = (error.stack ?? "").split("\n").flatMap((frame) => {
    const at = place(frame);
    if (at) return [located(at, running, FRAME.exec(frame)?.[1])];
    return library && /^ *at /.test(frame) && !FOREIGN.test(frame) ? [frame] : [];
  });
  const errors = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  const inner = [...errors, error.cause].filter((one) => one != null);
  const because = inner.map((one) => `because of ${describe(one, place, running, { library })}`);
  return [`${error.name}: ${error.message}`, ...new Set(frames), ...because].join("\n");
}

/**
 * A line of a cell as a frame says it.
 * @param {Place} place
 * @param {number} running
 * @param {string} [name] of the function
 */
function located({ cell, line, text }, running, name) {
  const within = [name, cell === running ? "" : `cell [${cell}]`, `line ${line}`].filter(Boolean).join(", ");
  return `    at ${within}: ${text}`;
}

module.exports = { describe, Interrupted, isInterrupt, located };
