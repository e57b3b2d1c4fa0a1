import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noteChild } from "../../src/load/lock.mjs";
import { jupyterEnv } from "./paths.mjs";
import { installFault, Problem, problem } from "./problem.mjs";
import { run } from "./run.mjs";
import { hashFolder, isCurrent, writeStamp } from "./stamp.mjs";

// tfjs's native backend, @tensorflow/tfjs-node, has an install script that fetches libtensorflow and its addon from outside the
// package registries, without a hash to check them by; set-up does not run it. Here they come from the registries: libtensorflow out of TensorFlow's Python wheel, the addon out of the
// package's own source. The three files are kept in .setup/, so that a new node_modules/ gets them in seconds.

/** The oldest wheel that holds libtensorflow as a file of its own; tfjs-node 4.22 is made for 2.9. The Python doesn't matter. */
const WHEEL = "tensorflow-cpu==2.12.1 --hash=sha256:7ffb595707a8fb376deaddc768784c7a0242b16cbc6e06393b1733b2ce19f855";
const WHEEL_FLAGS = ["--python-version=3.11", "--platform=manylinux2014_x86_64", "--only-binary=:all:", "--no-deps"];

/** Milliseconds that the download, and likewise each other step, may take: 220 MB at 3 Mbit/s. */
export const TIME_LIMIT = 10 * 60_000;

/** The files that are made, and where in its folder the package looks for them. */
export const FILES = {
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

/**
 * @typedef {object} Place
 * @property {ReturnType<typeof import("./paths.mjs").projectPaths>} paths
 * @property {string} folder the package's, in node_modules/
 * @property {string} cache where FILES are kept
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * FILES in the cache: downloaded and compiled, unless they are there. The wheel and the headers are not kept.
 * @param {Place} place
 */
export async function makeFiles(place) {
  const { cache, folder } = place;
  const inputs = { WHEEL, source: hashFolder(join(folder, "binding"), () => true) };
  if (isCurrent(join(cache, ".made"), inputs)) return;
  const work = join(cache, "work");
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const compiler = findCompiler(place.env);
    const tensorflow = await unpackedWheel(place, work);
    await step(place, "Compiling the addon", [compiler, ...compilerFlags(place, tensorflow)]);
    for (const file of Object.keys(FILES)) renameSync(join(tensorflow, file), join(cache, file));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  writeStamp(join(cache, ".made"), inputs);
}

/**
 * @param {Place} place
 * @param {string} work
 * @returns {Promise<string>} the folder with libtensorflow and include/
 */
async function unpackedWheel(place, work) {
  const requirement = join(work, "wheel.txt");
  writeFileSync(requirement, `${WHEEL}\n`);
  const { venvPython } = place.paths;
  const pip = ["-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "--retries=1"];
  const what = ["--require-hashes", "--requirement", requirement, "--dest", work, ...WHEEL_FLAGS];
  await step(place, "pip download", [venvPython, ...pip, ...what]);
  const wheel = readdirSync(work).find((file) => file.endsWith(".whl"));
  await step(place, "Unpacking libtensorflow", [venvPython, "-c", EXTRACT, join(work, `${wheel}`), work]);
  return join(work, "tensorflow");
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
 * Runs a program to a good end. Downloads can fail for reasons of the machine.
 * @param {Place} place
 * @param {string} what
 * @param {string[]} command
 */
export async function step({ paths, env }, what, [command, ...args]) {
  const log = join(paths.logs, `native-${what.split(" ")[0].toLowerCase()}.log`);
  const started = noteChild.bind(undefined, paths.lock);
  const { code, output } = await run(command, args, {
    cwd: paths.root,
    env: jupyterEnv(paths.root, env),
    log,
    started,
    timeLimit: TIME_LIMIT,
  });
  if (code === 0) return;
  const fault = installFault(what, output, log);
  throw /pip/.test(what) ? new Unavailable(fault.message) : fault;
}
