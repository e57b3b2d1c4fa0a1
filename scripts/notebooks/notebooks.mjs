import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { jupyterEnv, projectPaths, ROOT, temporaryEnv } from "../setup/paths.mjs";
import { Problem } from "../setup/problem.mjs";

/** @typedef {{ claim: string, passed: boolean, evidence: string }} Claim */
/** @typedef {{ cell?: number, source?: string, error: string }} Fault */

/**
 * What came of one notebook.
 * @typedef {object} Result
 * @property {string} name such as "01-behaviour"
 * @property {string} source the notebook that was executed
 * @property {string} executed the executed notebook, as far as it got
 * @property {string} html its page; "" if none was wanted or it failed
 * @property {number} cells
 * @property {number} seconds
 * @property {number} figures
 * @property {Claim[]} claims
 * @property {Fault | null} fault
 * @property {string[]} problems everything that makes the run fail; empty if all is well
 */

/**
 * The notebooks of a folder, all or those whose name starts with one of `selection` ("01", "01-behaviour").
 * @param {string} folder
 * @param {readonly string[]} selection
 */
export function listNotebooks(folder, selection = []) {
  if (!existsSync(folder)) throw new Problem(`There is no folder ${folder}.`);
  const all = readdirSync(folder)
    .filter((file) => file.endsWith(".ipynb"))
    .map((file) => basename(file, ".ipynb"))
    .sort();
  for (const wanted of selection) {
    if (!all.some((name) => name.startsWith(wanted))) {
      throw new Problem(`No notebook's name starts with "${wanted}". There are: ${all.join(", ") || "none"}.`);
    }
  }
  return selection.length === 0 ? all : all.filter((name) => selection.some((wanted) => name.startsWith(wanted)));
}

/**
 * Executes notebooks, each in a fresh kernel. What a notebook made lies in `out` only once it has
 * run through; of a failed one, the notebook as far as it got goes to `out`/failed.
 * @param {object} options
 * @param {string} options.folder
 * @param {string} options.out
 * @param {readonly string[]} [options.selection]
 * @param {number} [options.timeLimit] seconds a cell may take
 * @param {number} [options.atOnce] how many run side by side
 * @param {"needed" | "may be missing"} [options.claims] whether a notebook has to check at least one
 * @param {boolean} [options.pages] whether each gets a page
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(event: Record<string, any>) => void} [options.onEvent] "notebook", "cell" and "done" as they happen
 * @param {(result: Result) => void} [options.onResult]
 * @returns {Promise<Result[]>}
 */
export async function runNotebooks({
  folder,
  out,
  selection,
  timeLimit = 1800,
  atOnce = 1,
  claims = "needed",
  pages = true,
  env = process.env,
  onEvent,
  onResult,
}) {
  /** @type {Ours} */
  const ours = {};
  const forget = stopWithUs(ours); // from now on: a signal is heard once what follows without a pause is done
  /** @type {Result[]} */
  const results = [];
  /** @type {Map<string, number>} */
  const cells = new Map();
  let stopped = "";
  try {
    const stage = newStage(out);
    ours.stage = stage;
    const jobs = jobsOf(folder, selection, { out, place: stage, pages });
    const work = { jobs, time_limit: timeLimit, at_once: atOnce };
    await runPython(work, stage, sharing(env, Math.min(atOnce, jobs.length)), ours, (event) => {
      if (event.event === "notebook") cells.set(event.name, event.cells);
      if (event.event === "stopped") stopped = ` by ${event.by}`;
      onEvent?.(event);
      if (event.event !== "done") return;
      const job = /** @type {typeof jobs[number]} */ (jobs.find(({ name }) => name === event.name));
      const result = finish(
        { ...event, cells: cells.get(event.name) ?? 0, mustClaim: claims === "needed" },
        job,
        stage,
        out,
      );
      results.push(result);
      onResult?.(result);
    });
    if (results.length < jobs.length) throw new Problem(`The notebooks' run was stopped${stopped}.`);
    const order = jobs.map(({ name }) => name);
    return results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  } finally {
    forget();
    clearStage(ours);
  }
}

/**
 * Kernels that run side by side share the processor: each has its part of the threads, unless the environment says how many.
 * @param {NodeJS.ProcessEnv} env
 * @param {number} kernels
 */
