/**
 * The table of notebook 12: what every kept step of every run in out/training does, and the committed checkpoints.
 *
 *     npm run train:seeds                 trains them (hours; a stopped search goes on where it was)
 *     npm run training-table              writes data/training/checkpoints.json: some seconds a step
 *     npm run training-table -- FILE      writes it somewhere else, to compare
 *     npm run training-table -- --add     measures only what the table has not yet, told by the weights
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { loadModel } from "../../src/load/load";
import { dataFolder } from "../../src/load/resolve";
import { sha256 } from "../../src/load/sha256";
import { disposeModel } from "../../src/model/model";
import { grid } from "../../src/numbers/lists";
import { type EndRow, TRAINING_TABLE, type TrainingRow, type TrainingTable } from "../../src/paper/training-table";
import { writeWhole } from "../../src/show/whole-file";
import { EMBEDDED } from "../train/recipe";
import { FIRST, MIXES, recipeOf, runFolder, SEEDS } from "../train/seeds";
import { measuredOn, measureEnd, measureModel, planesOf, SIZES } from "./measure";

const ADD = "--add";

interface Kept {
  readonly mix: string;
  readonly seed: number;
  readonly step: number;
  readonly dir: string;
  /** Whether it is the last one of its run. */
  readonly last: boolean;
}

/** The committed ones: chosen, and so no evidence of what training leads to. */
const COMMITTED: readonly Kept[] = [
  { mix: "embedded", dir: path.join(dataFolder, "embedded") },
  ...["deep-0", "shallow-0"].map((mix) => ({ mix, dir: path.join(dataFolder, "embedded", "others", mix) })),
].map((one) => ({ ...one, seed: 0, step: EMBEDDED.recipe.steps, last: true }));

function keptSteps(): Kept[] {
  const runs = runSteps();
  const first = runs.find(({ step }) => step === 0);
  return [...(first ? [{ ...first, mix: "untrained", last: true }] : []), ...runs];
}

function runSteps(): Kept[] {
  return grid({ mix: MIXES, seed: SEEDS }).flatMap(({ mix, seed }) => {
    const folder = runFolder(mix, seed);
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^step-\d+$/.test(name)) : [];
    const steps = names.map((name) => ({ mix, seed, step: Number(name.slice(5)), dir: path.join(folder, name) }));
    steps.sort((a, b) => a.step - b.step);
    const last = steps.at(-1)?.step ?? 0;
    return last < FIRST ? [] : steps.map((one) => ({ ...one, last: one.step === last })); // not one that has only begun
  });
}

const weightsOf = (dir: string) => sha256(readFileSync(path.join(dir, "model.safetensors"))).slice(0, 12);

function written({ command, n, mixes, rows, ends }: TrainingTable): string {
  const list = (all: readonly object[]) => `[\n${all.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`;
  const head = Object.entries({ command, n, mixes }).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`);
  return `{\n${[...head, `  "rows": ${list(rows)}`, `  "ends": ${list(ends)}`].join(",\n")}\n}\n`;
}

async function main(args: readonly string[]): Promise<void> {
  const target = args.find((arg) => arg !== ADD) ?? TRAINING_TABLE;
  const before: TrainingTable | null =
    args.includes(ADD) && existsSync(target) ? JSON.parse(readFileSync(target, "utf8")) : null;
  const [rows, ends]: [TrainingRow[], EndRow[]] = [[], []];
  for (const { mix, seed, step, dir, last } of [...COMMITTED, ...keptSteps()]) {
    const is = (row: { mix: string; seed: number; step: number }) =>
      row.mix === mix && row.seed === seed && row.step === step;
    const weights = weightsOf(dir);
    const row = before?.rows.find((one) => is(one) && one.weights === weights);
    const end = row && before?.ends.find(is);
    if (row && (end || !last)) {
      rows.push(row);
      if (end && last) ends.push(end);
      continue;
    }
    const { model, tokenizer } = await loadModel(dir);
    const prompts = measuredOn(tokenizer);
    const planes = await planesOf(model, prompts);
    rows.push(row ?? { mix, seed, step, weights, ...(await measureModel(model, prompts, planes)) });
    if (last) ends.push({ mix, seed, step, ...(await measureEnd(model, prompts, planes)) });
    disposeModel(model);
    console.log(JSON.stringify(rows.at(-1)));
  }
  const mixes = Object.fromEntries(MIXES.map((mix) => [mix, recipeOf(mix).kinds]));
  const command = "npm run train:seeds; npm run training-table";
  mkdirSync(path.dirname(target), { recursive: true });
  writeWhole(target, written({ command, n: SIZES, mixes, rows, ends }));
  console.log(`${rows.length} rows are in ${target}`);
}

if (require.main === module) void main(process.argv.slice(2));
