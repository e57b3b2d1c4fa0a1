/**
 * `npm run train:seeds`: trains the same recipes from other seeds, none of them chosen, and keeps each model every 50 steps in
 * out/training. A stopped one goes on where it was; what is there is not trained again. `npm run training-table` measures them.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { projectFolder } from "../../src/load/resolve";
import { grid } from "../../src/numbers/lists";
import { stepFolder, train } from "./main";
import { CANDIDATES } from "./recipe";

const EVERY = 50;
/** Seed 0 of the first mix is the embedded model, which was chosen. */
export const SEEDS = [1, 2, 3, 4, 5, 6];

/** The embedded model's mix of texts, and one with fewer acronyms that begin at any word. */
export const MIXES = ["suffix", "plainer"] as const;

export const recipeOf = (mix: string) => CANDIDATES.find(({ name }) => name.startsWith(`${mix}-`))!.recipe;

export const runFolder = (mix: string, seed: number) => path.join(projectFolder, "out", "training", `${mix}-${seed}`);

/** Where the curves have become flat. All runs go as far as here before one goes to its end. */
export const FIRST = 450;

/** Seed by seed, so that who stops it early has both mixes. */
const ORDER = grid({ seed: SEEDS, mix: MIXES });

async function main(): Promise<void> {
  for (const { until, mix, seed } of [FIRST, Number.POSITIVE_INFINITY].flatMap((until) =>
    ORDER.map((run) => ({ ...run, until })),
  )) {
    const dir = runFolder(mix, seed);
    if ([dir, stepFolder(dir, until)].some((folder) => existsSync(path.join(folder, "model.safetensors")))) continue;
    console.log(`${mix}, seed ${seed}`);
    await train(dir, recipeOf(mix), seed, { every: EVERY, until });
  }
}

if (require.main === module) main();
