import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { parseArgs, promisify } from "node:util";
import { installNative } from "../setup/native.mjs";
import { Unavailable } from "../setup/native-files.mjs";
import { projectPaths, ROOT, temporaryEnv } from "../setup/paths.mjs";
import { orUsage } from "../setup/problem.mjs";
import { checkFolder } from "../setup/script.mjs";
import { setUp } from "../setup/setup.mjs";
import { runTests } from "../tests/run-tests.mjs";

const USAGE = `npm test -- [part …] [--perturb SEED]

  part       of a test file's path, such as "paths" or "tests/hub"; all if none is given
  --perturb  perturb every matrix product by about one part in 10⁶, as another processor would round it;
             without it the units that compute run so once more, with seed 1`;

/** Those that are tested. */
const BACKENDS = ["native", "onnx", "wasm"];
/** What people have who did not ask for more, and on models as small as the tests' the fastest. */
const USUAL = "onnx";
const UNITS = join("tests", "unit");
const SHORT_FORM_SEED = "1";
const TMP = join(ROOT, ".setup", "tmp");

/**
 * Set-up, then all tests, or those whose path contains one of the arguments. The last line is "N passed, N failed".
 * @param {string[]} args
 */
export async function main(args) {
  const { help, perturb, selection } = readOptions(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  let counts = { passed: 0, failed: 1, skipped: 0 };
  try {
    checkFolder();
    await setUp();
    const files = testFiles().filter((file) => selection.length === 0 || selection.some((part) => file.includes(part)));
    // before any test runs, so that all of them use the same backends
    const obstacle = files.some((file) => file.endsWith("native.test.ts")) ? await nativeObstacle() : "";
    if (obstacle) console.log(`Tests go on without the native backend: ${obstacle}`);
    process.env.NATIVE_OBSTACLE = obstacle; // tests/native.test.ts says it, too
    const someCompute = files.some(computes);
    const backends = files.length === 0 ? [] : await loadingBackends(someCompute ? BACKENDS : [USUAL]);
    const jobs = jobsOf(files, backends, perturb);
    if (jobs.length > 0) console.log(`${files.length} test files${someCompute ? backendsText(backends) : ""}`);
    counts = await runTests(jobs, { tmp: TMP });
    if (counts.passed + counts.failed === 0) {
      counts.failed = 1;
      console.log("No test ran.");
    }
    if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
  } finally {
    // the last line holds also when nothing could be tested
    process.once("exit", () => console.log(`${counts.passed} passed, ${counts.failed} failed`));
  }
  return counts.failed === 0 ? 0 : 1;
}

/** @param {string[]} args */
function readOptions(args) {
  return orUsage(USAGE, () => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { perturb: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
    });
    if (values.perturb !== undefined && !/^\d+$/.test(values.perturb))
      throw new Error(`--perturb takes a seed, a whole number, not "${values.perturb}".`);
    return { help: values.help, perturb: values.perturb, selection: positionals };
  });
}

/** Builds the native backend, so that it is tested wherever it can be had. @returns why it can't be had here, or "" */
async function nativeObstacle() {
  try {
    await installNative();
  } catch (error) {
    // a fault of the project itself is for the backend's own test to report
    if (error instanceof Unavailable) return error.message.split("\n", 1)[0];
  }
  return "";
}

/** Those that take longest by the clock start first, and what waits (for a cluster, kernels, a browser) runs beside what computes, so that no processor idles. */
const LONGEST = ["notebooks", "sweep-slurm", "lessons", "traces"];
const LONG = [
  ...["notebooks-runner", "parity", "browser", "small-models", "page", "validate", "site", "figure-parts", "page-hub"],
  "bench",
];

/** Those of a list, in its order. @param {readonly string[]} files @param {readonly string[]} names */
const named = (files, names) =>
  names.flatMap((name) => files.filter((file) => basename(file, ".test.ts") === name && !file.startsWith(UNITS)));

function testFiles() {
  return readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .sort()
    .map((file) => join("tests", file));
}

/**
 * The units that compute start a backend, by themselves or with a model (run-tests.mjs complains of those that don't): they run on every one.
 * What crosses files runs on the usual one, and so do the lessons, which judge what experiments compute; tests/native.test.ts compares the
 * backends with each other.
 * @param {string} file
 */
function computes(file) {
  if (!file.startsWith(UNITS) || file.startsWith(join(UNITS, "lessons"))) return false;
  return /^import [^;]*\b(initBackend|loadModel)\b[^;]* from /m.test(readFileSync(join(ROOT, file), "utf8"));
}

/** The room of src/ that a unit tests. @param {string} file */
const roomOf = (file) => relative(UNITS, file).split(sep)[0];

/**
 * All that computes goes through model/, where a backend's kernels are called and chosen.
 * @param {string} file
 */
const choosesKernels = (file) => roomOf(file) === "model";

