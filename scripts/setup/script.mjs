import { join } from "node:path";
import { ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { runHere } from "./run.mjs";

/**
 * What runs TypeScript, tsx, takes a path's "?" for the end of the path.
 * Throws Problem if the project lies in such a folder.
 */
export function checkFolder(root = ROOT) {
  if (!root.includes("?")) return;
  throw new Problem(
    `The project's folder, ${root}, has a "?" in its path, which this command can't run with (npm start and npm run lab can). Rename the folder, then run the command again.`,
  );
}

/**
 * Runs a TypeScript file of scripts/ with our terminal.
 * @param {string} name such as "fetch/main.ts"
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export async function runScript(name, args) {
  return await runHere(process.execPath, ["--require", "tsx/cjs", join(ROOT, "scripts", name), ...args], { cwd: ROOT });
}
