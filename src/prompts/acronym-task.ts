import { checkCount, checkIndices, checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import { checkTask, type Task } from "./task";

/** The eleven positions of a prompt: C_i = space + capital, T_i = the rest of word i, A_i = a letter already written. */
export const POSITIONS = ["BOS", "The", "C1", "T1", "C2", "T2", "C3", "T3", "(", "A1", "A2"] as const;

export type Position = (typeof POSITIONS)[number];

/** The acronym's first, second or third letter. */
export type Letter = 1 | 2 | 3;

export const LETTERS: readonly Letter[] = [1, 2, 3];

/**
 * What is taken from another prompt, seen from letter i:
 * `current_word` C_i and T_i; `previous_words` all before C_i; `previous_letters` "(" and the letters already written.
 * For letter 1 the last two change nothing: BOS, "The" and "(" are the same in every prompt.
 */
export type Corruption = "current_word" | "previous_words" | "previous_letters";
export const CORRUPTIONS: readonly Corruption[] = ["current_word", "previous_words", "previous_letters"];

/** Acronyms of three letters, read at "(", A1 and A2. */
export type AcronymTask = Task<Position, Letter, Corruption>;

/** What can follow "(", by its place among the answers. The last one only where it is asked for. */
const SYMBOLS: readonly string[] = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ", ")"];

/** The symbol with this index: 0 is "A". */
export const capitalAt = (index: number): string => SYMBOLS[index];

/** How prompts of acronyms are written. */
export interface AcronymTemplate {
  /** Words, and letters of the acronym: 2 … 5. Default 3. */
  readonly letters?: number;
  /** Texts before the words, one token each. Default "The" alone. */
  readonly before?: readonly string[];
  /** Which letters stand after "(", in order. Default all but the last, [1, 2]: "(XY". */
  readonly written?: readonly number[];
  /**
   * Which are predicted: letter 1 at "(", another after the one before it; the number after the last letter's is ")".
   * Default all that can be: with [1, 2] written letters 1, 2 and 3; with [2, 3] letters 1 and 3 and, as 4, ")".
   */
  readonly read?: readonly number[];
}

/**
 * Acronyms of other lengths and templates. `acronymTask()` is the acronyms of three letters that the notebooks are about.
 * Throws a RangeError naming the option if there are not 2 … 5 letters, one that is written or read can't be, or two texts are the same.
 */
export function acronymTask(template: AcronymTemplate = {}): Task<string, number, Corruption> {
  const { letters = 3, before = ["The"], written = range(letters - 1).map((i) => i + 1) } = template;
  checkCount("letters", letters, 2);
  if (letters > 5) throw new RangeError(`letters is ${letters}, more than 5`);
  checkIndices(
    "written: letter − 1 =",
    written.map((letter) => letter - 1),
    letters,
  );
  const words = range(letters).map((i) => [`C${i + 1}`, `T${i + 1}`]);
  const wordsEnd = ["BOS", ...before, ...words.flat()];
  const positions = [...wordsEnd, "(", ...written.map((_, i) => `A${i + 1}`)];
  const after = [0, ...written]; // the letter that stands at "(" (none), A1, A2 …
  const { read = after.map((letter) => letter + 1) } = template;
  checkSome("letters that are read", read);
  const places = read.map((letter) => {
    const place = after.indexOf(letter - 1);
    if (place < 0)
      throw new RangeError(
        `read: letter ${letter} would be predicted after letter ${letter - 1}, which is not written; it can be ${after.map((one) => one + 1).join(", ")}`,
      );
    return place;
  });
  const bracket = wordsEnd.length;
  const corruptions = {
    current_word: read.map((letter) => words[letter - 1] ?? []),
    previous_words: read.map((letter) => positions.slice(0, bracket - 2 * (letters - letter + 1))),
    previous_letters: places.map((place) => positions.slice(bracket, bracket + place + 1)),
  };
  const plain = Object.keys(template).every((key) => key === "letters");
  const name = `acronyms of ${["two", "three", "four", "five"][letters - 2]} letters`;
  const closes = read.includes(letters + 1);
  const task = {
    name: plain ? name : `${name} in a template of their own`,
    positions,
    readouts: read.map((letter, i) => ({
      letter,
      name: letter > letters ? '")"' : `letter ${letter}`,
      at: positions[bracket + places[i]],
    })),
    corruptions,
    candidates: SYMBOLS.slice(0, closes ? 27 : 26),
    words,
    written: written.map((letter, i) => ({ at: `A${i + 1}`, letter })),
  };
  checkTask(task);
  return task;
}

/** The task of the paper and of every notebook. */
export const ACRONYMS = acronymTask() as AcronymTask;
