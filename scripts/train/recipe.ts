import type { Recipe } from "./text";

const BASE: Recipe = {
  n_layers: 4,
  n_heads: 4,
  d_model: 96,
  steps: 1200,
  batch: 64,
  learningRate: 3e-3,
  weightDecay: 0.05,
  warmup: 100,
  context: 26,
  maxOffset: 16,
  kinds: { plain: 0.2, varied: 0.25, suffix: 0.45, repeat: 0.1 },
  pseudoWords: 0.15,
  longWords: 0.3,
  repeatedLetters: 0.03,
};

export interface Candidate {
  readonly name: string;
  readonly recipe: Recipe;
  readonly seed: number;
}

const LONGER = { ...BASE, steps: 1500 };
const SUFFIX = { ...BASE, kinds: { plain: 0.15, varied: 0.15, suffix: 0.6, repeat: 0.1 } };
const PLAINER = { ...BASE, kinds: { plain: 0.25, varied: 0.4, suffix: 0.25, repeat: 0.1 } };
const REPEATED = { ...BASE, repeatedLetters: 0.12 };
const SHALLOW = { ...BASE, n_layers: 3 };
const DEEP = { ...BASE, n_layers: 5 };

const seeds = (name: string, recipe: Recipe, list: readonly number[]): Candidate[] =>
  list.map((seed) => ({ name: `${name}-${seed}`, recipe, seed }));

/** Everything that was tried, in one list: the table of the model card comes from it. */
export const CANDIDATES: readonly Candidate[] = [
  ...seeds("base", BASE, [0, 1, 2]),
  ...seeds("longer", LONGER, [2]),
  ...seeds("suffix", SUFFIX, [0]),
  ...seeds("plainer", PLAINER, [0]),
  ...seeds("repeated", REPEATED, [1]),
  ...seeds("shallow", SHALLOW, [0]),
  ...seeds("deep", DEEP, [0]),
];

/** The embedded model: what the search chose. */
export const EMBEDDED: Candidate = CANDIDATES.find(({ name }) => name === "suffix-0")!;
