/** What `npm run bench` was asked for. */
import { parseArgs } from "node:util";
import { SHAPES } from "../checkpoint/shapes";
import { UsageError, whole } from "../validate/options";
import { FIGURES } from "./figures";

export const USAGE = `usage: npm run bench -- [options]
  --figures LIST   figures of the paper, e.g. 1,2,13; default all: ${FIGURES.map(({ id }) => id).join(",")}
  --n N            prompts; default 50. With --scaling a list; default 50,100,200,500
  --shape NAME     ${Object.keys(SHAPES).join(", ")}; default gpt2-small
  --backend NAME   as ACRONYM_BACKEND; default the fastest that loads
  --json FILE      where all numbers go; default out/bench.json
  --peer PYTHON    a Python with scripts/bench/peer-requirements.txt: times TransformerLens in the same run
  --scaling        time and memory by number of prompts, each in a process of its own; default figures 6,8,13`;

export interface Options {
  /** Ids of `FIGURES`, in their order. */
  readonly figures: readonly string[];
  readonly n: readonly number[];
  readonly shape: string;
  readonly backend?: string;
  readonly json: string;
  readonly peer?: string;
  readonly scaling: boolean;
  readonly help: boolean;
}

const OPTIONS = {
  figures: { type: "string" },
  n: { type: "string" },
  shape: { type: "string", default: "gpt2-small" },
  backend: { type: "string" },
  json: { type: "string", default: "out/bench.json" },
  peer: { type: "string" },
  scaling: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** Throws UsageError naming the option, its value and what is allowed. */
export function readOptions(args: readonly string[]): Options {
  const { figures, n, ...values } = parse(args);
  const { scaling, peer, shape } = values;
  if (!Object.hasOwn(SHAPES, shape))
    throw new UsageError(`--shape is "${shape}"; it can be ${Object.keys(SHAPES).join(", ")}`);
  if (scaling && peer) throw new UsageError("--scaling and --peer don't go together; run the one, then the other");
  const sizes = (n ?? (scaling ? "50,100,200,500" : "50")).split(",").map((text) => whole("--n", text, 2));
  if (scaling !== sizes.length > 1)
    throw new UsageError(`--n is "${n}"; it must be ${scaling ? "two or more numbers" : "one number"} here`);
  return { ...values, n: sizes, figures: readFigures(figures ?? (scaling ? "6,8,13" : undefined)) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readFigures(list: string | undefined): string[] {
  const ids = FIGURES.map(({ id }) => id);
  if (list === undefined) return ids;
  const wanted = list.split(",");
  for (const id of wanted)
    if (!ids.includes(id)) throw new UsageError(`--figures has "${id}"; there are ${ids.join(", ")}`);
  return ids.filter((id) => wanted.includes(id));
}
