import { join } from "node:path";
import { LIMIT, readText } from "../load/files";
import { OFFICIAL_PROMPTS, readOfficialPrompts, startingAt } from "../load/hub/official-prompts";
import { dataFolder } from "../load/resolve";
import type { Tokenizer } from "../load/tokenizer";
import { checkCount } from "../numbers/check";
import { random } from "../numbers/random";
import { quote } from "../numbers/text";
import { parseAcronyms } from "./acronym-lines";
import { ACRONYMS, type AcronymTask } from "./acronym-task";
import type { AcronymDataset, WordsOf } from "./acronyms";
import { type AcronymCheck, acronymsAmong, checkAcronymAmong, encodeLines } from "./build-acronyms";
import type { Task } from "./task";
import { wordList } from "./words";

export type { AcronymCheck } from "./build-acronyms";

/**
 * A data set from triples of words, or as many as the task has.
 * Throws an Error if a word isn't two tokens " X" + rest of this vocabulary (with near words), GPT-2 writes several letters as one token, or
 *   a prompt doesn't have the task's words and tokens.
 * @param options task: see `acronymTask`; acronyms of three letters if not given
 *   suggest: where near words for a refused one are looked for; the project's word list if not given.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = buildAcronyms([["Kite", "Pint", "Wren"]], tokenizer);
 * const rows = await behaviour(model, data, tokenizer);
 * console.log(data.acronyms[0], rows.map(({ says }) => says).join("")); // → KPW KPW
 * ```
 */
export function buildAcronyms<T extends Task = AcronymTask>(
  words: readonly WordsOf<T>[],
  tokenizer: Tokenizer,
  { task = ACRONYMS as Task as T, suggest }: { readonly task?: T; readonly suggest?: readonly string[] } = {},
): AcronymDataset<T> {
  return acronymsAmong(words, tokenizer, task, suggest ? () => suggest : wordList);
}

/** What `buildAcronyms` says of three words, as a value instead of an error. */
export const checkAcronym = (words: readonly [string, string, string], tokenizer: Tokenizer): AcronymCheck =>
  checkAcronymAmong(words, tokenizer, wordList);

/** The project's own prompts: words that the models which come along have never seen, but know the tokens of. */
export const HELD_OUT = join(dataFolder, "acronyms", "held-out.txt");

/** Prompts of words that were seen in training. */
export const TRAIN = join(dataFolder, "acronyms", "train.txt");

/**
 * The first `n` prompts of a file in the official format, as the paper's scripts take them, or `n` at random if a seed is given.
 * Throws an Error naming the file and the line if one is malformed or isn't 11 tokens, the file if it can't be read (see `readText`); RangeError if the file has fewer than n prompts;
 *   HubError if the official prompts haven't been fetched.
 * @param path of the file, or `"official"`: the prompts of the paper's repository, once they are fetched. Of these a seed
 *   takes the `n` in a row that start at seed · n, so that seed 0 has the paper's own.
 * @param options n: all if not given; seed: an integer.
 * @example
 * ```ts
 * const { tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10, seed: 0 });
 * console.log(data.tokens.length, data.tokens[0].length); // → 10 11
 * ```
 */
export function loadAcronyms(
  path: string,
  tokenizer: Tokenizer,
  options: { n?: number; seed?: number } = {},
): AcronymDataset {
  const isOfficial = path === OFFICIAL_PROMPTS;
  const lines = parseAcronyms(isOfficial ? readOfficialPrompts() : readText(path, LIMIT.words), path);
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
    { task: ACRONYMS, where: (index) => `${path}:${chosen[index] + 1}: ${quote(lines[chosen[index]].prompt)}` },
  );
}
