// Runs test files in several processes at once, and says what came of each file as it ends.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { progressLine } from "../notebooks/report.mjs";
import { ROOT } from "../setup/paths.mjs";
import { endOnSignal } from "../setup/run.mjs";

const RUN_FILES = join(ROOT, "scripts", "tests", "run-files.cjs");
const REPORTER = pathToFileURL(join(ROOT, "scripts", "tests", "test-reporter.mjs")).href;
const TIME_LIMIT = 20 * 60_000;
const REPORT_EVERY = 500; // milliseconds

/** @typedef {import("./test-reporter.mjs").Outcome} Outcome */
/** @typedef {{ name: string, outcomes: Outcome[], seconds?: number, cpu?: number, complaint?: string }} Result `complaint`: why the file itself failed */

/**
 * Test files that one process runs, and what it runs on. Loading tfjs takes as long as most files: those that share no more than that
 * go together.
 * @typedef {object} Job
 * @property {string[]} files relative to the project
 * @property {string} on such as "wasm"; "" if that makes no difference
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * The jobs in their order, one more at once than there are processors: some wait most of their time.
 * @param {readonly Job[]} jobs
 * @param {object} options
 * @param {string} options.tmp folder for what the processes report
 * @param {ReturnType<typeof progressLine>} [options.line]
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runTests(jobs, { tmp, line = progressLine() }) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const reports = mkdtempSync(join(tmp, "tests-"));
  const total = jobs.reduce((sum, { files }) => sum + files.length, 0);
  let ended = 0;
  const waiting = [...jobs.entries()];
  /** @type {Map<Job, string>} what each is at */
  const running = new Map();
  const show = () => line.show(`${ended} of ${total}  ${[...running.values()].join(", ")}`);
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, job] = next;
      const named = (/** @type {string} */ file) => `${file}${job.on && `  ${job.on}`}`;
      running.set(job, named(job.files[0]));
      show();
      await runJob(job, join(reports, `${index}.jsonl`), (result) => {
        const of = (/** @type {string} */ kind) => result.outcomes.filter((outcome) => outcome.kind === kind);
        counts.passed += of("pass").length;
        counts.failed += of("fail").length + Number(result.complaint !== undefined);
        counts.skipped += of("skip").length;
        line.leave(resultText({ ...result, name: named(result.name) }));
        ended++;
        running.set(job, named(job.files[job.files.indexOf(result.name) + 1] ?? result.name));
        show();
      });
      running.delete(job);
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
  } finally {
    line.end();
    rmSync(reports, { recursive: true, force: true });
  }
  return counts;
}

/** tfjs takes its slowest backend if none was started, and the test would run on no other. */
const UNCHOSEN = "it computes, but starts no backend: a test that computes calls initBackend() first";
const NO_CASES = "it has no case";

/**
 * @param {Job} job
 * @param {string} report file that gets the outcomes
 * @param {(result: Result) => void} onResult gets that of each file, as it ends; the last one's when the process has ended well
 * @returns {Promise<void>}
 */
function runJob({ files, env }, report, onResult) {
  const reporter = ["--test-reporter", REPORTER, "--test-reporter-destination", report];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--require", "tsx/cjs", ...reporter, RUN_FILES, ...files], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: TIME_LIMIT, // also ends one that hangs after its last test
      killSignal: "SIGKILL",
    });
    const forget = endOnSignal(child);
    let said = "";
    child.stderr.on("data", (chunk) => {
      said = (said + chunk).slice(-20_000);
    });
    let told = 0;
    /** @param {Result} result */
    const tell = (result) => {
      told++;
      const isEmpty = result.outcomes.length === 0 && result.complaint === undefined;
      onResult(isEmpty ? { ...result, complaint: NO_CASES } : result);
    };
    const tellEnded = (/** @type {Outcome[]} */ outcomes, /** @type {number} */ upTo) => {
      for (const file of files.slice(told, upTo)) {
        const own = outcomes.filter((outcome) => outcome.file === file);
        const end = own.find(({ kind }) => kind === "file");
        if (!end) return;
        tell({ name: file, outcomes: own.filter(({ kind }) => isCase(kind)), seconds: end.seconds, cpu: end.cpu });
      }
    };
    /** The first that has not ended, or the last, gets the reason; those after it did not run. */
    const complain = (/** @type {Outcome[]} */ outcomes, /** @type {string} */ reason) => {
      tellEnded(outcomes, files.length - 1);
      for (const [i, file] of files.slice(told).entries()) {
        const own = outcomes.filter((outcome) => outcome.file === file && isCase(outcome.kind));
        tell({ name: file, outcomes: own, complaint: i === 0 ? reason : "did not run: see above" });
      }
    };
    const timer = setInterval(() => tellEnded(readOutcomes(report), files.length - 1), REPORT_EVERY);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      forget();
      clearInterval(timer);
      const outcomes = readOutcomes(report);
      const isUnchosen = outcomes.some(({ kind, text }) => kind === "backend" && text === "cpu");
      const isExplained = code === 0 || (signal === null && outcomes.some(({ kind }) => kind === "fail"));
      const notes = outcomes.filter(({ kind }) => kind === "note").map(({ text }) => text);
      const reason = [`ended with ${signal ?? `code ${code}`}`, said, ...notes].join("\n");
      if (isUnchosen && env.ACRONYM_BACKEND !== "cpu") complain(outcomes, UNCHOSEN);
      else if (!isExplained) complain(outcomes, reason);
      tellEnded(outcomes, files.length);
      complain(outcomes, reason);
      resolve();
    });
  });
}

/** @param {string} kind */
const isCase = (kind) => ["pass", "fail", "skip"].includes(kind);

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

/** @param {number} seconds @param {number | undefined} cpu */
const timeText = (seconds, cpu) => `${seconds.toFixed(1)} s${cpu === undefined ? "" : ` (CPU ${cpu.toFixed(1)} s)`}`;

/** @param {Result} result */
function resultText({ name, outcomes, seconds, cpu, complaint }) {
  const cases = outcomes.filter(({ kind }) => kind === "pass" || kind === "fail");
  const failed = outcomes.filter(({ kind }) => kind === "fail");
  const isGood = failed.length === 0 && complaint === undefined;
  const count = failed.length > 0 ? `${failed.length} of ${cases.length} cases failed` : `${cases.length} cases`;
  const indented = (/** @type {string} */ text) => text.trimEnd().replace(/^/gm, "    ");
  return [
    [`${isGood ? "✓" : "✗"} ${name}`, ...(seconds === undefined ? [] : [timeText(seconds, cpu)]), count].join("  "),
    ...outcomes
      .filter(({ kind }) => kind === "skip")
      .map(({ name, text }) => `  - ${name} (skipped${text && `: ${text}`})`),
    ...failed.map(({ name, text }) => `\n  ✗ ${name}\n${indented(text)}\n`),
    ...(complaint === undefined ? [] : [`\n  ✗ it did not run to a good end\n${indented(complaint)}\n`]),
  ].join("\n");
}
