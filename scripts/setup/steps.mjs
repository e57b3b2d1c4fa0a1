import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { totalmem } from "node:os";
import { basename, dirname, join } from "node:path";
import { noteChild } from "../../src/load/lock.mjs";
import { installFault, Problem } from "./problem.mjs";
import { prune, RULES } from "./prune.mjs";
import { findPython } from "./python.mjs";
import { run } from "./run.mjs";
import { hashFile, hashFolder, writeAtomically } from "./stamp.mjs";
import { makeVenv } from "./venv.mjs";

/**
 * @typedef {object} Context
 * @property {ReturnType<typeof import("./paths.mjs").projectPaths>} paths
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} say
 */

/**
 * @typedef {object} Step
 * @property {string} doing what is said while it runs
 * @property {number} megabytes free disk space that it needs
 * @property {string} stamp
 * @property {() => Record<string, unknown>} inputs what its result depends on
 * @property {() => boolean} [isWhole] a quick look whether the result is still there
 * @property {() => void} [check] throws if the work can't succeed here; asked before any step works
 * @property {() => Promise<void>} work
 */

/**
 * The steps of set-up, in their order.
 * @param {Context} context
 * @returns {Step[]}
 */
export function allSteps(context) {
  const steps = [packagesStep, pruneStep, addonStep, libraryStep, pythonStep, kernelStep];
  return steps.map((step) => step(context));
}

/** @param {Context} context @returns {Step} */
function packagesStep({ paths, env }) {
  const { root, nodeModules, logs, lock } = paths;
  return {
    doing: "Installing the npm packages (about a minute the first time)",
    megabytes: 1000,
    stamp: join(nodeModules, ".set-up"),
    inputs: () => ({
      lockfile: hashFile(join(root, "package-lock.json")),
      npmrc: hashFile(join(root, ".npmrc")),
      abi: process.versions.modules,
      platform: `${process.platform}-${process.arch}`,
    }),
    isWhole: () => existsSync(join(nodeModules, "tslab", "bin", "tslab")),
    work: async () => {
      const [command, ...args] = npmCommand(env);
      const log = join(logs, "npm-ci.log");
      // no package needs its install script, and some fetch what no lockfile has a hash of
      const flags = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--loglevel=warn"];
      const { code, output } = await run(command, [...args, ...flags], {
        cwd: root,
        env,
        log,
        started: (pid) => noteChild(lock, pid),
      }).catch(npmMissing);
      if (code !== 0) throw installFault("npm ci", output, log);
    },
  };
}

/** @param {Context} context @returns {Step} */
function pruneStep({ paths: { nodeModules } }) {
  return {
    doing: "Removing from node_modules/ what only other systems and browsers need",
    megabytes: 0,
    stamp: join(nodeModules, ".pruned"),
    inputs: () => ({ rules: RULES, platform: process.platform, arch: process.arch }),
    work: async () => prune(nodeModules),
  };
}

/**
 * zeromq's package holds its library for all usual systems. Where it doesn't, its install script compiles one out of sources that it
 * downloads, which is the user's to decide. A step of its own: npm's would undo what was compiled.
 * @param {Context} context
 * @returns {Step}
 */
function addonStep({ paths, env }) {
  const { root, nodeModules } = paths;
  const abi = `${process.platform}-${process.arch}-${process.versions.modules}`;
  return {
    doing: "Loading zeromq, by which JupyterLab and the kernel talk",
    megabytes: 0,
    stamp: join(nodeModules, "zeromq", ".set-up"),
    inputs: () => ({ abi }),
    work: async () => {
      const { code, output } = await run(process.execPath, ["-e", 'require("zeromq")'], {
        cwd: root,
        env,
        log: join(paths.logs, "zeromq.log"),
      });
      if (code === 0) return;
      const fault = output.split("\n").find((line) => /Error/.test(line)) ?? "";
      throw new Problem(
        `zeromq, by which JupyterLab and the kernel talk, comes without a library that loads on this system (${abi}). Its install script, which set-up does not run, compiles one; it needs CMake, a C++ compiler and the network:\n\n  npm rebuild zeromq --ignore-scripts=false\n\nThen run the command again.\n\n  ${fault.trim()}`,
      );
    },
  };
}

/**
 * The npm that runs this command, else the one beside this Node, else the one on PATH.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]}
 */
export function npmCommand(env) {
  const beside = join(dirname(process.execPath), "node_modules", "npm", "bin", "npm-cli.js");
  const script = [env.npm_execpath, beside].find((file) => file && basename(file) === "npm-cli.js" && existsSync(file));
  return script ? [process.execPath, script] : ["npm"];
}

/** @returns {never} */
function npmMissing() {
  throw new Problem(
    "npm was not found. It comes with Node: install Node from https://nodejs.org, then run `npm start`.",
  );
}

