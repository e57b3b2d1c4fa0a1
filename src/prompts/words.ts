import { join } from "node:path";
import { LIMIT, readText } from "../load/files";
import type { Tokenizer } from "../load/tokenizer";
import { quote, quoted } from "../numbers/text";
import { checkWordAmong, type WordCheck } from "./check-word";

export type { WordCheck } from "./check-word";

/** One noun of the project's word list. */
export interface WordEntry {
  /** "Ketchup". */
  readonly word: string;
  /** First token, " K". */
  readonly first: string;
  /** Second token, "etchup". */
  readonly rest: string;
  /** `held_out` words are in no prompt of the training file. */
  readonly split: "train" | "held_out";
  /** Uses in WordNet's tagged texts; 0 for many words. */
  readonly tag_count: number;
}

const WORD_LIST = join(__dirname, "../..", "data", "words.tsv");

/**
 * The project's word list, or another file laid out like it (tab-separated; its header names the columns; any line ends).
 * Throws an Error naming file, line and cell if a column or a cell is missing or does not fit; the file if it can't be read (see `readText`).
 */
export function loadWords(path: string = WORD_LIST): WordEntry[] {
  const text = readText(path, LIMIT.words);
  const [header, ...lines] = text.replace(/[\r\n]+$/, "").split(/\r\n?|\n/);
  const columns = header.split("\t");
  const column = (name: string) => {
    if (!columns.includes(name)) throw new Error(`${path} has no column "${name}", only ${quoted(columns)}`);
    return columns.indexOf(name);
  };
  const [word, first, rest, split, tag_count] = ["word", "first", "rest", "split", "tag_count"].map(column);
  if (lines.length === 0) throw new Error(`${path} has a header, but no words`);
  return lines.map((line, index) => {
    const cells = line.split("\t");
    const fail = (what: string): never => {
      throw new Error(`${path}:${index + 2}: ${what}`);
    };
    if (cells.length !== columns.length)
      fail(`${quote(line)} has ${cells.length} cells between tabs, not ${columns.length} as the header`);
    const part = cells[split];
    if (part !== "train" && part !== "held_out") return fail(`split is ${quote(part)}, not "train" or "held_out"`);
    if (!/^[A-Z][a-z]+$/.test(cells[word])) fail(`word ${quote(cells[word])} is not a capital and small letters`);
    if (cells[first] + cells[rest] !== ` ${cells[word]}`)
      fail(`first ${quote(cells[first])} and rest ${quote(cells[rest])} don't spell " ${cells[word]}"`);
    if (!/^\d+$/.test(cells[tag_count])) fail(`tag_count is ${quote(cells[tag_count])}, not a whole number`);
    return {
      word: cells[word],
      first: cells[first],
      rest: cells[rest],
      split: part,
      tag_count: Number(cells[tag_count]),
    };
  });
}

/** `checkWordAmong` the project's word list, or others. @param suggest where near words are looked for; the project's word list if not given. */
export const checkWord = (word: string, tokenizer: Tokenizer, suggest?: readonly string[]): WordCheck =>
  checkWordAmong(word, tokenizer, suggest ? () => suggest : wordList);

/** Read at the first refused word only. */
export function wordList(): readonly string[] {
  cachedWordList ??= loadWords().map(({ word }) => word);
  return cachedWordList;
}
let cachedWordList: readonly string[] | undefined;
