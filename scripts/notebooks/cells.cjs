// How a cell ends: with everything that it started and that failed. tslab alone shows `Promise { <rejected> }` and goes on.
const { AsyncLocalStorage } = require("node:async_hooks");
const { setImmediate: turn, setTimeout: sleep } = require("node:timers/promises");
const { types } = require("node:util");
const { lineOf } = require("./cell-lines.cjs");
const { describe, Interrupted, isInterrupt, located } = require("./describe.cjs");

/**
 * @typedef {object} Failure
 * @property {number} cell execution count of the cell that started what failed; 0 if unknown
 * @property {unknown} error
 * @property {string} text for the reader
 * @property {string} trace the same with what the library did, for who works on it
 */

/** How long an empty cell waits for what earlier cells left running, in milliseconds. */
const LONGEST_WAIT = 5000;
/** What the kernel itself keeps open, or what can stay open for ever without doing anything. */
const STAYS_OPEN = new Set(["FSEventWrap", "StatWatcher", "PipeWrap", "TTYWrap", "TCPServerWrap", "MessagePort"]);
const UNAWAITED = "\nNothing waited for the promise that failed so: write `await` before the call that made it.";

/** What happens to the cells of one kernel. */
class Cells {
  /** Follows work from the cell that started it, through every `await` and timer. @type {AsyncLocalStorage<number>} */
  #origin = new AsyncLocalStorage();
  #count = 0;
  #running = false;
  /** Whether the cell was asked to end. */
  #asked = false;
  /** Of the cell that runs, or since the last one ended. @type {Failure[]} */
  #failures = [];
  /** What the cell that runs, or ran last, shows of its failures. @type {string[]} */
  #shown = [];
  /** @type {(error: Error) => void} */
  #interrupt = () => {};
  #source = "";

  /** @param {InstanceType<typeof import("./cell-lines.cjs").CellLines>} lines */
  constructor(lines) {
    this.lines = lines;
  }

  /** Execution count of the cell that runs, or ran last. */
  get count() {
    return this.#count;
  }

  /**
   * tslab's executor, whose cells
   * - last as long as their last value if that is a promise; what it gives is shown, its error is the cell's;
   * - fail if an error was lost while they ran or since the cell before;
   * - wait, if they are empty, until nothing is left to do.
   * @param {typeof import("tslab/dist/executor.js").createExecutor} createExecutor
   * @returns {typeof import("tslab/dist/executor.js").createExecutor}
   */
  wrap(createExecutor) {
    return (folder, converters) => {
      /** @type {unknown} */
      let value;
      const made = createExecutor(folder, converters, {
        log: (last) => {
          value = last;
        },
        // the compiler's messages come as a format and its values, an error alone
        error: (...what) => {
          const [error, file, line, , message] = what;
          if (what.length === 1) this.#fail(error, this.#count);
          else this.#refuse(file, line, message);
        },
      });
      /** @param {string} code */
      const run = async (code) => {
        value = undefined;
        if (!(await made.execute(code))) return;
        if (types.isPromise(value)) value = await this.#untilInterrupted(value);
        if (value != null) console.log(value);
      };
      return {
        ...made,
        execute: async (code) => {
          this.#count += 1;
          this.#source = code;
          this.#running = true;
          this.#asked = false;
          for (const earlier of this.#failures) this.#tell(earlier);
          try {
            await (code.trim() === "" ? nothingLeft() : this.#origin.run(this.#count, run, code));
          } catch (error) {
            this.#fail(error, this.#count);
          }
          await turn(); // at the end of its turn a rejected promise that nobody waits for counts as lost
          this.#running = false;
          return this.#failures.length === 0;
        },
        interrupt: () => {
          // a sweep listens, too: it ends after its point and says how far it came. Who asks again is not made to wait.
          const waits = process.listenerCount("SIGINT") > 1 && !this.#asked;
          this.#asked = true;
          if (waits) return;
          made.interrupt();
          this.#interrupt(new Interrupted());
        },
      };
    };
  }

  /** Takes over the errors that nobody waited for. */
  listen() {
    const lost = { uncaughtException: "", unhandledRejection: UNAWAITED };
    for (const [event, advice] of Object.entries(lost)) {
      process.removeAllListeners(event);
      process.on(event, (error) => this.#fail(error, this.#origin.getStore() ?? 0, advice));
    }
  }

  /**
   * Why the last cell failed, as Jupyter's reply says it, with the cell that started what failed; and what the cell shows of it.
   * It is told once.
   * @returns {{ failure: { ename: string, evalue: string, traceback: string[], cell: number }, shown: string[] }}
   */
  takeFailure() {
    const failures = this.#failures.splice(0);
    const { cell, error } = failures[0] ?? { cell: 0, error: undefined };
    const [ename, evalue] = error instanceof Error ? [error.name, error.message] : ["Error", String(error)];
    const traceback = failures.filter((one) => one.cell === cell).map(({ trace }) => trace);
    return { failure: { ename, evalue, traceback, cell }, shown: this.#shown.splice(0) };
  }

  /** A cell that the compiler refuses. @param {string} file a module of the reader's @param {number} line @param {string} message */
  #refuse(file, line, message) {
    const place = { cell: this.#count, line, text: lineOf(this.#source, line) };
    const where = file ? `    at ${file.trim()}, line ${line}` : located(place, this.#count);
    const text = `${message}\n${where}`;
    this.#keep({ cell: this.#count, error: message, text, trace: text });
  }

  /** @param {unknown} thrown @param {number} cell @param {string} [advice] */
  #fail(thrown, cell, advice = "") {
    const error = isInterrupt(thrown) ? new Interrupted() : thrown;
    const place = (/** @type {string} */ frame) => this.lines.place(frame);
    const [text, trace] = [false, true].map((library) => describe(error, place, this.#count, { library }) + advice);
    this.#keep({ cell, error, text, trace });
  }

  /** @param {Failure} failure */
  #keep(failure) {
    this.#failures.push(failure);
    if (this.#running) this.#tell(failure);
  }

  /** @param {Failure} failure */
  #tell({ cell, text }) {
    const late = cell !== this.#count && cell > 0;
    this.#shown.push(`${late ? `Cell [${cell}] failed after it had ended:\n` : ""}${text}`);
  }

  /** @param {Promise<unknown>} promise */
  #untilInterrupted(promise) {
    const interrupted = new Promise((_, reject) => {
      this.#interrupt = reject;
    });
    return Promise.race([promise, interrupted]);
  }
}

/** Waits until no timer and no request is under way, but not for long: some never end. */
async function nothingLeft() {
  const end = performance.now() + LONGEST_WAIT;
  do await sleep(10, undefined, { ref: false });
  while (underWay().length > 0 && performance.now() < end);
}

/** The kinds of what will call back once it is done. */
const underWay = () => process.getActiveResourcesInfo().filter((kind) => !STAYS_OPEN.has(kind));

module.exports = { Cells, underWay };
