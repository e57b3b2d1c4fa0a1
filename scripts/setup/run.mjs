import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** How much of a program's output is kept in memory to explain a fault. */
const KEPT_CHARACTERS = 64 * 1024;

/**
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} env
 * @property {string} log file that gets all output
 * @property {(pid: number | undefined) => void} [started]
 * @property {number} [timeLimit] milliseconds after which it is ended
 */

/**
 * Runs a program to its end without a shell. Ctrl-C and SIGTERM end it, and then this process too.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<{ code: number, output: string }>} the exit code and the end of what it printed, or which signal ended it
 */
export function run(command, args, { cwd, env, log, started, timeLimit }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, "w");
  let output = "";
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    started?.(child.pid);
    const endBoth = endOnSignal(child);
    let late = "";
    const timer =
      timeLimit &&
      setTimeout(() => {
        late = `ended after ${timeLimit / 60_000} minutes`;
        child.kill();
      }, timeLimit);
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      writeSync(file, chunk);
      output = (output + chunk.toString()).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", reject); // it did not start; "close" comes all the same
    child.once("close", (code, signal) => {
      endBoth();
      clearTimeout(timer);
      if (late || signal !== null) keep(Buffer.from(`\n${late || `ended from outside by ${signal}`}\n`));
      closeSync(file);
      resolve({ code: late ? 1 : (code ?? 1), output });
    });
  });
}

/**
 * Runs a program with our terminal, to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} its exit code; 1 if a signal ended it
 */
export async function runHere(command, args, { cwd, env = process.env }) {
  const child = spawn(command, args, { cwd, env, stdio: "inherit" });
  endOnSignal(child);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/**
 * Passes Ctrl-C and SIGTERM on to a child, waits for its end, then ends this process with the usual code.
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => void} takes the listeners away again
 */
export function endOnSignal(child) {
  const listeners = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]).map((signal, index) => {
    const listener = () => {
      child.once("close", () => process.exit([130, 143, 129][index]));
      child.kill(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
}
