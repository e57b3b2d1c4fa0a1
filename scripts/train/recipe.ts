import type { Recipe } from "./text";

/** The recipe of the embedded model. */
export const recipe: Recipe = {
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
