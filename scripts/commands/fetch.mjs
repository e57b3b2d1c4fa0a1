import { checkFolder, runScript } from "../setup/script.mjs";
import { setUp } from "../setup/setup.mjs";

/**
 * Set-up, then fetches models and prompts ahead of time.
 * @param {string[]} args
 */
export async function main(args) {
  checkFolder();
  await setUp();
  return await runScript("fetch/main.ts", args);
}
