import { runScript } from "../lib/script.mjs";
import { setUp } from "../lib/setup.mjs";

/**
 * Set-up, then fetches models and prompts ahead of time.
 * @param {string[]} args
 */
export async function main(args) {
  await setUp();
  return await runScript("fetch.ts", args);
}
