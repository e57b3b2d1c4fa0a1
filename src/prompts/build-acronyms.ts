import { gpt2Tokenizer, type Tokenizer } from "../load/tokenizer";
import { quote } from "../numbers/text";
import type { AcronymLine } from "./acronym-lines";
import { ACRONYMS, type AcronymTask } from "./acronym-task";
import type { AcronymDataset, WordsOf } from "./acronyms";
import { checkWordAmong } from "./check-word";
import { lettersOf, type Task, wordStart } from "./task";

/**
 * A data set from triples of words, or as many as the task has.
 * Throws an Error if a word isn't two tokens " X" + rest of this vocabulary (with near words), GPT-2 writes several letters as one token, or
 *   a prompt doesn't have the task's words and tokens.
 * @param task see `acronymTask`; acronyms of three letters if not given
 * @param suggest where near words for a refused one are looked for; nowhere if not given
 */
export function acronymsAmong<T extends Task = AcronymTask>(
  words: readonly WordsOf<T>[],
  tokenizer: Tokenizer,
  task: T = ACRONYMS as Task as T,
  suggest: () => readonly string[] = () => [],
): AcronymDataset<T> {
  const count = task.words?.length;
  for (const row of words)
    if (row.length !== count)
      throw new RangeError(`${quote(row.join(" "))} is ${row.length} words, not the ${count} of ${task.name}`);
  for (const word of new Set(words.flat())) {
    const { ok, reason, near } = checkWordAmong(word, tokenizer, suggest);
    if (!ok)
      throw new Error(`${quote(word)} ${reason}${near.length > 0 ? `; near words that work: ${near.join(", ")}` : ""}`);
  }
  const lines = words.map((row) => lineOf(row, task));
  return encodeLines(lines, tokenizer, { task, where: (index) => quote(lines[index].prompt) });
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

/** What `acronymsAmong` says of three words, as a value instead of an error. */
export function checkAcronymAmong(
  words: readonly [string, string, string],
  tokenizer: Tokenizer,
  suggest: () => readonly string[] = () => [],
): AcronymCheck {
  const { prompt } = lineOf(words, ACRONYMS);
  try {
    acronymsAmong([words], tokenizer, ACRONYMS, suggest);
    return { prompt, ok: true, reason: "" };
  } catch (error) {
    return { prompt, ok: false, reason: (error as Error).message.replace(`"${prompt}": `, "") };
  }
}

/** @param where names prompt `index` in messages */
export function encodeLines<T extends Task>(
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