function sharing(env, kernels) {
  const share = Math.max(1, Math.floor(availableParallelism() / kernels));
  return kernels > 1 ? { ACRONYM_THREADS: `${share}`, ...env } : env;
}

/**
 * What is to be made of each notebook, and where: in `place`, from where it goes to `out`.
 * @param {string} folder
 * @param {readonly string[] | undefined} selection
 * @param {{ out: string, place: string, pages?: boolean }} to
 */
export function jobsOf(folder, selection, { out, place, pages = true }) {
  return listNotebooks(folder, selection).map((name) => ({
    name,
    source: resolve(folder, `${name}.ipynb`),
    folder: resolve(folder),
    notebook: join(place, "notebooks", `${name}.ipynb`),
    html: pages ? join(place, "html", `${name}.html`) : "",
    back: relative(join(resolve(out), "html"), resolve(folder)).replaceAll("\\", "/"), // where links of the page start from
    figures: join(place, "figures", name),
    progress: join(place, `${name}.progress.json`), // lessons begin anew, and what a run tries is no student's try
  }));
}

/** What the runner's pages are made with. */
export const PAGE = {
  plotly: join(ROOT, "node_modules", "plotly.js-cartesian-dist-min", "plotly-cartesian.min.js"),
  page: join(ROOT, "scripts", "notebooks"),
};

/** A stage that is in use is touched this often (ms); one left alone for ten times that is nobody's. */
const HEARTBEAT = 3_000;

/**
 * A folder for unfinished work inside `out`; what earlier runs were killed over is cleared away. Whether a run is still there is told
 * by its heartbeat: its process id means nothing in another container that shares the folder.
 * @param {string} out
 */
export function newStage(out) {
  mkdirSync(out, { recursive: true });
  for (const left of readdirSync(out).filter((name) => name.startsWith(".stage-"))) {
    const stage = left.replace(BENCH, ""); // a bench lives as long as its stage
    const found = statSync(join(out, stage), { throwIfNoEntry: false });
    const isOver = found ? Date.now() - found.mtimeMs > 10 * HEARTBEAT : left !== stage;
    if (isOver) rmSync(join(out, left), { recursive: true, force: true });
  }
  const stage = mkdtempSync(join(resolve(out), ".stage-"));
  const heartbeat = setInterval(() => {
    try {
      utimesSync(stage, new Date(), new Date());
    } catch {
      clearInterval(heartbeat); // the run has ended and taken it away
    }
  }, HEARTBEAT).unref();
  return stage;
}

const BENCH = /-bench$/;

/**
 * Work in a stage, and on a bench beside it for notebooks that are made to be run: in the stage itself its heartbeat would wake the
 * kernel's watch over its folder. The bench is as deep as what lies in `out`: imports are the same. Both go away.
 * @template T
 * @param {string} out
 * @param {(stage: string, bench: string) => Promise<T>} work
 */
export async function onBench(out, work) {
  const stage = newStage(out);
  const bench = `${stage}-bench`;
  const clear = () => {
    for (const folder of [stage, bench]) rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clear); // a run of notebooks that is ended ends the process
  try {
    return await work(stage, bench);
  } finally {
    process.removeListener("exit", clear);
    clear();
  }
}

/**
 * @param {{ jobs: object[], time_limit: number, at_once: number }} work
 * @param {string} stage
 * @param {NodeJS.ProcessEnv} env
 * @param {Ours} ours gets the process
 * @param {(event: Record<string, any>) => void} onEvent
 */
async function runPython(work, stage, env, ours, onEvent) {
  const spec = join(stage, "jobs.json");
  writeFileSync(spec, JSON.stringify({ ...work, ...PAGE, log: join(stage, "kernel"), root: ROOT }));
  const child = spawn(projectPaths().venvPython, [join(ROOT, "scripts", "notebooks", "run_notebooks.py"), spec], {
    env: { ...jupyterEnv(ROOT, env), ...temporaryEnv(join(stage, "tmp")) },
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  ours.child = child;
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints = (complaints + chunk).slice(-10_000);
  });
  const ended = new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) onEvent(JSON.parse(line));
  } finally {
    end(child); // also when an event's handler failed
    await ended;
  }
  const code = await ended;
  if (code !== 0 && code !== 130) throw new Error(`The notebooks' runner ended with code ${code}.\n${complaints}`);
}

