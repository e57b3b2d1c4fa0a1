import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noteChild, withLock } from "./lock.mjs";
import { jupyterEnv, projectPaths, ROOT } from "./paths.mjs";
import { installFault, Problem, problem } from "./problem.mjs";
import { run } from "./run.mjs";
import { hashFolder, isCurrent, writeStamp } from "./stamp.mjs";
import { npmCommand, npmMissing } from "./steps.mjs";

// tfjs's native backend, @tensorflow/tfjs-node, fetches libtensorflow and its addon from outside the package registries when it is
// installed. Here they come from the registries: libtensorflow out of TensorFlow's Python wheel, the addon out of the
// package's own source. The three files are kept in .setup/, so that a new node_modules/ gets them in seconds.

/** The oldest wheel that holds libtensorflow as a file of its own; tfjs-node 4.22 is made for 2.9. The Python doesn't matter. */
const WHEEL = "tensorflow-cpu==2.12.1 --hash=sha256:7ffb595707a8fb376deaddc768784c7a0242b16cbc6e06393b1733b2ce19f855";
const WHEEL_FLAGS = ["--python-version=3.11", "--platform=manylinux2014_x86_64", "--only-binary=:all:", "--no-deps"];

/** The files that are made, and where in its folder the package looks for them. */
const FILES = {
  "tfjs_binding.node": "lib/napi-v8",
  "libtensorflow_cc.so.2": "deps/lib",
  "libtensorflow_framework.so.2": "deps/lib",
};

/** Python: takes libtensorflow and the headers of its C interface out of the wheel argv[1], into the folder argv[2]. */
const EXTRACT = `
import sys, zipfile
parts = ("libtensorflow_", "include/tensorflow/c/", "include/tensorflow/core/platform/", "include/tensorflow/tsl/")
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in wheel.namelist():
        if name.startswith(tuple("tensorflow/" + part for part in parts)):
            wheel.extract(name, sys.argv[2])
`;

const COMPILERS = {
  debian: "sudo apt-get install g++",
  fedora: "sudo dnf install gcc-c++",
  mac: "xcode-select --install",
  windows: "install the Visual Studio Build Tools",
};

/** The native backend is not to be had on this machine; nothing is wrong with the project. */
export class Unavailable extends Problem {}

/** @typedef {{ paths: ReturnType<typeof projectPaths>, folder: string, cache: string, env: NodeJS.ProcessEnv }} Place */

/**
 * Installs tfjs's native backend in node_modules/, unless it is there and loads. Set-up has to be complete.
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, say?: (line: string) => void }} [options]
 * @throws {Unavailable} if the system, its tools or the network don't allow it
 * @throws {Problem} if it does not compile or, once built, does not load
 */
export async function installNative({ root = ROOT, env = process.env, say = console.log } = {}) {
  const paths = projectPaths(root);
  const folder = join(paths.nodeModules, "tfjs-node-native");
  const place = { paths, folder, cache: join(paths.setup, "native"), env };
  if (!loadFault(place)) return;
  checkSystem();
  await withLock(
    paths.lock,
    async () => {
      if (existsSync(folder) && !loadFault(place)) return; // another process has done it meanwhile
      say("Building tfjs's native backend (the first time 220 MB are downloaded) …");
      try {
        await addPackage(place);
        await makeFiles(place);
        putFiles(place);
        const fault = loadFault(place);
        if (fault) throw new Problem(`The native backend was built, but does not load:\n${fault}`);
      } catch (error) {
        rmSync(folder, { recursive: true, force: true }); // tfjs goes on without it
        throw error;
      }
    },
    { say },
  );
}

function checkSystem() {
  const { glibcVersionRuntime } = /** @type {any} */ (process.report.getReport()).header;
  const system = `${process.platform} ${process.arch}${process.platform === "linux" && !glibcVersionRuntime ? " without glibc" : ""}`;
  if (system === "linux x64") return;
  throw new Unavailable(
    `The native backend can be built on Linux x64 with glibc only; this is ${system}. Nothing needs doing: tfjs uses its next fastest backend.`,
  );
}

/**
 * Why the native backend does not start in this folder; "" if it does.
 * @param {Place} place
 */
function loadFault({ paths, env }) {
  const start = `require("./dist/backend").initBackend().catch((error) => { console.error(error.message); process.exit(1); })`;
  const child = spawnSync(process.execPath, ["-e", start], {
    cwd: paths.root,
    env: { ...env, ACRONYM_BACKEND: "native" },
    encoding: "utf8",
  });
  return child.status === 0 ? "" : child.stderr || `ended by ${child.signal}`;
}

