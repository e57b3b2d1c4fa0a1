import { checkCount, checkIndices, checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import { LETTERS, type Letter } from "./positions";

/** Prompts `The Ketchup Lark Wreck (KL` with their tokens and answers: numbers and texts only, no tensors. */
export interface AcronymDataset {
  readonly prompts: string[];
  /** "KLW". */
  readonly acronyms: string[];
  readonly words: (readonly [string, string, string])[];
  /** [prompt][position] token ids, BOS first; 11 positions. */
  readonly tokens: number[][];
  /** [prompt][letter] token ids of the right letters. */
  readonly answers: number[][];
  /** [prompt][letter] 0 … 25. */
  readonly answerLetters: number[][];
  /** Token ids of "A" … "Z", among which a letter is right or wrong. */
  readonly letters: readonly number[];
}

/** The prompts with these indices, in their order. Throws a RangeError if there is no such prompt. */
export function select(data: AcronymDataset, indices: readonly number[]): AcronymDataset {
  const take = <T>(rows: readonly T[]) => indices.map((index) => rows[index]);
  checkIndices("prompt", indices, data.tokens.length);
  return {
    prompts: take(data.prompts),
    acronyms: take(data.acronyms),
    words: take(data.words),
    tokens: take(data.tokens),
    answers: take(data.answers),
    answerLetters: take(data.answerLetters),
    letters: data.letters,
  };
}

/** The prompts dealt out in turn to this many parts, or to as many as there are prompts. Throws a RangeError if `parts` is no count */
export function dealOut(data: AcronymDataset, parts: number): AcronymDataset[] {
  checkCount("parts", parts);
  const rows = range(data.prompts.length);
  const hands = range(Math.min(parts, rows.length));
  return hands.map((hand) =>
    select(
      data,
      rows.filter((row) => row % parts === hand),
    ),
  );
}

/**
 * The first `n` prompts whose three letters are all different, or all of these if there are fewer.
 * Throws a RangeError if there are none, or `n` is no count
 */
export function distinctLetters(data: AcronymDataset, n: number): AcronymDataset {
  checkCount("n", n);
  const distinct = range(data.prompts.length).filter((row) => new Set(data.acronyms[row]).size === 3);
  checkSome("prompts of three different letters", distinct);
  return select(data, distinct.slice(0, n));
}

/** The prompts that have no word of `others`. Throws a RangeError if there are none */
export function wordsApart(data: AcronymDataset, others: AcronymDataset): AcronymDataset {
  const taken = new Set(others.words.flat());
  const apart = range(data.prompts.length).filter((row) => !data.words[row].some((word) => taken.has(word)));
  checkSome("prompts without a word of the others", apart);
  return select(data, apart);
}

/** How often each capital is the first, second and third letter: 78 rows, those with 0 prompts included. */
export function letterCounts(data: AcronymDataset): { letter: Letter; capital: string; prompts: number }[] {
  return LETTERS.flatMap((letter) =>
    Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (capital) => ({
      letter,
      capital,
      prompts: data.acronyms.filter((acronym) => acronym[letter - 1] === capital).length,
    })),
  );
}
