import { checkCount, checkIndices, checkOneOf } from "../numbers/check";
import { random } from "../numbers/random";
import type { AcronymDataset } from "./acronyms";
import { type Letter, POSITIONS, position, readoutPosition } from "./positions";

/**
 * What is taken from another prompt, seen from letter i:
 * `current_word` C_i and T_i; `previous_words` all before C_i; `previous_letters` "(" and the letters already written.
 * For letter 1 the last two change nothing: BOS, "The" and "(" are the same in every prompt.
 */
export type Corruption = "current_word" | "previous_words" | "previous_letters";
export const CORRUPTIONS: readonly Corruption[] = ["current_word", "previous_words", "previous_letters"];

/** Where the words and the written letters of each corrupted prompt come from: row i takes those of row `words[i]` and `letters[i]`. */
export interface Permutations {
  readonly words: readonly number[];
  readonly letters: readonly number[];
}

/** Two independent permutations of n rows. As in the official scripts a row may stay where it is. */
export function drawPermutations(n: number, seed: number): Permutations {
  checkCount("n", n);
  const rng = random(seed, "permutations");
  const rows = Array.from({ length: n }, (_, row) => row);
  return { words: rng.shuffle(rows), letters: rng.shuffle(rows) };
}

/** The corrupted prompts [prompt][position]: positions A1 and A2 come from another prompt than the rest, so they don't fit the words. */
export function permuteTokens(tokens: readonly (readonly number[])[], { words, letters }: Permutations): number[][] {
  const a1 = position("A1");
  checkIndices("words: row", words, tokens.length);
  checkIndices("letters: row", letters, tokens.length);
  return tokens.map((_, row) => [...tokens[words[row]].slice(0, a1), ...tokens[letters[row]].slice(a1)]);
}

/**
 * Other prompts' tokens for every row [prompt][position], as the official scripts make them, but from a seed.
 * See the paper's figures 1, 2, 4–8
 */
export function resample(data: AcronymDataset, seed: number): number[][] {
  return permuteTokens(data.tokens, drawPermutations(data.tokens.length, seed));
}

/**
 * The clean tokens with one part replaced by the corrupted ones [prompt][position].
 * Throws a RangeError if the two don't have the same shape, or `what` or `letter` isn't one of those there are.
 */
export function corrupt(
  clean: readonly (readonly number[])[],
  corrupted: readonly (readonly number[])[],
  what: Corruption,
  letter: Letter,
): number[][] {
  if (clean.length !== corrupted.length)
    throw new RangeError(`${clean.length} clean prompts, but ${corrupted.length} corrupted ones`);
  const [start, end] = corruptedRange(what, letter);
  return clean.map((row, index) => {
    const other = corrupted[index];
    if (row.length !== POSITIONS.length || other.length !== POSITIONS.length)
      throw new RangeError(
        `prompt ${index} has ${row.length} clean and ${other.length} corrupted tokens, not ${POSITIONS.length}`,
      );
    return [...row.slice(0, start), ...other.slice(start, end), ...row.slice(end)];
  });
}

/** First position that is replaced, and the first after those that are. */
function corruptedRange(what: Corruption, letter: Letter): readonly [number, number] {
  checkOneOf("corruption", what, CORRUPTIONS);
  const readout = readoutPosition(letter);
  const word = position("C1") + 2 * (letter - 1);
  switch (what) {
    case "current_word":
      return [word, word + 2];
    case "previous_words":
      return [0, word];
    case "previous_letters":
      return [position("("), readout + 1];
  }
}
