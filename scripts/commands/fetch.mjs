import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../lib/paths.mjs";
import { endOnSignal } from "../lib/run.mjs";
import { setUp } from "../lib/setup.mjs";

/**
 * Set-up, then fetches models and prompts ahead of time.
 * @param {string[]} args
 */
export async function main(args) {
  await setUp();
  const child = spawn(process.execPath, ["--import", "tsx", join(ROOT, "scripts", "fetch.ts"), ...args], {
    cwd: ROOT,
    stdio: "inherit",
  });
  endOnSignal(child);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
