import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkIndex } from "../numbers/check";
import { nearest, quoted } from "../numbers/text";
import { quote } from "./header-reader";

/** Text ↔ token ids of one vocabulary: GPT-2's, or a part of it. */
export interface Tokenizer {
  /** Number of tokens; ids are 0 … vocabSize − 1. */
  readonly vocabSize: number;
  /** Id of `<|endoftext|>`, which stands before every prompt. `encode` doesn't add it. */
  readonly bos: number;
  /** Ids of "A" … "Z". */
  readonly letters: readonly number[];
  /** Ids of " A" … " Z", with a space before the letter. */
  readonly spaceLetters: readonly number[];
  /**
   * GPT-2's byte-pair encoding, without BOS. `<|endoftext|>` in the text is ordinary text.
   * @throws UnknownTokenError if a piece isn't in this vocabulary; RangeError if more than 10,000 characters are one word.
   */
  encode(text: string): number[];
  /** The inverse of `encode`. @throws RangeError if an id isn't in this vocabulary. */
  decode(ids: readonly number[]): string;
  /** Each token's text by itself, as axes show it: " K", "etchup". @throws RangeError if an id isn't in this vocabulary. */
  pieces(ids: readonly number[]): string[];
  /** Whether this very text (" K") is one token of this vocabulary. A token that is a part of a character has no text. */
  has(piece: string): boolean;
  /** The id of the token with this very text. @throws UnknownTokenError if there is none. */
  id(piece: string): number;
}

/** A piece of text that isn't a token of the vocabulary in use. */
export class UnknownTokenError extends Error {
  override readonly name = "UnknownTokenError";
  constructor(
    readonly piece: string,
    /** Pieces of the vocabulary that are spelled alike, nearest first. */
    readonly near: readonly string[],
    vocabSize: number,
    text?: string,
  ) {
    const where = text === undefined || text === piece ? "" : ` (in ${quote(text)})`;
    const hint = near.length > 0 ? `; near pieces: ${quoted(near)}` : "";
    super(`${quote(piece)}${where} is not one of this vocabulary's ${vocabSize} tokens${hint}`);
  }
}

/** GPT-2's name for the token that begins and ends texts, and its id there. */
const END_OF_TEXT = "<|endoftext|>";
const END_OF_TEXT_ID = 50256;
const CAPITALS: readonly string[] = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
/** Without these no acronym can be read or written, so every vocabulary has them. */
const REQUIRED_PIECES: readonly string[] = [END_OF_TEXT, ...CAPITALS, ...CAPITALS.map((letter) => ` ${letter}`)];

/** GPT-2's own tokenizer: 50,257 tokens, ids as in GPT-2. */
export function gpt2Tokenizer(): Tokenizer {
  wholeTokenizer ??= tokenizerOf(Array.from({ length: gpt2().bytes.length }, (_, id) => id));
  return wholeTokenizer;
}
let wholeTokenizer: Tokenizer | undefined;

/**
 * GPT-2's encoding with the ids of a Hugging Face `vocab.json` (byte-level spelling: "ĠK" is " K").
 * A pruned vocabulary is simply a smaller table.
 * @throws Error if ids aren't 0 … n − 1, a piece isn't GPT-2's, or `<|endoftext|>` or a capital (with or without space) is missing.
 */
export function vocabTokenizer(vocab: Record<string, number>): Tokenizer {
  const entries = Object.entries(vocab);
  const gpt2Ids: number[] = new Array(entries.length);
  const { idOfSpelling } = gpt2();
  for (const [spelling, id] of entries) {
    if (!Number.isInteger(id) || id < 0 || id >= entries.length)
      throw new Error(
        `id of ${JSON.stringify(spelling)} is ${id}, but ${entries.length} tokens need the ids 0 … ${entries.length - 1}`,
      );
    if (gpt2Ids[id] !== undefined)
      throw new Error(
        `id ${id} is given twice, to ${JSON.stringify(gpt2().spelling(gpt2Ids[id]))} and to ${JSON.stringify(spelling)}`,
      );
    const gpt2Id = idOfSpelling.get(spelling);
    if (gpt2Id === undefined)
      throw new Error(
        `${JSON.stringify(spelling)} is not a piece of GPT-2's vocabulary: this project reads GPT-2's encoding only`,
      );
    gpt2Ids[id] = gpt2Id;
  }
  const missing = REQUIRED_PIECES.filter((piece) => !Object.hasOwn(vocab, piece.replace(" ", "Ġ")));
  if (missing.length > 0)
    throw new Error(
      `the vocabulary lacks ${quoted(missing)}: every vocabulary needs ${END_OF_TEXT} and "A" … "Z" with and without a space`,
    );
  return tokenizerOf(gpt2Ids);
}

/**
 * The tokenizer of a Hugging Face folder: its `vocab.json`, full or pruned; else the table in `tokenizer.json`.
 * @throws Error if neither file is there, isn't JSON, or its table is refused by `vocabTokenizer`; the message names the file.
 */
