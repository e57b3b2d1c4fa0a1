import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runNotebooks } from "../notebooks/notebooks.mjs";
import { problemText, progressLine, table } from "../notebooks/report.mjs";
import { ROOT, withModel } from "../setup/paths.mjs";
import { orUsage, Problem } from "../setup/problem.mjs";
import { setUp } from "../setup/setup.mjs";
import { memory } from "../setup/steps.mjs";

const USAGE = `npm start -- [notebook …] [--model DIR] [--time-limit SECONDS] [--folder DIR] [--out DIR]

  notebook      a number or the beginning of a name: 01, 03-patching; all if none is given
  --model       a folder in Hugging Face's layout, instead of the model that comes with the project
  --time-limit  seconds that one cell may take (1800)
  --folder      where the notebooks are (notebooks)
  --out         where the results go (out)
  --at-once     how many run side by side (by processors and memory; 1 for a model of your own)`;

const NOTEBOOKS = { folder: join(ROOT, "notebooks"), out: join(ROOT, "out"), usage: USAGE };

/**
 * Set-up, then every notebook through the kernel; results go to out/.
 * @param {string[]} args
 */
export async function main(args) {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  await setUp();
  const results = await execute(options);
  return results.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

/**
 * Runs notebooks with a progress line and prints the closing table and every problem.
 * @param {Parameters<typeof runNotebooks>[0]} options
 * @param {typeof runNotebooks} [run] what is done with them
 * @param {string} [made] what lies in `options.out` afterwards
 */
export async function execute(options, run = runNotebooks, made = "Notebooks, pages and figures") {
  const line = progressLine();
  /** @type {Map<string, number>} */
  const starts = new Map();
  const results = await run({
    ...options,
    onEvent: ({ event, name, cell, of }) => {
      if (event === "notebook") starts.set(name, performance.now());
      if (event === "notebook") line.show(`${name}  starting the kernel`, starts.get(name));
      if (event === "cell") line.show(`${name}  cell ${cell} of ${of}`, starts.get(name));
    },
    onResult: ({ name, seconds, problems }) =>
      line.leave(`${problems.length === 0 ? "✓" : "✗"} ${name}  ${seconds.toFixed(1)} s`),
  }).finally(() => line.end());
  console.log(`\n${table(results)}`);
  const problems = problemText(results);
  if (problems) console.error(`\n${problems}`);
  console.log(`\n${made}: ${relative(process.cwd(), options.out) || "."}`);
  return results;
}

/**
 * @param {string[]} args
 * @param {{ folder: string, out: string, usage: string }} [of] the command's own folders and how it is called
 * @returns {Parameters<typeof runNotebooks>[0] | undefined} undefined if only help is wanted
 */
export function readOptions(args, { folder, out, usage } = NOTEBOOKS) {
  const { values, positionals } = orUsage(usage, () => parse(args));
  if (values.help) return undefined;
  const timeLimit = Number(values["time-limit"]);
  if (!(timeLimit > 0)) throw new Problem(`--time-limit takes a number of seconds, not "${values["time-limit"]}".`);
  const env = withModel(process.env, values.model);
  const atOnce = Number(values["at-once"] ?? mostAtOnce(env));
  if (!(Number.isInteger(atOnce) && atOnce > 0))
    throw new Problem(`--at-once takes a number of notebooks from 1 on, not "${values["at-once"]}".`);
  const here = process.env.INIT_CWD ?? process.cwd();
  return {
    folder: values.folder ? resolve(here, values.folder) : folder,
    out: values.out ? resolve(here, values.out) : out,
    selection: positionals,
    timeLimit: Math.ceil(timeLimit),
    atOnce,
    env,
  };
}

/** Megabytes of a kernel with the embedded model, its page and what the system needs. */
const KERNEL = 1900;

/** A model of the reader's own may be of any size. @param {NodeJS.ProcessEnv} env */
function mostAtOnce(env) {
  if (env.ACRONYM_MODEL) return 1;
  return Math.max(1, Math.min(4, availableParallelism(), Math.floor(memory() / KERNEL)));
}

/** @param {string[]} args */
const parse = (args) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      model: { type: "string" },
      "time-limit": { type: "string", default: "1800" },
      folder: { type: "string" },
      out: { type: "string" },
      "at-once": { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
