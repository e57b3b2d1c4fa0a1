import { join } from "node:path";
import { buildLessons } from "../lessons/build.mjs";
import { ROOT } from "../setup/paths.mjs";
import { setUp } from "../setup/setup.mjs";
import { execute, readOptions } from "./start.mjs";

const USAGE = `npm run lessons -- [lesson …] [--model DIR] [--time-limit SECONDS] [--folder DIR] [--out DIR]

  lesson        a number or the beginning of a name: 1, 2-patching; all if none is given
  --model       a folder in Hugging Face's layout, instead of the model that comes with the project
  --time-limit  seconds that one cell may take (1800)
  --folder      where the lessons' sources are (lessons)
  --out         where the copies go (out/lessons)`;

/**
 * Set-up, then a student's and an executed teacher's copy of every lesson.
 * @param {string[]} args
 */
export async function main(args) {
  const options = readOptions(args, { folder: join(ROOT, "lessons"), out: join(ROOT, "out", "lessons"), usage: USAGE });
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  await setUp();
  const results = await execute(options, buildLessons, "Copies for students and teachers");
  const failed = results.filter(({ problems }) => problems.length > 0);
  if (failed.length > 0) console.error(`No teacher's copy of ${failed.map(({ name }) => name).join(", ")}.`);
  return failed.length === 0 ? 0 : 1;
}
