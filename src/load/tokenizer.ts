import { checkIndex } from "../numbers/check";
import { nearest, quoted } from "../numbers/text";
import { quote } from "./header-reader";
import { readVocabulary } from "./vocabulary";

/** Text ↔ token ids of one vocabulary: GPT-2's or a part of it, and tokens added to that. */
export interface Tokenizer {
  /** Number of tokens, as many as the model has rows for; ids are 0 … vocabSize − 1. */
  readonly vocabSize: number;
  /** Id of `<|endoftext|>`, which stands before every prompt. `encode` doesn't add it. */
  readonly bos: number;
  /** Ids of "A" … "Z". */
  readonly letters: readonly number[];
  /** Ids of " A" … " Z", with a space before the letter. */
  readonly spaceLetters: readonly number[];
  /**
   * GPT-2's byte-pair encoding, without BOS. `<|endoftext|>` in the text is ordinary text.
   * Throws UnknownTokenError if a piece isn't in this vocabulary; RangeError if more than 10,000 characters are one word, or the text holds
   *   an added token ("<pad>"), whose meaning in a text only the model's own tokenizer knows.
   */
  encode(text: string): number[];
  /** The inverse of `encode`. Throws a RangeError if an id isn't in this vocabulary. */
  decode(ids: readonly number[]): string;
  /** Each token's text by itself, as axes show it: " K", "etchup"; "[unused 50300]" for a row that no token has. Throws a RangeError if an id isn't in this vocabulary. */
  pieces(ids: readonly number[]): string[];
  /** Whether this very text (" K") is one token of this vocabulary. A token that is a part of a character has no text. */
  has(piece: string): boolean;
  /** The id of the token with this very text. Throws UnknownTokenError if there is none. */
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

/** What is at an id: GPT-2's token of that id, the text of an added token, or nothing but a row that fills the matrix up. */
type Token = number | string | undefined;

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

/** How tokens that don't come from text are spelled: <pad>, [PAD], <|im_start|>, </s>. */
const isSpecial = (spelling: string) => /^(<.+>|\[.+\])$/s.test(spelling);

/** What else there is to know of a vocabulary's table. */
export interface VocabularyOptions {
  /** Text → id of tokens added to the table. */
  readonly added?: ReadonlyMap<string, unknown>;
  /** Rows of the model's embedding, if there is one. */
  readonly rows?: number;
}

/**
 * GPT-2's encoding with the ids of a Hugging Face `vocab.json` (byte-level spelling: "ĠK" is " K").
 * A pruned vocabulary is simply a smaller table. Tokens that aren't GPT-2's are allowed where they were added: in `added`, or in the table if
 * they are spelled like none that comes from text ("<pad>"). Of these, one beyond the model's rows is left out: the model can't know it.
 * Throws an Error if ids aren't 0 … n − 1, a piece isn't GPT-2's, `<|endoftext|>` or a capital (with or without space) is missing, or the model
 *   has neither n rows nor n rounded up to a multiple of 8, 16, … 1024.
 */
export function vocabTokenizer(vocab: Readonly<Record<string, unknown>>, options: VocabularyOptions = {}): Tokenizer {
  const { rows, added = new Map() } = options;
  const { idOfSpelling, spelling } = gpt2();
  const tokenOf = new Map<string, readonly [Token, unknown]>();
  for (const [written, id] of Object.entries(vocab)) {
    const token = idOfSpelling.get(written) ?? (isSpecial(written) || added.has(written) ? written : undefined);
    if (token === undefined)
      throw new Error(
        `${quote(written)} is not a piece of GPT-2's vocabulary: this project reads GPT-2's encoding only`,
      );
    tokenOf.set(written, [token, id]);
  }
  for (const [text, id] of added) {
    const own = spellingOf(text);
    const before = tokenOf.get(own) ?? tokenOf.get(text);
    if (before && before[1] !== id)
      throw new Error(
        `the added token ${quote(text)} has the id ${JSON.stringify(id)}, but in the table ${JSON.stringify(before[1])}: take all files from the same model`,
      );
    if (!before) tokenOf.set(own, [text === END_OF_TEXT ? END_OF_TEXT_ID : text, id]);
  }
  const isLeftOut = ([token, id]: readonly [Token, unknown]) =>
    typeof token === "string" && (id as number) >= (rows ?? Infinity);
  const entries = [...tokenOf].filter(([, entry]) => !isLeftOut(entry));
  const tokens: Token[] = new Array(entries.length);
  for (const [written, [token, id]] of entries) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= entries.length)
      throw new Error(
        `id of ${quote(written)} is ${JSON.stringify(id)}, but ${entries.length} tokens need the ids 0 … ${entries.length - 1}`,
      );
    const other = tokens[id as number];
    if (other !== undefined)
      throw new Error(
        `id ${id} is given twice, to ${quote(typeof other === "number" ? spelling(other) : other)} and to ${quote(written)}`,
      );
    tokens[id as number] = token;
  }
  const missing = REQUIRED_PIECES.filter((piece) => !tokenOf.has(piece.replace(" ", "Ġ")));
  if (missing.length > 0)
    throw new Error(
      `the vocabulary lacks ${quoted(missing)}: every vocabulary needs ${END_OF_TEXT} and "A" … "Z" with and without a space`,
    );
  return tokenizerOf(filledUp(tokens, rows ?? tokens.length));
}

