/** GPT-2's own encoding: how text is divided into words and these into tokens, and how vocab.json spells a token. */
import { quote } from "./header-reader";

/** GPT-2's name for the token that begins and ends texts, and its id there. */
export const END_OF_TEXT = "<|endoftext|>";
export const END_OF_TEXT_ID = 50256;

const encoder = new TextEncoder();
/** A text in UTF-8. */
export const bytesOfText = (text: string): Uint8Array => encoder.encode(text);

interface Gpt2 {
  encode(text: string): number[];
  /** GPT-2 id → the token's bytes; a token may be a part of a UTF-8 character. */
  readonly bytes: readonly Uint8Array[];
  /** GPT-2 id → the way vocab.json spells it. */
  spelling(id: number): string;
  readonly idOfSpelling: ReadonlyMap<string, number>;
  /** Byte → how vocab.json writes it. */
  readonly characters: readonly string[];
}

/** GPT-2's division into words. gpt-tokenizer's own has \s, which in JavaScript has U+FEFF and lacks U+0085: GPT-2's \s is Unicode's. */
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The time that merging takes grows with the square of a word's length. */
const LONGEST_WORD = 10_000;

/** Pairs are merged by gpt-tokenizer. Loaded at first use: a notebook that needs no tokens doesn't wait for it. */
export function gpt2(): Gpt2 {
  if (loaded !== undefined) return loaded;
  const { BytePairEncodingCore } = require("gpt-tokenizer/BytePairEncodingCore") as CoreModule;
  const ranks = require("gpt-tokenizer/bpeRanks/r50k_base") as typeof import("gpt-tokenizer/bpeRanks/r50k_base");
  const core = new BytePairEncodingCore({
    bytePairRankDecoder: ranks.default,
    tokenSplitRegex: WORDS,
    mergeCacheSize: 1000,
  });
  const bytes = [...ranks.default, END_OF_TEXT].map((piece) =>
    typeof piece === "string" ? bytesOfText(piece) : Uint8Array.from(piece),
  );
  const characters = byteCharacters();
  const spelling = (id: number) =>
    id === END_OF_TEXT_ID ? END_OF_TEXT : Array.from(bytes[id], (byte) => characters[byte]).join("");
  loaded = {
    encode: (text) => {
      checkWordLengths(text);
      return core.encodeNative(text);
    },
    bytes,
    spelling,
    characters,
    idOfSpelling: new Map(bytes.map((_, id) => [spelling(id), id])),
  };
  return loaded;
}
let loaded: Gpt2 | undefined;
type CoreModule = typeof import("gpt-tokenizer/BytePairEncodingCore");

function checkWordLengths(text: string): void {
  if (text.length <= LONGEST_WORD) return;
  for (const [word] of text.matchAll(WORDS))
    if (word.length > LONGEST_WORD)
      throw new RangeError(
        `${quote(word)} is too long for one word: at most ${LONGEST_WORD} characters without a change between letters, digits, spaces and other signs; break it up`,
      );
}

/** A text as vocab.json would spell it; `<|endoftext|>` is spelled as it is. */
export const spellingOf = (text: string) =>
  text === END_OF_TEXT ? text : Array.from(bytesOfText(text), (byte) => gpt2().characters[byte]).join("");

/** GPT-2's vocab.json writes each byte as one visible character: itself if it is one, else the next free one from 256 on (space → "Ġ"). */
function byteCharacters(): string[] {
  const visible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(visible(byte) ? byte : next++));
}
