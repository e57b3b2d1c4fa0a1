/**
 * `npm run train:seeds`: trains the same recipes from other seeds, none of them chosen, and keeps each model every 50 steps in
 * out/training. A stopped one goes on where it was; what is there is not trained again. `npm run training-table` measures them.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { projectFolder } from "../../src/load/resolve";
import { range } from "../../src/numbers/lists";
import { stepFolder, train } from "./main";
import { CANDIDATES } from "./recipe";

export const EVERY = 50;
export const SEEDS = range(6);

/** The embedded model's mix of texts, and one with fewer acronyms that begin at any word. */
export const MIXES = ["suffix", "plainer"] as const;

export const recipeOf = (mix: string) => CANDIDATES.find(({ name }) => name.startsWith(`${mix}-`))!.recipe;

export const runFolder = (mix: string, seed: number) => path.join(projectFolder, "out", "training", `${mix}-${seed}`);

/** As far as to FIRST for all, where the curves are; then to the end. */
const FIRST = 600;

async function main(): Promise<void> {
  for (const until of [FIRST, Number.POSITIVE_INFINITY])
    for (const mix of MIXES)
      for (const seed of SEEDS) {
        const dir = runFolder(mix, seed);
        if ([dir, stepFolder(dir, until)].some((folder) => existsSync(path.join(folder, "model.safetensors")))) continue;
        console.log(`${mix}, seed ${seed}`);
        await train(dir, recipeOf(mix), seed, { every: EVERY, until });
      }
}

if (require.main === module) main();
