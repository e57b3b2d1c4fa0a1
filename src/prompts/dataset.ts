import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OFFICIAL_PROMPTS, readOfficialPrompts, startingAt } from "../load/hub/official-prompts";
import { dataFolder } from "../load/resolve";
import { gpt2Tokenizer, type Tokenizer } from "../load/tokenizer";
import { checkCount } from "../numbers/check";
import { random } from "../numbers/random";
import { quote } from "../numbers/text";
import { type AcronymLine, parseAcronyms } from "./acronym-lines";
import { ACRONYMS, type AcronymTask } from "./acronym-task";
import type { AcronymDataset, WordsOf } from "./acronyms";
import { lettersOf, type Task, wordStart } from "./task";
import { checkWord } from "./words";

/**
 * A data set from triples of words, or as many as the task has.
 * Throws an Error if a word isn't two tokens " X" + rest of this vocabulary (with near words), GPT-2 writes several letters as one token, or
 *   a prompt doesn't have the task's words and tokens.
 * @param options task: see `acronymTask`; acronyms of three letters if not given
 *   suggest: where near words for a refused one are looked for; the project's word list if not given.
 */
export function buildAcronyms<T extends Task = AcronymTask>(
  words: readonly WordsOf<T>[],
  tokenizer: Tokenizer,
  { task = ACRONYMS as Task as T, suggest }: { readonly task?: T; readonly suggest?: readonly string[] } = {},
): AcronymDataset<T> {
  const count = task.words?.length;
  for (const row of words)
    if (row.length !== count)
      throw new RangeError(`${quote(row.join(" "))} is ${row.length} words, not the ${count} of ${task.name}`);
  for (const word of new Set(words.flat())) {
    const { ok, reason, near } = checkWord(word, tokenizer, suggest);
    if (!ok)
      throw new Error(`${quote(word)} ${reason}${near.length > 0 ? `; near words that work: ${near.join(", ")}` : ""}`);
  }
  const lines = words.map((row) => lineOf(row, task));
  return encodeLines(lines, tokenizer, { task, where: (index) => `"${lines[index].prompt}"` });
}

/** A prompt, its acronym and its words. */
type Line<T extends Task> = Pick<AcronymLine, "prompt" | "acronym"> & { readonly words: WordsOf<T> };

/** Words in a task's template; without a text before them the prompt begins with a space, as the words' tokens do. */
function lineOf<T extends Task>(words: WordsOf<T>, task: T): Line<T> {
  const acronym = words.map((word) => word[0]).join("");
  const before = task.positions.slice(1, wordStart(task, 1)).join(" ");
  const written = (task.written ?? []).map(({ letter }) => acronym[letter - 1]).join("");
  return { prompt: `${before} ${words.join(" ")} (${written}`, acronym, words };
}

/** Whether three words make a prompt. */
export interface AcronymCheck {
  readonly prompt: string;
  readonly ok: boolean;
  /** Why they don't; "" if they do. */
  readonly reason: string;
}

/** What `buildAcronyms` says of three words, as a value instead of an error. */
export function checkAcronym(words: readonly [string, string, string], tokenizer: Tokenizer): AcronymCheck {
  const { prompt } = lineOf(words, ACRONYMS);
  try {
    buildAcronyms([words], tokenizer);
    return { prompt, ok: true, reason: "" };
  } catch (error) {
    return { prompt, ok: false, reason: (error as Error).message.replace(`"${prompt}": `, "") };
  }
}

/** The project's own prompts: words that the models which come along have never seen, but know the tokens of. */
export const HELD_OUT = join(dataFolder, "acronyms", "held-out.txt");

/** Prompts of words that were seen in training. */
export const TRAIN = join(dataFolder, "acronyms", "train.txt");

/**
 * The first `n` prompts of a file in the official format, as the paper's scripts take them, or `n` at random if a seed is given.
 * Throws an Error naming the file and the line if one is malformed or isn't 11 tokens; RangeError if the file has fewer than n prompts;
 *   HubError if the official prompts haven't been fetched.
 * @param path of the file, or `"official"`: the prompts of the paper's repository, once they are fetched. Of these a seed
 *   takes the `n` in a row that start at seed · n, so that seed 0 has the paper's own.
 * @param options n: all if not given; seed: an integer.
 */
