import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OFFICIAL_PROMPTS, readOfficialPrompts, startingAt } from "../load/hub/official-prompts";
import { dataFolder } from "../load/resolve";
import { gpt2Tokenizer, type Tokenizer } from "../load/tokenizer";
import { checkCount } from "../numbers/check";
import { random } from "../numbers/random";
import { quote } from "../numbers/text";
import { type AcronymLine, parseAcronyms } from "./acronym-lines";
import type { AcronymDataset } from "./acronyms";
import { POSITIONS, position } from "./positions";
import { checkWord } from "./words";

/**
 * A data set from triples of words.
 * Throws an Error if a word isn't two tokens " X" + rest of this vocabulary (with near words), or GPT-2 writes the first two letters as one token.
 * @param suggest where near words for a refused one are looked for; the project's word list if not given.
 */
export function buildAcronyms(
  words: readonly (readonly [string, string, string])[],
  tokenizer: Tokenizer,
  suggest?: readonly string[],
): AcronymDataset {
  for (const word of new Set(words.flat())) {
    const { ok, reason, near } = checkWord(word, tokenizer, suggest);
    if (!ok)
      throw new Error(`${quote(word)} ${reason}${near.length > 0 ? `; near words that work: ${near.join(", ")}` : ""}`);
  }
  const lines = words.map(lineOf);
  return encodeLines(lines, tokenizer, (index) => `"${lines[index].prompt}"`);
}

function lineOf(words: readonly [string, string, string]): AcronymLine {
  const acronym = words.map((word) => word[0]).join("");
  return { prompt: `The ${words.join(" ")} (${acronym.slice(0, 2)}`, acronym, words };
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
  const { prompt } = lineOf(words);
  try {
    buildAcronyms([words], tokenizer);
    return { prompt, ok: true, reason: "" };
  } catch (error) {
    return { prompt, ok: false, reason: (error as Error).message.replace(`"${prompt}": `, "") };
  }
}

/** The project's own prompts: words that the models which come along have never seen, but know the tokens of. */
export const HELD_OUT = join(dataFolder, "acronyms", "held-out.txt");

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
    (index) => `${path}:${chosen[index] + 1}: "${lines[chosen[index]].prompt}"`,
  );
}

/** @param where names prompt `index` in messages */
function encodeLines(
  lines: readonly AcronymLine[],
  tokenizer: Tokenizer,
  where: (index: number) => string,
): AcronymDataset {
  const tokens = lines.map(({ prompt }, index) => {
    try {
      checkLetters(prompt.slice(-2));
      return [tokenizer.bos, ...tokenizer.encode(prompt)];
    } catch (error) {
      throw new Error(`${where(index)}: ${(error as Error).message}`, { cause: error });
    }
  });
  const answerLetters = lines.map(({ acronym }) =>
    Array.from(acronym, (letter) => letter.charCodeAt(0) - "A".charCodeAt(0)),
  );
  for (const [index, row] of tokens.entries()) {
    const fits = answerLetters[index].every(
      (letter, i) => row[position("C1") + 2 * i] === tokenizer.spaceLetters[letter],
    );
    if (row.length !== POSITIONS.length || !fits)
      throw new Error(
        `${where(index)} does not have the ${POSITIONS.length} tokens ${POSITIONS.join(" ")} but ${row.length}: ` +
          `${tokenizer
            .pieces(row)
            .map((piece) => JSON.stringify(piece))
            .join(" ")}; each word must be two tokens, " X" + rest`,
      );
  }
  return {
    prompts: lines.map(({ prompt }) => prompt),
    acronyms: lines.map(({ acronym }) => acronym),
    words: lines.map(({ words }) => words),
    tokens,
    answers: answerLetters.map((row) => row.map((letter) => tokenizer.letters[letter])),
    answerLetters,
    letters: tokenizer.letters,
  };
}

/** Some pairs of capitals, such as "US", are one GPT-2 token: then A1 and A2 aren't two positions. */
function checkLetters(pair: string): void {
  const splits = (letters: string) => gpt2Tokenizer().encode(letters).length === 2;
  if (splits(pair)) return;
  const seconds = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ").filter((second) => splits(pair[0] + second));
  throw new Error(
    `GPT-2 writes "${pair}" as one token, so the letters can't be predicted one by one; after ${pair[0]} the second word can begin with ${seconds.join(", ")}`,
  );
}
