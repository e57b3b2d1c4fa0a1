import { join } from "node:path";
import { LIMIT, readText } from "../load/files";
import { gpt2Tokenizer, type Tokenizer } from "../load/tokenizer";
import { nearest, quote, quoted, unseen } from "../numbers/text";

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

/** What `checkWord` found out about a word. */
export interface WordCheck {
  readonly word: string;
  /** Whether the word can stand in a prompt. */
  readonly ok: boolean;
  /** How GPT-2 splits the word after a space: [" K", "etchup"]. */
  readonly pieces: string[];
  /** The word's two token ids in the vocabulary asked about; empty unless `ok`. */
  readonly tokens: number[];
  /** Why the word can't be used; "" if it can. */
  readonly reason: string;
  /** Usable words with the same first letter that are spelled alike, nearest first; empty if `ok`. */
  readonly near: string[];
}

/** Splitting a word, and looking for near ones, takes time that grows with its length. */
const LONGEST_WORD = 200;

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

/**
 * Whether a word can stand in a prompt: a capital and small letters, and exactly two tokens, " X" + rest, both in the vocabulary.
 * Nothing is corrected silently: "ketchup" is refused, with "Ketchup" among the near words.
 * @param suggest where near words are looked for; the project's word list if not given.
 */
export function checkWord(word: string, tokenizer: Tokenizer, suggest?: readonly string[]): WordCheck {
  if (word.length > LONGEST_WORD)
    return { word, ok: false, pieces: [], tokens: [], reason: `is ${word.length} characters long, no word`, near: [] };
  const pieces = splitWord(word);
  const reason = fault(word, pieces, tokenizer);
  if (reason === "")
    return { word, ok: true, pieces, tokens: pieces.map((piece) => tokenizer.id(piece)), reason, near: [] };
  const usable = (candidate: string) => fault(candidate, splitWord(candidate), tokenizer) === "";
  const sameInitial = (candidate: string) => candidate[0] === capitalised(word)[0]; // so that the acronym stays the same
  const candidates = new Set([capitalised(word), ...(suggest ?? wordList())]);
  return {
    word,
    ok: false,
    pieces,
    tokens: [],
    reason,
    near: nearest(word, [...candidates].filter(sameInitial).filter(usable)),
  };
}

const capitalised = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();

function splitWord(word: string): string[] {
  const gpt2 = gpt2Tokenizer();
  return gpt2.pieces(gpt2.encode(` ${word}`));
}

function fault(word: string, pieces: readonly string[], tokenizer: Tokenizer): string {
  const hidden = unseen(word);
  if (hidden !== "") return `holds what can't be seen, ${hidden}: type it again`;
  if (!/^[A-Za-z]+$/.test(word)) return "is not made of the letters A–Z only";
  if (!/^[A-Z]/.test(word)) return "does not begin with a capital";
  if (/[A-Z]/.test(word.slice(1))) return "has a capital after the first letter";
  const split = pieces.map((piece) => JSON.stringify(piece)).join(" + ");
  if (pieces.length !== 2) return `is ${pieces.length === 1 ? "1 token" : `${pieces.length} tokens`} (${split}), not 2`;
  if (pieces[0] !== ` ${word[0]}`) return `splits as ${split}, not as " ${word[0]}" + rest`;
  const unknown = pieces.find((piece) => !tokenizer.has(piece));
  return unknown === undefined
    ? ""
    : `needs the token ${JSON.stringify(unknown)}, which this model's vocabulary of ${tokenizer.vocabSize} lacks`;
}

/** Read at the first refused word only. */
function wordList(): readonly string[] {
  cachedWordList ??= loadWords().map(({ word }) => word);
  return cachedWordList;
}
let cachedWordList: readonly string[] | undefined;