/** Some writers round the number of rows up so that matrices are quick to multiply; more than a quarter of them is another vocabulary's. */
const MULTIPLES = [8, 16, 32, 64, 128, 256, 512, 1024];

function filledUp(tokens: readonly Token[], rows: number): Token[] {
  const n = tokens.length;
  const isRounded = MULTIPLES.some((m) => rows === m * Math.ceil(n / m)) && rows - n < rows / 4;
  if (rows !== n && !isRounded) {
    const unnamed = rows > n && rows - n <= 100 ? `, and no file names a token of the ids from ${n} on` : "";
    throw new Error(
      `its vocabulary has ${n} tokens, but its config.json says vocab_size ${rows}${unnamed}; they must be equal, or vocab_size the next multiple of ${MULTIPLES[0]}, … ${MULTIPLES.at(-1)}: take all files from the same model, added_tokens.json too`,
    );
  }
  return Array.from({ length: rows }, (_, id) => tokens[id]);
}

/**
 * The tokenizer of a Hugging Face folder: its `vocab.json`, full or pruned, else the table in `tokenizer.json`; with the added tokens that
 * these, added_tokens.json and tokenizer_config.json name.
 * Throws an Error if there is no table, a file isn't JSON, or the table is refused by `vocabTokenizer`; the message names the file.
 * @param rows of the model's embedding: `vocab_size` in config.json
 */
export function loadTokenizer(dir: string, rows?: number): Tokenizer {
  const { file, table, added } = readVocabulary(dir);
  try {
    return vocabTokenizer(table, { added, rows });
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The part of GPT-2's vocabulary that these pieces need, as the table of a `vocab.json`.
 * `<|endoftext|>`, "A" … "Z" and " A" … " Z" are always in it. New ids follow the order of GPT-2's, whatever the order of the pieces.
 * Throws UnknownTokenError if a text isn't one GPT-2 token; RangeError if an id isn't GPT-2's.
 * @param pieces texts of single tokens (" K", "etchup"), or GPT-2 ids.
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

/** @param tokens by id */
function tokenizerOf(tokens: readonly Token[]): Tokenizer {
  const { bytes, encode } = gpt2();
  const vocabSize = tokens.length;
  const range = tokens.map((_, id) => id);
  const ownIds = new Map(range.filter((id) => typeof tokens[id] === "number").map((id) => [tokens[id] as number, id]));
  const added = tokens.filter((token) => typeof token === "string");
  const bytesOf = (id: number) => {
    const token = tokens[checkId(id, vocabSize)];
    return typeof token === "number" ? bytes[token] : Buffer.from(token ?? `[unused ${id}]`);
  };
  const text = (id: number) => utf8(bytesOf(id));
  // 333 tokens are parts of characters; decoded alone they would all be U+FFFD, which is a token of its own
  const isText = (id: number) =>
    tokens[id] !== undefined && (!text(id).includes("\uFFFD") || Buffer.from(text(id)).equals(bytesOf(id)));
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
  const checkAdded = (input: string) => {
    const held = added.find((one) => input.includes(one));
    if (held !== undefined)
      throw new RangeError(
        `${quote(input)} holds ${quote(held)}, a token added to this vocabulary: only GPT-2's own encoding is known; take its id by id(${quote(held)})`,
      );
  };
  return {
    vocabSize,
    bos: ownIds.get(END_OF_TEXT_ID)!,
    letters: CAPITALS.map((letter) => id(letter)),
    spaceLetters: CAPITALS.map((letter) => id(` ${letter}`)),
    has,
    id,
    encode: (input) => {
      checkAdded(input);
      return encode(input).map((gpt2Id) => {
        const own = ownIds.get(gpt2Id);
        if (own === undefined) throw unknown(utf8(bytes[gpt2Id]), input);
        return own;
      });
    },
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
  /** Byte → how vocab.json writes it. */
  readonly characters: readonly string[];
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
const spellingOf = (text: string) =>
  text === END_OF_TEXT ? text : Array.from(Buffer.from(text), (byte) => gpt2().characters[byte]).join("");

/** GPT-2's vocab.json writes each byte as one visible character: itself if it is one, else the next free one from 256 on (space → "Ġ"). */
function byteCharacters(): string[] {
  const visible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(visible(byte) ? byte : next++));
}
