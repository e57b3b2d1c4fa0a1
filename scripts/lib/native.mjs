import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { FILES, makeFiles, step, Unavailable } from "./native-files.mjs";
import { projectPaths, ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { npmCommand, npmMissing } from "./steps.mjs";

/** @typedef {import("./native-files.mjs").Place} Place */

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
  const flags = [
    "install",
    "--ignore-scripts",
    "--no-save",
    "--no-audit",
    "--prefer-offline",
    "--include=dev",
    "--include=optional",
  ];
  await step(place, "npm install", [command, ...args, ...flags]).catch((error) => {
    if (error.code === "ENOENT") npmMissing();
    throw error;
  });
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
