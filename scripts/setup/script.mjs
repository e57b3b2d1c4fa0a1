import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";
import { endOnSignal } from "./run.mjs";

/**
 * Runs a TypeScript file of scripts/ with our terminal.
 * @param {string} name such as "fetch/main.ts"
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export async function runScript(name, args) {
  const child = spawn(process.execPath, ["--import", "tsx", join(ROOT, "scripts", name), ...args], {
    cwd: ROOT,
    stdio: "inherit",
  });
  endOnSignal(child);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
