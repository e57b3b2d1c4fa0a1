// node --import tsx scripts/lib/run-tests.mjs FILE …: runs test files, each in its own process, and counts their cases.
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { progressLine } from "./report.mjs";

const FILE_TIME_LIMIT = 20 * 60_000;

/** @typedef {{ name: string, file?: string, nesting: number, skip?: string | boolean, todo?: string | boolean, details: { type?: string, error?: any } }} Outcome */

const files = process.argv.slice(2).map((file) => resolve(file));
const line = progressLine();
const counts = { passed: 0, failed: 0, skipped: 0 };
/** @type {Map<string, string>} what each file printed to standard error, and what Node says about it */
const complaints = new Map();
/** @type {Outcome[]} */
const brokenFiles = [];

// the timed limit also ends a file that hangs after its last test
const stream = run({ files, concurrency: availableParallelism(), timeout: FILE_TIME_LIMIT });
stream.on("test:start", ({ name, file }) => line.show(`${counts.passed + counts.failed} done  ${where(file)} ${name}`));
stream.on("test:stderr", ({ file, message }) => complaints.set(file, (complaints.get(file) ?? "") + message));
stream.on("test:diagnostic", ({ file, message }) => {
  // what went wrong after a file's last test is told in no other way
  if (file !== undefined && /^(Warning|Error):/.test(message)) {
    complaints.set(file, `${complaints.get(file) ?? ""}${message}\n`);
  }
});
stream.on("test:pass", (event) => {
  const outcome = /** @type {Outcome} */ (event);
  if (!isCase(outcome)) return;
  if (outcome.skip !== undefined || outcome.todo !== undefined) {
    counts.skipped += 1;
    line.leave(`- ${where(outcome.file)}: ${outcome.name} (skipped${reason(outcome)})`);
  } else counts.passed += 1;
});
stream.on("test:fail", (event) => {
  const outcome = /** @type {Outcome} */ (event);
  if (outcome.details.error?.failureType === "subtestsFailed") return;
  counts.failed += 1;
  if (isFileName(outcome.name)) brokenFiles.push(outcome);
  else line.leave(failureText(outcome));
});
stream.on("end", () => {
  line.end();
  for (const outcome of brokenFiles) console.log(failureText(outcome)); // only now everything about them is known
  if (counts.passed + counts.failed === 0) {
    counts.failed = 1;
    console.log("No test ran.");
  }
  if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
});
stream.resume();

/**
 * A suite is no case of its own, and neither is the file that Node reports around its tests.
 * @param {Outcome} outcome
 */
function isCase({ details, name }) {
  return details.type !== "suite" && !isFileName(name);
}

/** @param {string} name */
function isFileName(name) {
  return files.includes(resolve(name));
}

/** @param {Outcome} outcome */
function failureText({ file, name, details }) {
  const isFile = isFileName(name);
  const title = isFile ? `${where(name)} did not run to a good end` : `${where(file)}: ${name}`;
  const cause = details.error?.cause ?? details.error;
  const stack = typeof cause?.stack === "string" ? cause.stack : String(cause?.message ?? cause);
  const message = cause?.message && !stack.includes(cause.message) ? `${cause.message}\n${stack}` : stack;
  const said = isFile ? (complaints.get(resolve(name)) ?? "") : "";
  const text = said || withoutForeignFrames(message);
  return `\n✗ ${title}\n${text.trimEnd().replace(/^/gm, "    ")}\n`;
}

/** @param {string} stack */
function withoutForeignFrames(stack) {
  return stack
    .split("\n")
    .filter((text) => !/^\s+at .*(node:|node_modules)/.test(text))
    .join("\n");
}

/** @param {Outcome} outcome */
function reason({ skip, todo }) {
  const text = typeof skip === "string" ? skip : typeof todo === "string" ? todo : "";
  return text === "" ? "" : `: ${text}`;
}

/** @param {string | undefined} file */
function where(file) {
  return file === undefined ? "" : relative(process.cwd(), file);
}
