import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { ROOT } from "../setup/paths.mjs";
import { setUp } from "../setup/setup.mjs";
import { writeAtomically } from "../setup/stamp.mjs";
import { execute, readOptions } from "./start.mjs";

/**
 * Executes notebooks and, only if every cell and claim of all of them passes, saves them executed where they came from.
 * @param {string[]} args
 * @param {typeof import("../notebooks/notebooks.mjs").runNotebooks} [run] how they are executed
 */
export async function main(args, run) {
  const options = readOptions(args);
  if (options === undefined) {
    console.log("npm run notebooks:save -- [notebook …] [--time-limit SECONDS] [--folder DIR] [--out DIR]");
    return 0;
  }
  await setUp();
  const results = await execute(options, run);
  const files = results.map(({ source, executed }) => ({ source, text: readFileSync(executed, "utf8") }));
  const leaks = files.filter(({ text }) => [ROOT, homedir()].some((path) => text.includes(path)));
  for (const { source } of leaks) console.error(`${source}: an output names a folder of this machine.`);
  if (leaks.length > 0 || results.some(({ problems }) => problems.length > 0)) {
    console.error("Nothing was saved.");
    return 1;
  }
  for (const { source, text } of files) writeAtomically(source, text);
  console.log(`Saved: ${files.length} executed notebooks.`);
  return 0;
}
