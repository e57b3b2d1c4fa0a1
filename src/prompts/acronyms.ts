import { checkCount, checkIndices, checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import type { AcronymTask } from "./acronym-task";
import { LETTERS, type Letter } from "./positions";
import type { LetterOf, Prompts, Task } from "./task";

/** The words of a prompt: three, or as many as the task has. */
export type WordsOf<T extends Task> =
  LetterOf<T> extends Letter ? readonly [string, string, string] : readonly string[];

/** Prompts `The Ketchup Lark Wreck (KL` with their tokens and answers: numbers and texts only, no tensors. `letters` are "A" … "Z". */
export interface AcronymDataset<T extends Task = AcronymTask> extends Prompts<T> {
  readonly prompts: string[];
  /** "KLW". */
  readonly acronyms: string[];
  readonly words: WordsOf<T>[];
  /** [prompt][letter] token ids of the right letters. */
  readonly answers: number[][];
}

/** What a data set has of each prompt. */
const ROWS = ["prompts", "acronyms", "words", "tokens", "answers", "answerLetters"] as const;

/** The prompts with these indices, in their order. Throws a RangeError if there is no such prompt. */
export function select<D extends Prompts>(data: D, indices: readonly number[]): D {
  checkIndices("prompt", indices, data.tokens.length);
  const all: Prompts & { readonly [column in (typeof ROWS)[number]]?: readonly unknown[] } = data;
  const taken = ROWS.flatMap((column) => {
    const rows = all[column];
    return rows === undefined ? [] : [[column, indices.map((index) => rows[index])]];
  });
  return { ...data, ...Object.fromEntries(taken) };
}

/** The prompts dealt out in turn to this many parts, or to as many as there are prompts. Throws a RangeError if `parts` is no count */
export function dealOut<D extends Prompts>(data: D, parts: number): D[] {
  checkCount("parts", parts);
  const rows = range(data.tokens.length);
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
