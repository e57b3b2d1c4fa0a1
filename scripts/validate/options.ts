import path from "node:path";
import { parseArgs } from "node:util";

export const USAGE = `npm run validate:gpt2 -- [options]

Compares GPT-2 Small with the paper's digitised figures, the strongest test first: weights alone, identities, prompts.

  --model      gpt2 (default, fetched if need be), a folder, or org/name
  --n          prompts (50)
  --seeds      permutations of the prompts, where a figure depends on them (5)
  --prompts    official (default, fetched if need be), or a file of prompts
  --figures    only these: 1 … 14, S, clean, identities; as in --figures 9,10,3 (default: all)
  --out        where report.html and report.json go (out/validate)
  --all        go on although the weights are not GPT-2 Small's`;

/** What to validate, and how. */
export interface Options {
  readonly model: string;
  readonly n: number;
  /** 0, 1, … */
  readonly seeds: readonly number[];
  readonly prompts: string;
  /** Empty: all. */
  readonly figures: readonly string[];
  readonly out: string;
  readonly all: boolean;
}

/** An option that can't be used; the message says why. */
export class UsageError extends Error {}

/**
 * Throws UsageError naming the option, its value and what is allowed.
 * @param known names that --figures takes
 * @returns undefined if only help is wanted
 */
export function readOptions(args: readonly string[], known: readonly string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const here = process.env.INIT_CWD ?? process.cwd();
  const figures = values.figures?.split(",").map((name) => name.trim().replace(/^0+(?=\d)/, "")) ?? [];
  const unknown = figures.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`--figures: "${unknown}" is none of ${known.join(", ")}`);
  return {
    model: values.model,
    n: whole("--n", values.n, 2),
    seeds: Array.from({ length: whole("--seeds", values.seeds, 1) }, (_, seed) => seed),
    prompts: values.prompts === "official" ? values.prompts : path.resolve(here, values.prompts),
    figures,
    out: path.resolve(here, values.out),
    all: values.all,
  };
}

function parse(args: readonly string[]) {
  const text = (preset: string) => ({ type: "string", default: preset }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        model: text("gpt2"),
        n: text("50"),
        seeds: text("5"),
        prompts: text("official"),
        figures: { type: "string" },
        out: text(path.join("out", "validate")),
        all: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A whole number from `least` on, in digits alone. Throws UsageError naming the option, its value and what is allowed. */
export function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`${option} takes a whole number from ${least} on, not "${text}"`);
}
