/** Committed tables of the embedded model: what would take a notebook minutes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GroupDraw } from "../groups/stability";
import { dataFolder } from "../load/resolve";
import { LETTERS } from "../prompts/positions";

const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));

export const DRAWS_FILE = join(dataFolder, "embedded", "stability.json");

/** Its groups for twelve draws of prompts: made by `npm run stability`. */
export const embeddedDraws = (): GroupDraw[] => read(DRAWS_FILE);

export const CIRCUITS_FILE = join(dataFolder, "embedded", "circuits.json");

/** A circuit among all of its size, and without each set of its heads. Levels are logit differences by mean ablation, in logits. */
export interface AllCircuits {
  /** Prompts, and the seed that chose and mixed them. */
  readonly n: number;
  readonly seed: number;
  readonly circuit: string;
  /** Mean over the letters, as all levels of whole circuits here. */
  readonly level: number;
  /** Circuits of as many heads, itself among them; how many do better, the five best, and the level in the middle. */
  readonly there_are: number;
  readonly better: number;
  readonly best: readonly { readonly heads: string; readonly level: number }[];
  readonly middle: number;
  /** For every set of its heads: F(C ∖ K) and F(M ∖ K) of letters 1, 2, 3. */
  readonly without: readonly { removed: string; circuit: readonly number[]; model: readonly number[] }[];
}

/** Made by `npm run circuits`. */
export const embeddedCircuits = (): AllCircuits => read(CIRCUITS_FILE);

/** Completeness over every set of heads, a row a set and letter, the widest gap first. */
export function everyRemoval({ without }: Pick<AllCircuits, "without">) {
  const rows = without.flatMap(({ removed, circuit, model }) =>
    LETTERS.map((letter, i) => {
      return { removed, letter, circuit: circuit[i], model: model[i], gap: model[i] - circuit[i] };
    }),
  );
  return rows.sort((a, b) => b.gap - a.gap);
}
