// Runs test files, each in a process of its own, and says what came of each as it ends.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { progressLine } from "../notebooks/report.mjs";
import { ROOT } from "../setup/paths.mjs";
import { endOnSignal } from "../setup/run.mjs";

const REPORTER = pathToFileURL(join(ROOT, "scripts", "tests", "test-reporter.mjs")).href;
const FILE_TIME_LIMIT = 20 * 60_000;

/** @typedef {import("./test-reporter.mjs").Outcome} Outcome */

/**
 * One test file, and what it runs on.
 * @typedef {object} Job
 * @property {string} file relative to the project
 * @property {string} on such as "wasm"; "" if that makes no difference
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * The jobs in their order, as many at once as there are processors.
 * @param {readonly Job[]} jobs
 * @param {object} options
 * @param {string} options.tmp folder for what the processes report
 * @param {ReturnType<typeof progressLine>} [options.line]
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runTests(jobs, { tmp, line = progressLine() }) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const reports = mkdtempSync(join(tmp, "tests-"));
  const waiting = [...jobs.entries()];
  /** @type {Set<string>} */
  const running = new Set();
  const show = () =>
    line.show(`${jobs.length - waiting.length - running.size} of ${jobs.length}  ${[...running].join(", ")}`);
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, job] = next;
      const name = `${job.file}${job.on && `  ${job.on}`}`;
      running.add(name);
      show();
      const { outcomes, seconds, complaint } = await runFile(job, join(reports, `${index}.jsonl`));
      running.delete(name);
      const of = (/** @type {string} */ kind) => outcomes.filter((outcome) => outcome.kind === kind);
      counts.passed += of("pass").length;
      counts.failed += of("fail").length + Number(complaint !== undefined);
      counts.skipped += of("skip").length;
      line.leave(fileText(name, { outcomes, seconds, complaint }));
      show();
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
  } finally {
    line.end();
    rmSync(reports, { recursive: true, force: true });
  }
  return counts;
}

/** tfjs takes its slowest backend if none was started, and the test would run on no other. */
const UNCHOSEN = "it computes, but starts no backend: a test that computes calls initBackend() first";

/** @typedef {{ outcomes: Outcome[], seconds: number, complaint?: string }} Result `complaint`: why the file itself failed */

/**
 * @param {Job} job
 * @param {string} report file that gets the outcomes
 * @returns {Promise<Result>}
 */
function runFile({ file, env }, report) {
  const started = performance.now();
  const reporter = ["--test-reporter", REPORTER, "--test-reporter-destination", report];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", ...reporter, file], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: FILE_TIME_LIMIT, // also ends a file that hangs after its last test
      killSignal: "SIGKILL",
    });
    const forget = endOnSignal(child);
    let said = "";
    child.stderr.on("data", (chunk) => {
      said = (said + chunk).slice(-20_000);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      forget();
      const outcomes = readOutcomes(report);
      const seconds = (performance.now() - started) / 1000;
      const isExplained = outcomes.some(({ kind }) => kind === "fail");
      if (outcomes.some(({ kind, text }) => kind === "backend" && text === "cpu") && env.ACRONYM_BACKEND !== "cpu")
        resolve({ outcomes, seconds, complaint: UNCHOSEN });
      else if (code === 0 || (isExplained && signal === null)) resolve({ outcomes, seconds });
      else {
        const notes = outcomes.filter(({ kind }) => kind === "note").map(({ text }) => text);
        resolve({
          outcomes,
          seconds,
          complaint: [`ended with ${signal ?? `code ${code}`}`, said, ...notes].join("\n"),
        });
      }
    });
  });
}

/**
 * @param {string} report
 * @returns {Outcome[]} none if the process ended before it could report
 */
function readOutcomes(report) {
  try {
    const lines = readFileSync(report, "utf8").split("\n");
    return lines.slice(0, -1).map((line) => JSON.parse(line)); // the last one is empty, or cut off
  } catch {
    return [];
  }
}

/**
 * @param {string} name
 * @param {Result} result
 */
function fileText(name, { outcomes, seconds, complaint }) {
  const cases = outcomes.filter(({ kind }) => kind === "pass" || kind === "fail");
  const failed = outcomes.filter(({ kind }) => kind === "fail");
  const isGood = failed.length === 0 && complaint === undefined;
  const count = failed.length > 0 ? `${failed.length} of ${cases.length} cases failed` : `${cases.length} cases`;
  const indented = (/** @type {string} */ text) => text.trimEnd().replace(/^/gm, "    ");
  return [
    `${isGood ? "✓" : "✗"} ${name}  ${seconds.toFixed(1)} s  ${count}`,
    ...outcomes
      .filter(({ kind }) => kind === "skip")
      .map(({ name, text }) => `  - ${name} (skipped${text && `: ${text}`})`),
    ...failed.map(({ name, text }) => `\n  ✗ ${name}\n${indented(text)}\n`),
    ...(complaint === undefined ? [] : [`\n  ✗ it did not run to a good end\n${indented(complaint)}\n`]),
  ].join("\n");
}