/**
 * What a run that is ended takes away with it.
 * @typedef {{ stage?: string, child?: import("node:child_process").ChildProcessWithoutNullStreams }} Ours
 */

/** @param {Ours} ours */
function clearStage({ stage }) {
  if (stage) rmSync(stage, { recursive: true, force: true });
}

/**
 * At Ctrl-C, SIGTERM or SIGHUP: closing the runner's standard input
 * makes it end its kernel and itself; then we end.
 * @param {Ours} ours
 * @returns {() => void} takes the listeners away again
 */
function stopWithUs(ours) {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  const listeners = Object.entries(codes).map(([signal, code]) => {
    const listener = () => {
      const leave = () => {
        clearStage(ours);
        process.exit(code);
      };
      const { child } = ours;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return leave();
      child.once("close", leave);
      end(child);
    };
    process.on(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
}

/** @param {import("node:child_process").ChildProcessWithoutNullStreams} child */
function end(child) {
  child.stdout.resume();
  child.stdin.end();
  setTimeout(() => child.kill("SIGKILL"), 40_000).unref();
}

/**
 * Judges one notebook's run and moves what it made to its place.
 * @param {Record<string, any>} event
 * @param {{ name: string, source: string, notebook: string, html: string, figures: string }} job
 * @param {string} stage
 * @param {string} out
 * @returns {Result}
 */
function finish(event, job, stage, out) {
  const facts = {
    name: job.name,
    source: job.source,
    cells: event.cells,
    seconds: event.seconds,
    figures: event.figures,
    claims: event.claims,
    fault: event.fault,
  };
  const problems = problemsOf(facts, job.figures, event.mustClaim);
  const failed = join(out, "failed", `${job.name}.ipynb`);
  try {
    if (event.fault) {
      replace(job.notebook, failed);
      return { ...facts, executed: failed, html: "", problems };
    }
    rmSync(failed, { force: true });
    for (const made of [job.notebook, job.html, job.figures]) replace(made, join(out, made.slice(stage.length)));
  } catch (error) {
    // a full disk, a folder that became read-only: the next notebook may do better
    problems.push(`What it made can not be put into ${out}: ${/** @type {Error} */ (error).message}`);
  }
  const [executed, html] = [job.notebook, job.html].map((made) => made && join(out, made.slice(stage.length)));
  return { ...facts, executed, html, problems };
}

/**
 * Everything that makes a run fail.
 * @param {Pick<Result, "figures" | "claims" | "fault">} facts
 * @param {string} folder where the notebook's figures were written
 * @param {boolean} mustClaim
 */
export function problemsOf({ figures, claims, fault }, folder, mustClaim) {
  if (fault) return [describeFault(fault)];
  const problems = claims
    .filter((claim) => claim.passed !== true)
    .map((claim) => `Claim failed: ${claim.claim}\n  ${claim.evidence}`);
  if (mustClaim && claims.length === 0)
    problems.push("The notebook checks no claim: its last cell calls checkClaims([…]).");
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const written = files.filter((file) => file.endsWith(".png") && files.includes(file.replace(/png$/, "svg"))).length;
  if (written < figures) {
    problems.push(`${figures} figures are shown, but ${written} were written as PNG and SVG: do two share a name?`);
  }
  return problems;
}

/** @param {Fault} fault */
function describeFault({ cell, source, error }) {
  if (cell === undefined || source === undefined) return error;
  const numbered = source.split("\n").map((line, index) => `  ${String(index + 1).padStart(3)} | ${line}`);
  return [`Cell ${cell} failed:`, ...numbered, "", ...error.split("\n").map((line) => `  ${line}`)].join("\n");
}

/**
 * Puts a file or folder in the place of an older one.
 * @param {string} made
 * @param {string} place
 */
function replace(made, place) {
  if (!existsSync(made)) return;
  mkdirSync(dirname(place), { recursive: true });
  if (existsSync(place) && statSync(place).isDirectory()) rmSync(place, { recursive: true });
  renameSync(made, place);
}
