import { checkCount, checkIndices, checkOneOf } from "../numbers/check";
import { random } from "../numbers/random";
import { ACRONYMS, type AcronymTask } from "./acronym-task";
import {
  type CorruptionOf,
  checkLength,
  checkPrompts,
  columnOf,
  indexOf,
  type LetterOf,
  type Prompts,
  type Task,
} from "./task";

export { CORRUPTIONS, type Corruption } from "./acronym-task";

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

/**
 * The corrupted prompts [prompt][position]: letters already written (A1 and A2) come from another prompt than the rest, so they don't fit
 * the words. Throws a RangeError if a prompt doesn't have the task's length, or there is no such row.
 */
export function permuteTokens(
  tokens: readonly (readonly number[])[],
  { words, letters }: Permutations,
  task: Task = ACRONYMS,
): number[][] {
  for (const [index, row] of tokens.entries()) checkLength(task, index, row);
  checkIndices("words: row", words, tokens.length);
  checkIndices("letters: row", letters, tokens.length);
  const written = new Set((task.written ?? []).map(({ at }) => indexOf(task, at)));
  return tokens.map((row, i) => row.map((_, pos) => tokens[written.has(pos) ? letters[i] : words[i]][pos]));
}

/**
 * Other prompts' tokens for every row [prompt][position], as the official scripts make them, but from a seed.
 * Throws a RangeError if a prompt doesn't have the task's length.
 * See the paper's figures 1, 2, 4–8
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const corrupted = resample(data, 0);
 * console.log(corrupted.length === data.tokens.length, corrupted[0].length === data.tokens[0].length); // → true true
 * ```
 */
export function resample(data: Prompts, seed: number): number[][] {
  checkPrompts(data);
  return permuteTokens(data.tokens, drawPermutations(data.tokens.length, seed), data.task);
}

/**
 * The clean tokens with one part replaced by the corrupted ones [prompt][position].
 * Throws a RangeError if the two don't have the same shape, which is the task's, or `what` or `letter` isn't one of those there are.
 * @param task whose prompts these are; acronyms of three letters if not given
 */
export function corrupt<T extends Task = AcronymTask>(
  clean: readonly (readonly number[])[],
  corrupted: readonly (readonly number[])[],
  what: CorruptionOf<T>,
  letter: LetterOf<T>,
  task: T = ACRONYMS as Task as T,
): number[][] {
  if (clean.length !== corrupted.length)
    throw new RangeError(`${clean.length} clean prompts, but ${corrupted.length} corrupted ones`);
  checkOneOf("corruption", what, Object.keys(task.corruptions));
  const replaced = new Set(task.corruptions[what][columnOf(task, letter)].map((label) => indexOf(task, label)));
  return clean.map((row, index) => {
    checkLength(task, index, row);
    checkLength(task, `${index}, corrupted,`, corrupted[index]);
    return row.map((token, pos) => (replaced.has(pos) ? corrupted[index][pos] : token));
  });
}