export function loadTokenizer(dir: string): Tokenizer {
  const file = ["vocab.json", "tokenizer.json"].map((name) => join(dir, name)).find(existsSync);
  if (file === undefined)
    throw new Error(
      `${dir} has neither vocab.json nor tokenizer.json: a model's folder needs one of them beside config.json`,
    );
  try {
    const content = JSON.parse(readFileSync(file, "utf8"));
    return vocabTokenizer(checkTable(file.endsWith("vocab.json") ? content : content?.model?.vocab));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function checkTable(vocab: unknown): Record<string, number> {
  if (vocab === null || typeof vocab !== "object" || Array.isArray(vocab))
    throw new Error(
      'it holds no table of tokens; {"token": id, …} is needed (in tokenizer.json under model.vocab): fetch it again',
    );
  return vocab as Record<string, number>; // vocabTokenizer checks the ids
}

/** @throws Error if a model's embedding has another number of rows than the tokenizer of its folder has tokens. */
export function checkVocabSize(tokenizer: Tokenizer, vocab_size: number, dir: string): void {
  if (tokenizer.vocabSize !== vocab_size)
    throw new Error(
      `${dir}: its vocabulary has ${tokenizer.vocabSize} tokens, but its config.json says vocab_size ${vocab_size}; they must be equal: take both files from the same model`,
    );
}

/**
 * The part of GPT-2's vocabulary that these pieces need, as the table of a `vocab.json`.
 * `<|endoftext|>`, "A" … "Z" and " A" … " Z" are always in it. New ids follow the order of GPT-2's, whatever the order of the pieces.
 * @param pieces texts of single tokens (" K", "etchup"), or GPT-2 ids.
 * @throws UnknownTokenError if a text isn't one GPT-2 token; RangeError if an id isn't GPT-2's.
 */
export function pruneVocabulary(pieces: Iterable<string | number>): Record<string, number> {
  const whole = gpt2Tokenizer();
  const ids = new Set(REQUIRED_PIECES.map((piece) => whole.id(piece)));
  for (const piece of pieces) {
    if (typeof piece === "number") checkId(piece, whole.vocabSize);
    ids.add(typeof piece === "number" ? piece : whole.id(piece));
  }
  const ordered = [...ids].sort((a, b) => a - b);
  return Object.fromEntries(ordered.map((id, index) => [gpt2().spelling(id), index]));
}

/** @param gpt2Ids own id → GPT-2's id */
function tokenizerOf(gpt2Ids: readonly number[]): Tokenizer {
  const { bytes, encode } = gpt2();
  const vocabSize = gpt2Ids.length;
  const ownIds = new Map(gpt2Ids.map((gpt2Id, id) => [gpt2Id, id]));
  const bytesOf = (id: number) => bytes[gpt2Ids[checkId(id, vocabSize)]];
  const text = (id: number) => utf8(bytesOf(id));
  const range = gpt2Ids.map((_, id) => id);
  // 333 tokens are parts of characters; decoded alone they would all be U+FFFD, which is a token of its own
  const isText = (id: number) => !text(id).includes("\uFFFD") || Buffer.from(text(id)).equals(bytesOf(id));
  let idOfText: Map<string, number> | undefined; // made when first asked for
  const texts = () => (idOfText ??= new Map(range.filter(isText).map((id) => [text(id), id])));
  const unknown = (piece: string, within?: string) =>
    new UnknownTokenError(piece, nearest(piece, texts().keys()), vocabSize, within);
  const has = (piece: string) => texts().has(piece);
  const id = (piece: string) => {
    const found = texts().get(piece);
    if (found === undefined) throw unknown(piece);
    return found;
  };
  return {
    vocabSize,
    bos: ownIds.get(END_OF_TEXT_ID)!,
    letters: CAPITALS.map((letter) => id(letter)),
    spaceLetters: CAPITALS.map((letter) => id(` ${letter}`)),
    has,
    id,
    encode: (input) =>
      encode(input).map((gpt2Id) => {
        const own = ownIds.get(gpt2Id);
        if (own === undefined) throw unknown(utf8(bytes[gpt2Id]), input);
        return own;
      }),
    decode: (ids) => utf8(Buffer.concat(ids.map(bytesOf))),
    pieces: (ids) => ids.map(text),
  };
}

function checkId(id: number, vocabSize: number): number {
  checkIndex("token id", id, vocabSize);
  return id;
}

const utf8 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");

interface Gpt2 {
  encode(text: string): number[];
  /** GPT-2 id → the token's bytes; a token may be a part of a UTF-8 character. */
  readonly bytes: readonly Uint8Array[];
  /** GPT-2 id → the way vocab.json spells it. */
  spelling(id: number): string;
  readonly idOfSpelling: ReadonlyMap<string, number>;
}

/** GPT-2's division into words. gpt-tokenizer's own has \s, which in JavaScript has U+FEFF and lacks U+0085: GPT-2's \s is Unicode's. */
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The time that merging takes grows with the square of a word's length. */
const LONGEST_WORD = 10_000;

/** Pairs are merged by gpt-tokenizer. Loaded at first use: a notebook that needs no tokens doesn't wait for it. */
function gpt2(): Gpt2 {
  if (loaded !== undefined) return loaded;
  const { BytePairEncodingCore } = require("gpt-tokenizer/BytePairEncodingCore") as CoreModule;
  const ranks = require("gpt-tokenizer/bpeRanks/r50k_base") as typeof import("gpt-tokenizer/bpeRanks/r50k_base");
  const core = new BytePairEncodingCore({
    bytePairRankDecoder: ranks.default,
    tokenSplitRegex: WORDS,
    mergeCacheSize: 1000,
  });
  const bytes = [...ranks.default, END_OF_TEXT].map((piece) => Buffer.from(piece as string));
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

/** GPT-2's vocab.json writes each byte as one visible character: itself if it is one, else the next free one from 256 on (space → "Ġ"). */
function byteCharacters(): string[] {
  const visible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(visible(byte) ? byte : next++));
}
