/** `npm run bench`: seconds, floating-point operations and memory of every figure of the paper; with `--peer` against TransformerLens. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { UsageError } from "../validate/options";
import { type Options, readOptions, USAGE } from "./options";
import { ruleLines, scalingTable } from "./report";
import { bench, machine } from "./run";
import { measureSizes, scalingRules } from "./scaling";

async function scaling(options: Options) {
  const { shape, figures } = options;
  const sizes = await measureSizes(options, ({ n, seconds, peak_mb }) =>
    console.error(`n = ${n}: ${seconds.toFixed(1)} s, ${peak_mb.toFixed(0)} MB`),
  );
  const rules = scalingRules(sizes);
  console.log(`${shape}, figures ${figures.join(", ")}\n\n${scalingTable(sizes)}\n\n${ruleLines(rules)}`);
  return { machine: machine(), shape, figures, sizes, rules };
}

/** @returns whether everything holds that is required */
async function run(options: Options): Promise<boolean> {
  const found = await (options.scaling ? scaling(options) : bench(options));
  mkdirSync(path.dirname(path.resolve(options.json)), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify(found, null, 2)}\n`);
  if ("rules" in found) return found.rules.every(({ holds }) => holds);
  return found.stopped === undefined && found.peer?.passed !== false;
}

/** The command. @returns its exit code; what went wrong has been said */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options.help) console.log(USAGE);
    return options.help || (await run(options)) ? 0 : 1;
  } catch (error) {
    const message = (error as Error).message;
    console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
    return error instanceof UsageError ? 2 : 1;
  }
}

if (require.main === module)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