/** @param {Context} context @returns {Step} */
function libraryStep({ paths, env }) {
  const { root, nodeModules, dist, logs, lock } = paths;
  return {
    doing: "Compiling src/ to dist/",
    megabytes: 10,
    stamp: join(dist, ".set-up"),
    inputs: () => ({
      source: hashFolder(join(root, "src"), (name) => /\.m?ts$|\.mjs$/.test(name)),
      config: hashFile(join(root, "tsconfig.json")),
      lockfile: hashFile(join(root, "package-lock.json")),
    }),
    work: async () => {
      // a sibling of dist/, so that the relative paths in the source maps are right after the rename
      const fresh = join(root, ".dist-new");
      rmSync(fresh, { recursive: true, force: true });
      const log = join(logs, "tsc.log");
      const compiler = join(nodeModules, "typescript7", "bin", "tsc");
      const { code, output } = await run(process.execPath, [compiler, "-p", root, "--outDir", fresh], {
        cwd: root,
        env: { ...env, NODE_DISABLE_COMPILE_CACHE: "1" }, // else it leaves one in the system's temporary folder
        log,
        started: (pid) => noteChild(lock, pid),
      });
      if (code !== 0) throw new Problem(`src/ does not compile:\n\n${output.trimEnd()}`);
      mkdirSync(fresh, { recursive: true });
      await bundleForBrowsers(root, fresh);
      rmSync(dist, { recursive: true, force: true });
      renameSync(fresh, dist);
    },
  };
}

/** One ES module, which bundlers take as it is: CommonJS would bring a second copy of tfjs to whoever imports that. @param {string} root @param {string} out */
async function bundleForBrowsers(root, out) {
  const { build } = createRequire(join(root, "package.json"))("esbuild");
  await build({
    entryPoints: [join(root, "src", "browser.ts")],
    outfile: join(out, "browser.mjs"),
    bundle: true,
    external: ["@tensorflow/*"],
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  writeFileSync(join(out, "browser.d.mts"), 'export * from "./browser.js";\n');
}

/** @param {Context} context @returns {Step} */
function pythonStep({ paths, env, say }) {
  const { root, venv, venvPython } = paths;
  return {
    doing: "Making the Python environment with JupyterLab (about a minute the first time)",
    megabytes: 500,
    stamp: join(venv, ".set-up"),
    inputs: () => ({
      root, // a virtual environment holds absolute paths
      requirements: hashFile(join(root, "requirements.txt")),
      python: realPath(venvPython),
      chosen: env.PYTHON ?? "",
    }),
    isWhole: () => existsSync(venvPython),
    check: () => void findPython(env),
    work: async () => {
      const python = findPython(env);
      say(`  with ${python.executable} (Python ${python.version.join(".")})`);
      await makeVenv(python, venv, join(root, "requirements.txt"), { paths, env });
    },
  };
}

/** @param {Context} context @returns {Step} */
function kernelStep({ paths }) {
  return {
    doing: "Registering the TypeScript kernel with JupyterLab",
    megabytes: 1,
    stamp: join(dirname(paths.kernelSpec), ".set-up"),
    inputs: () => ({ kernel: kernelSpec(paths), config: labConfig(paths), settings: LAB_SETTINGS }),
    work: async () => {
      writeAtomically(paths.labConfig, labConfig(paths));
      writeAtomically(paths.kernelSpec, kernelSpec(paths));
      writeAtomically(paths.labSettings, LAB_SETTINGS);
    },
  };
}

/** Where there is less memory (MB), a kernel's is kept small: garbage is collected earlier, which takes time. */
const SMALL_MACHINE = 2600;

/** V8's limits (MB) on a small machine: a kernel takes 0.5 GB instead of 0.9, and every notebook runs on the embedded model. */
const SMALL_KERNEL = ["--max-old-space-size=384", "--max-semi-space-size=4"];

/** The memory that this process may use, in MB: the machine's, or its container's. */
export function memory() {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY; // 0 or undefined: none
  return Math.min(totalmem(), limit) / 2 ** 20;
}

/**
 * The tslab kernel of this folder, under the Node that runs set-up.
 * @param {Context["paths"]} paths
 * @param {number} [megabytes] the machine's memory
 */
export function kernelSpec({ root }, megabytes = memory()) {
  const spec = {
    argv: [
      process.execPath,
      ...(megabytes < SMALL_MACHINE ? SMALL_KERNEL : []),
      "--enable-source-maps",
      // deprecations inside third-party packages differ between Node versions and would end up in the notebooks
      "--no-deprecation",
      join(root, "scripts", "notebooks", "kernel.cjs"),
      "{connection_file}",
    ],
    display_name: "TypeScript (tslab)",
    language: "typescript",
    interrupt_mode: "signal",
    env: { TF_CPP_MIN_LOG_LEVEL: "2" },
    metadata: {},
  };
  return `${JSON.stringify(spec, null, 1)}\n`;
}

/**
 * What JupyterLab does unless its arguments say otherwise: reachable from this machine only, keeps its files in the project.
 * @param {Context["paths"]} paths
 */
function labConfig({ work, setup }) {
  const config = {
    ServerApp: { ip: "127.0.0.1", root_dir: work },
    FileCheckpoints: { checkpoint_dir: join(setup, "jupyter", "checkpoints") },
    MultiKernelManager: { default_kernel_name: "tslab" },
    LabApp: { extension_manager: "readonly", default_url: "/lab/tree/START.md" },
    Application: { log_level: "WARN" },
  };
  return `${JSON.stringify(config, null, 1)}\n`;
}

/** JupyterLab neither asks for news nor looks for updates: nothing is fetched when it opens. Pages are shown as pages, not as their source. */
const LAB_SETTINGS = `${JSON.stringify(
  {
    "@jupyterlab/apputils-extension:notification": {
      fetchNews: "false",
      checkForUpdates: false,
      doNotDisturbMode: false,
    },
    "@jupyterlab/docmanager-extension:plugin": { defaultViewers: { markdown: "Markdown Preview" } },
  },
  null,
  1,
)}\n`;

/** @param {string} file */
function realPath(file) {
  return existsSync(file) ? realpathSync(file) : "missing";
}
