import { mkdirSync, readdirSync, realpathSync, rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../src/load/lock.mjs";
import { isBuilt, systemObstacle } from "./native.mjs";
import { projectPaths, ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { isCurrent, removeStamp, writeStamp } from "./stamp.mjs";
import { allSteps } from "./steps.mjs";

/** @typedef {import("./steps.mjs").Step} Step */

/**
 * Brings the folder to the state that the lockfile, requirements.txt and src/ describe: npm packages, dist/, and the
 * Python environment with the kernel. What is up to date is left alone.
 * Throws Problem with a message that says what to do.
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, say?: (line: string) => void, freeMegabytes?: (folder: string) => number }} [options]
 */
export async function setUp({ root = ROOT, env = process.env, say = console.log, freeMegabytes = freeOn } = {}) {
  const start = performance.now();
  const paths = projectPaths(realpathSync(root));
  const steps = allSteps({ paths, env, say });
  if (steps.every(isDone)) return;
  await withLock(
    paths.lock,
    async () => {
      clearOldTemporaries(join(paths.setup, "tmp"));
      const pending = steps.filter((step) => !isDone(step));
      for (const step of pending) step.check?.();
      checkSpace(pending, paths.root, freeMegabytes);
      // asked again one by one: a step can undo what a later one has made
      for (const step of steps) if (!isDone(step)) await perform(step, say);
    },
    { say },
  );
  const offer = "Optional: `npm run native` builds tfjs's native backend (220 MB to download).\n";
  say(`Set-up is complete (${seconds(start)}).\n${systemObstacle() || isBuilt(paths.nodeModules) ? "" : offer}`);
}

/** @param {Step} step */
function isDone(step) {
  return isCurrent(step.stamp, step.inputs()) && (step.isWhole?.() ?? true);
}

/**
 * @param {Step} step
 * @param {(line: string) => void} say
 */
async function perform(step, say) {
  const start = performance.now();
  say(`${step.doing} …`);
  removeStamp(step.stamp);
  await step.work();
  writeStamp(step.stamp, step.inputs());
  say(`  done in ${seconds(start)}`);
}

/**
 * @param {Step[]} pending
 * @param {string} folder
 * @param {(folder: string) => number} freeMegabytes
 */
function checkSpace(pending, folder, freeMegabytes) {
  const needed = pending.reduce((sum, step) => sum + step.megabytes, 0);
  const free = freeMegabytes(folder);
  if (free >= needed) return;
  throw new Problem(
    `Set-up needs about ${needed} MB of free disk space in ${folder}; there are ${Math.floor(free)} MB. Free some space, then run the command again.`,
  );
}

/** @param {string} folder */
function freeOn(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return (bavail * bsize) / 2 ** 20;
}

/**
 * What killed installers and tests left behind a day ago or earlier; younger files may be in use.
 * @param {string} folder
 */
function clearOldTemporaries(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (Date.now() - statSync(file).mtimeMs > 24 * 3600_000) rmSync(file, { recursive: true, force: true });
  }
}

/** @param {number} start */
function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