export function loadAcronyms(
  path: string,
  tokenizer: Tokenizer,
  options: { n?: number; seed?: number } = {},
): AcronymDataset {
  const isOfficial = path === OFFICIAL_PROMPTS;
  const lines = parseAcronyms(isOfficial ? readOfficialPrompts() : readFileSync(path, "utf8"), path);
  const { n = lines.length, seed } = options;
  checkCount("n", n);
  if (n > lines.length) throw new RangeError(`n = ${n}, but ${path} has ${lines.length} prompts`);
  const all = lines.map((_, index) => index);
  const order =
    seed === undefined ? all : isOfficial ? startingAt(all, seed * n) : random(seed, "prompts").shuffle(all);
  const chosen = order.slice(0, n);
  return encodeLines(
    chosen.map((index) => lines[index]),
    tokenizer,
    { task: ACRONYMS, where: (index) => `${path}:${chosen[index] + 1}: "${lines[chosen[index]].prompt}"` },
  );
}

/** @param where names prompt `index` in messages */
function encodeLines<T extends Task>(
  lines: readonly Line<T>[],
  tokenizer: Tokenizer,
  { task, where }: { readonly task: T; readonly where: (index: number) => string },
): AcronymDataset<T> {
  const { positions } = task;
  const tokens = lines.map(({ prompt }, index) => {
    try {
      checkLetters(prompt.slice(prompt.indexOf("(") + 1));
      return [tokenizer.bos, ...tokenizer.encode(prompt)];
    } catch (error) {
      throw new Error(`${where(index)}: ${(error as Error).message}`, { cause: error });
    }
  });
  const closes = task.candidates?.includes(")");
  const letters = closes ? [...tokenizer.letters, tokenizer.id(")")] : tokenizer.letters;
  const capital = (letter: string) => letter.charCodeAt(0) - "A".charCodeAt(0);
  const answerLetters = lines.map(({ acronym }) =>
    lettersOf(task).map((letter) => (letter > acronym.length ? letters.length - 1 : capital(acronym[letter - 1]))),
  );
  for (const [index, row] of tokens.entries()) {
    const fits = Array.from(lines[index].acronym).every(
      (letter, i) => row[wordStart(task, i + 1)] === tokenizer.spaceLetters[capital(letter)],
    );
    if (row.length !== positions.length || !fits)
      throw new Error(
        `${where(index)} does not have the ${positions.length} tokens ${positions.join(" ")} but ${row.length}: ` +
          `${tokenizer
            .pieces(row)
            .map((piece) => JSON.stringify(piece))
            .join(" ")}; each word must be two tokens, " X" + rest`,
      );
  }
  return {
    task,
    prompts: lines.map(({ prompt }) => prompt),
    acronyms: lines.map(({ acronym }) => acronym),
    words: lines.map(({ words }) => words),
    tokens,
    answers: answerLetters.map((row) => row.map((letter) => letters[letter])),
    answerLetters,
    letters,
  };
}

/** Some capitals in a row, such as "US", are one GPT-2 token: then A1 and A2 aren't two positions. */
function checkLetters(written: string): void {
  const splits = (letters: string) => gpt2Tokenizer().encode(letters).length === letters.length;
  if (splits(written)) return;
  const gpt2 = gpt2Tokenizer();
  const pair = gpt2.pieces(gpt2.encode(written)).find((piece) => piece.length > 1)!; // one is, as there are too few
  if (pair.length > 2)
    throw new Error(`GPT-2 writes "${pair}" as one token, so the letters can't be predicted one by one`);
  const seconds = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ").filter((second) => splits(pair[0] + second));
  throw new Error(
    `GPT-2 writes "${pair}" as one token, so the letters can't be predicted one by one; after ${pair[0]} the ${written.startsWith(pair) ? "second" : "next"} word can begin with ${seconds.join(", ")}`,
  );
}
