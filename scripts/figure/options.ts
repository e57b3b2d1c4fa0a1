import path from "node:path";
import { parseArgs } from "node:util";
import { BATCH, type Span } from "../../src/experiments/measure";
import { OFFICIAL_PROMPTS } from "../../src/load/resolve";
import { HELD_OUT } from "../../src/prompts/dataset";
import { UsageError, whole } from "../validate/options";
import { figureOf } from "./figures";

export const USAGE = `npm run figure -- FIGURE [options]              measures a figure: OUT.csv, OUT.json, OUT.svg
npm run figure -- FIGURE … --out part.json      measures it, or a part of it, into one file of values per prompt
npm run figure -- --merge PART … --out OUT      joins parts: the same rows as undivided, and the figure
npm run figure -- FIGURE --dry-run              what it would cost, and into which parts to cut it

  FIGURE       1, 2, 4, 5, 6, 7, 13, path (into the logits), path-q-8.1-9.0 (into these heads' q, k or v)
  --model      embedded (default), gpt2, gpt2-xl …, org/name, or a folder
  --data       the project's prompts (default), official, or a file of prompts
  --n          prompts (50)
  --seeds      permutations of the prompts (1); of no account for 13, which has none
  --batch      prompts in one forward (${BATCH})
  --backend    native, onnx, wasm or cpu (default: the fastest that loads)
  --prompts    a:b  only prompts a … b − 1 of the n; multiples of the batch
  --points     c:d  only points c … d − 1 of the figure's
  --seed       k    only this permutation
  --out        part.json, or the figure's files without their ending (out/figure/FIGURE)
  --minutes    of --dry-run: about how long a part may take (30)
  --json       of --dry-run: a file for the estimate and the parts`;

/** What is measured. */
export interface Work {
  readonly figure: string;
  readonly model: string;
  readonly data: string;
  readonly n: number;
  readonly seeds: number;
  readonly batch: number;
}

/** What of it. */
export interface Only {
  readonly prompts?: Span;
  readonly points?: Span;
  readonly seed?: number;
}

export type Options =
  | { readonly do: "help" }
  | { readonly do: "merge"; readonly parts: readonly string[]; readonly out: string }
  | { readonly do: "measure"; readonly work: Work; readonly only: Only; readonly out: string }
  | { readonly do: "estimate"; readonly work: Work; readonly minutes: number; readonly json?: string };

/** Throws UsageError naming the figure or the option, its value and what is allowed. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  if (values.help) return { do: "help" };
  const here = process.env.INIT_CWD ?? process.cwd();
  const at = (file: string) => path.resolve(here, file);
  if (values.backend) process.env.ACRONYM_BACKEND = values.backend;
  if (values.merge) {
    if (positionals.length === 0) throw new UsageError("--merge needs the files of parts");
    if (!values.out) throw new UsageError("--merge needs --out: the figure's files without their ending");
    return { do: "merge", parts: positionals.map(at), out: at(values.out) };
  }
  if (positionals.length !== 1) throw new UsageError(`one figure is needed, not ${positionals.length}\n\n${USAGE}`);
  const [figure] = positionals;
  const seeds = whole("--seeds", values.seeds, 1);
  const work: Work = {
    figure,
    model: values.model,
    data: values.data === undefined ? HELD_OUT : values.data === OFFICIAL_PROMPTS ? values.data : at(values.data),
    n: whole("--n", values.n, 2),
    seeds: figureOf(figure).hasSeeds ? seeds : 1,
    batch: whole("--batch", values.batch, 1),
  };
  if (values["dry-run"])
    return {
      do: "estimate",
      work,
      minutes: whole("--minutes", values.minutes, 1),
      ...(values.json && { json: at(values.json) }),
    };
  const only: Only = {
    ...(values.prompts && { prompts: span("--prompts", values.prompts) }),
    ...(values.points && { points: span("--points", values.points) }),
    ...(values.seed && { seed: whole("--seed", values.seed, 0) }),
  };
  const out = at(values.out ?? path.join("out", "figure", figure));
  if (Object.keys(only).length > 0 && !out.endsWith(".json"))
    throw new UsageError("a part needs --out, a file that ends in .json");
  return { do: "measure", work, only, out };
}

function parse(args: readonly string[]) {
  const text = (preset: string) => ({ type: "string", default: preset }) as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: text("embedded"),
        data: { type: "string" },
        n: text("50"),
        seeds: text("1"),
        batch: text(`${BATCH}`),
        backend: { type: "string" },
        prompts: { type: "string" },
        points: { type: "string" },
        seed: { type: "string" },
        out: { type: "string" },
        merge: { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        minutes: text("30"),
        json: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function span(option: string, text: string): Span {
  const [, first, end] = text.match(/^(\d+):(\d+)$/) ?? [];
  if (end === undefined) throw new UsageError(`${option} takes first:end, such as 0:50, not "${text}"`);
  return [Number(first), Number(end)];
}