/**
 * Whether the room calls kernels itself. The rooms that don't put together numbers that others computed, and do so alike on every backend.
 * @param {string} room
 */
function handlesTensors(room) {
  const folder = join(ROOT, "src", room);
  if (!existsSync(folder)) return false;
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return sources.some((file) => readFileSync(join(folder, file), "utf8").includes('from "@tensorflow/tfjs"'));
}

/**
 * The backends that load on this machine; of the others it is said once why they don't.
 * @param {readonly string[]} backends
 * @returns {Promise<string[]>}
 */
async function loadingBackends(backends) {
  const code = `require(${JSON.stringify(join(projectPaths().root, "dist", "model", "backend", "choose.js"))}).initBackend().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });`;
  const loading = [];
  for (const backend of process.env.ACRONYM_BACKEND ? [process.env.ACRONYM_BACKEND] : backends) {
    try {
      await promisify(execFile)(process.execPath, ["-e", code], { cwd: ROOT, env: testEnv(backend) });
      loading.push(backend);
    } catch (error) {
      const { stderr } = /** @type {{ stderr?: string }} */ (error);
      console.log(`- backend ${backend} (skipped: ${(stderr ?? String(error)).trim()})`);
    }
  }
  return loading;
}

/** @param {readonly string[]} backends */
function backendsText(backends) {
  return backends.length === 0 ? "" : `; those that compute on ${backends.join(", ")}`;
}

/**
 * Every file once, on the usual backend if it loads. Units that compute run there with perturbed products, and if their room handles
 * tensors on the other backends as they are. Those that choose kernels run on the usual one as they are, too. Units share a process,
 * and so do the others that take little. What takes longest comes first.
 * @param {readonly string[]} files
 * @param {readonly string[]} backends
 * @param {string | undefined} perturb the seed with which all of them run
 * @returns {import("../tests/run-tests.mjs").Job[]}
 */
export function jobsOf(files, backends, perturb) {
  const isUnit = (/** @type {string} */ file) => file.startsWith(UNITS);
  const job = (/** @type {string[]} */ files, /** @type {string | undefined} */ backend, seed = perturb) => {
    const on = [backend, seed !== undefined && `perturbed by seed ${seed}`].filter(Boolean).join(", ");
    return { files, on, env: testEnv(backend, seed) };
  };
  const once = (/** @type {string[]} */ files) => ({ ...job(files, undefined), env: testEnv(usual, perturb) });
  const computing = files.filter(computes);
  const plain = files.filter((file) => isUnit(file) && !computes(file));
  const withTensors = new Set([...new Set(computing.map(roomOf))].filter(handlesTensors));
  const usual = backends.includes(USUAL) ? USUAL : undefined;
  const perturbedOn = usual ?? backends[0];
  const asItIs = (/** @type {string} */ backend) => {
    if (backend !== perturbedOn) return computing.filter((file) => withTensors.has(roomOf(file)));
    return perturb === undefined && backends.length > 1 ? computing.filter(choosesKernels) : computing;
  };
  const [longest, long] = [named(files, LONGEST), named(files, LONG)];
  const short = files.filter((file) => !isUnit(file) && !longest.includes(file) && !long.includes(file));
  return [
    ...longest.map((file) => once([file])),
    once(short),
    ...(perturb === undefined ? [job(computing, perturbedOn, SHORT_FORM_SEED)] : []),
    ...backends.map((backend) => withAllThreads(job(asItIs(backend), backend))),
    once(plain),
    ...long.map((file) => once([file])),
  ].filter((job) => job.files.length > 0);
}

/** As a backend runs that nobody asked for fewer. @param {import("../tests/run-tests.mjs").Job} job */
const withAllThreads = (job) => ({ ...job, env: { ...job.env, ACRONYM_THREADS: undefined } });

/**
 * What is tested is the project as it is committed, whatever the user has set; temporary files stay in the project.
 * @param {string} [backend]
 * @param {string} [perturb] a seed
 * @returns {NodeJS.ProcessEnv}
 */
function testEnv(backend, perturb) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, ...temporaryEnv(TMP) };
  for (const name of Object.keys(env)) {
    if (name.startsWith("ACRONYM_") && name !== "ACRONYM_BACKEND") delete env[name];
  }
  delete env.NODE_TEST_CONTEXT;
  if (backend !== undefined) env.ACRONYM_BACKEND = backend;
  env.ACRONYM_THREADS = "1"; // there are more processes than processors
  if (perturb !== undefined) {
    const file = JSON.stringify(join(ROOT, "tests", "fixtures", "perturb.cjs")); // its processes' processes load it, too
    env.NODE_OPTIONS = [env.NODE_OPTIONS, `--require ${file}`].filter(Boolean).join(" ");
    env.ACRONYM_PERTURB = perturb;
  }
  return env;
}
