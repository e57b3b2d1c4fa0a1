import { checkFolder, runScript } from "../setup/script.mjs";
import { setUp } from "../setup/setup.mjs";

/**
 * Set-up, then GPT-2 Small against the paper's figures.
 * @param {string[]} args
 */
export async function main(args) {
  checkFolder();
  await setUp();
  return await runScript("validate/main.ts", args);
}