/**
 * The package as the lockfile has it, without its install script: npm leaves an optional package out whose script failed.
 * @param {Place} place
 */
async function addPackage(place) {
  if (existsSync(join(place.folder, "package.json"))) return;
  const [command, ...args] = npmCommand(place.env);
  const flags = ["install", "--ignore-scripts", "--no-save", "--no-audit", "--include=dev", "--include=optional"];
  await step(place, "npm install", [command, ...args, ...flags], place.env).catch((error) => {
    if (error.code === "ENOENT") npmMissing();
    throw error;
  });
}

/**
 * FILES in the cache: downloaded and compiled, unless they are there. The wheel and the headers are not kept.
 * @param {Place} place
 */
async function makeFiles(place) {
  const { paths, cache, folder, env } = place;
  const inputs = { WHEEL, source: hashFolder(join(folder, "binding"), () => true) };
  if (isCurrent(join(cache, ".made"), inputs)) return;
  rmSync(cache, { recursive: true, force: true });
  const work = join(cache, "work");
  mkdirSync(work, { recursive: true });
  const compiler = findCompiler(env);
  const python = jupyterEnv(paths.root, env);
  const requirement = join(work, "wheel.txt");
  writeFileSync(requirement, `${WHEEL}\n`);
  const pip = ["-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "--retries=2"];
  const what = ["--require-hashes", "--requirement", requirement, "--dest", work, ...WHEEL_FLAGS];
  await step(place, "pip download", [paths.venvPython, ...pip, ...what], python);
  const wheel = readdirSync(work).find((file) => file.endsWith(".whl"));
  await step(place, "Unpacking libtensorflow", [paths.venvPython, "-c", EXTRACT, join(work, `${wheel}`), work], python);
  await step(place, "Compiling the addon", [compiler, ...compilerFlags(place, join(work, "tensorflow"))], env);
  for (const file of readdirSync(join(work, "tensorflow"))) {
    if (file in FILES) renameSync(join(work, "tensorflow", file), join(cache, file));
  }
  rmSync(work, { recursive: true });
  writeStamp(join(cache, ".made"), inputs);
}

/** @param {NodeJS.ProcessEnv} env */
function findCompiler(env) {
  const names = env.CXX ? [env.CXX] : ["c++", "g++", "clang++"];
  const found = names.find((name) => spawnSync(name, ["--version"], { env }).status === 0);
  if (found) return found;
  const { message } = problem(
    `There is no C++ compiler (${names.join(", ")}), which the native backend needs.`,
    COMPILERS,
  );
  throw new Unavailable(message);
}

/**
 * @param {Place} place
 * @param {string} tensorflow the unpacked wheel
 */
function compilerFlags({ paths, folder }, tensorflow) {
  const includes = [folder, join(paths.nodeModules, "node-api-headers", "include"), join(tensorflow, "include")];
  const libraries = Object.keys(FILES).filter((file) => file.startsWith("lib"));
  return [
    ...["-O3", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=tfjs_binding"],
    ...includes.flatMap((include) => ["-I", include]),
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((source) => join(folder, "binding", source)),
    ...["-o", join(tensorflow, "tfjs_binding.node"), "-L", tensorflow],
    ...libraries.map((library) => `-l:${library}`),
    "-Wl,-rpath,$ORIGIN/../../deps/lib",
  ];
}

/**
 * Puts FILES where the package looks for them, without taking their space twice.
 * @param {Place} place
 */
function putFiles({ cache, folder }) {
  for (const [file, target] of Object.entries(FILES)) {
    const to = join(folder, target, file);
    mkdirSync(join(folder, target), { recursive: true });
    rmSync(to, { force: true });
    try {
      linkSync(join(cache, file), to);
    } catch {
      copyFileSync(join(cache, file), to); // another file system
    }
  }
}

/**
 * Runs a program to a good end. Downloads can fail for reasons of the machine.
 * @param {Place} place
 * @param {string} what
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 */
async function step({ paths }, what, [command, ...args], env) {
  const log = join(paths.logs, `native-${what.split(" ")[0].toLowerCase()}.log`);
  const started = noteChild.bind(undefined, paths.lock);
  const { code, output } = await run(command, args, { cwd: paths.root, env, log, started });
  if (code === 0) return;
  const fault = installFault(what, output, log);
  throw /npm|pip/.test(what) ? new Unavailable(fault.message) : fault;
}
