import { gpt2Tokenizer, type Tokenizer } from "../load/tokenizer";
import { nearest, unseen } from "../numbers/text";

/** What `checkWordAmong` found out about a word. */
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

/**
 * Whether a word can stand in a prompt: a capital and small letters, and exactly two tokens, " X" + rest, both in the vocabulary.
 * Nothing is corrected silently: "ketchup" is refused, with "Ketchup" among the near words.
 * @param suggest where near words are looked for, asked only if the word is refused
 */
export function checkWordAmong(word: string, tokenizer: Tokenizer, suggest: () => readonly string[]): WordCheck {
  if (word.length > LONGEST_WORD)
    return { word, ok: false, pieces: [], tokens: [], reason: `is ${word.length} characters long, no word`, near: [] };
  const pieces = splitWord(word);
  const reason = fault(word, pieces, tokenizer);
  if (reason === "")
    return { word, ok: true, pieces, tokens: pieces.map((piece) => tokenizer.id(piece)), reason, near: [] };
  const usable = (candidate: string) => fault(candidate, splitWord(candidate), tokenizer) === "";
  const sameInitial = (candidate: string) => candidate[0] === capitalised(word)[0]; // so that the acronym stays the same
  const candidates = new Set([capitalised(word), ...suggest()]);
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
