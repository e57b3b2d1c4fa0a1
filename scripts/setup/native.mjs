import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../src/load/lock.mjs";
import { FILES, makeFiles, TIME_LIMIT, Unavailable } from "./native-files.mjs";
import { projectPaths, ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";

/** @typedef {import("./native-files.mjs").Place} Place */

/**
 * Installs tfjs's native backend in node_modules/, unless it is there and loads. Set-up has to be complete.
 * Throws Unavailable if the system, its tools or the network don't allow it; Problem if it does not compile or,
 * once built, does not load.
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, say?: (line: string) => void }} [options]
 */
export async function installNative({ root = ROOT, env = process.env, say = console.log } = {}) {
  const paths = projectPaths(root);
  const folder = join(paths.nodeModules, "tfjs-node-native");
  const place = { paths, folder, cache: join(paths.setup, "native"), env };
  if (!loadFault(place)) return;
  const obstacle = systemObstacle();
  if (obstacle) throw new Unavailable(`${obstacle} Nothing needs doing: tfjs uses its next fastest backend.`);
  if (!existsSync(join(folder, "package.json")))
    throw new Problem("node_modules/ lacks tfjs-node-native. Delete node_modules/ and run the command again.");
  await withLock(
    paths.lock,
    async () => {
      if (!loadFault(place)) return; // another process has done it meanwhile
      const minutes = TIME_LIMIT / 60_000;
      say(`Building tfjs's native backend (the first time 220 MB are downloaded; ${minutes} minutes at most) …`);
      try {
        await makeFiles(place);
        putFiles(place);
        const fault = loadFault(place);
        if (fault) throw new Problem(`The native backend was built, but does not load:\n${fault}`);
      } catch (error) {
        removeFiles(place); // tfjs goes on without them
        throw error;
      }
    },
    { say },
  );
}

/** Why the native backend can't be built on this system; "" if it can. */
export function systemObstacle() {
  const { glibcVersionRuntime } = /** @type {any} */ (process.report.getReport()).header;
  const system = `${process.platform} ${process.arch}${process.platform === "linux" && !glibcVersionRuntime ? " without glibc" : ""}`;
  return system === "linux x64"
    ? ""
    : `The native backend can be built on Linux x64 with glibc only; this is ${system}.`;
}

/** @param {string} nodeModules */
export function isBuilt(nodeModules) {
  return Object.entries(FILES).every(([file, target]) =>
    existsSync(join(nodeModules, "tfjs-node-native", target, file)),
  );
}

/**
 * Why the native backend does not start in this folder; "" if it does.
 * @param {Place} place
 */
function loadFault({ paths, env }) {
  const start = `require("./dist/model/backend/choose").initBackend().catch((error) => { console.error(error.message); process.exit(1); })`;
  const child = spawnSync(process.execPath, ["-e", start], {
    cwd: paths.root,
    env: { ...env, ACRONYM_BACKEND: "native" },
    encoding: "utf8",
    timeout: 120_000,
  });
  return child.status === 0 ? "" : child.stderr || `ended by ${child.signal}`;
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

/** @param {Place} place */
function removeFiles({ folder }) {
  for (const target of Object.values(FILES)) rmSync(join(folder, target), { recursive: true, force: true });
}
