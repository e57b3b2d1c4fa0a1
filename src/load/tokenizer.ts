import { checkIndex } from "../numbers/check";
import { nearest, quoted } from "../numbers/text";
import { bytesOfText, END_OF_TEXT, END_OF_TEXT_ID, gpt2, spellingOf } from "./gpt2-encoding";
import { quote } from "./header-reader";
import type { Vocabulary } from "./vocabulary";

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

const CAPITALS: readonly string[] = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
/** Without these no acronym can be read or written, so every vocabulary has them. */
export const REQUIRED_PIECES: readonly string[] = [END_OF_TEXT, ...CAPITALS, ...CAPITALS.map((letter) => ` ${letter}`)];

/** GPT-2's own tokenizer: 50,257 tokens, ids as in GPT-2. */
export function gpt2Tokenizer(): Tokenizer {
  wholeTokenizer ??= withTokens(Array.from({ length: gpt2().bytes.length }, (_, id) => id));
  return wholeTokenizer;
}
let wholeTokenizer: Tokenizer | undefined;

/** How tokens that don't come from text are spelled: <pad>, [PAD], <|im_start|>, </s>. */
const isSpecial = (spelling: string) => /^(<.+>|\[.+\])$/s.test(spelling);

/** What else there is to know of a vocabulary's table. */
interface VocabularyOptions {
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
  return withTokens(filledUp(tokens, rows ?? tokens.length));
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

/** `vocabTokenizer` of a model's files; the message names the file. @param rows of the model's embedding: `vocab_size` in config.json */
export function tokenizerOf({ file, table, added }: Vocabulary, rows?: number): Tokenizer {
  try {
    return vocabTokenizer(table, { added, rows });
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** @param tokens by id */
function withTokens(tokens: readonly Token[]): Tokenizer {
  const { bytes, encode } = gpt2();
  const vocabSize = tokens.length;
  const range = tokens.map((_, id) => id);
  const ownIds = new Map(range.filter((id) => typeof tokens[id] === "number").map((id) => [tokens[id] as number, id]));
  const added = tokens.filter((token) => typeof token === "string" && token !== "") as string[];
  const bytesOf = (id: number) => {
    const token = tokens[checkId(id, vocabSize)];
    return typeof token === "number" ? bytes[token] : bytesOfText(token ?? `[unused ${id}]`);
  };
  const text = (id: number) => utf8(bytesOf(id));
  // 333 tokens are parts of characters; decoded alone they would all be U+FFFD, which is a token of its own
  const isText = (id: number) =>
    tokens[id] !== undefined && (!text(id).includes("\uFFFD") || sameBytes(bytesOfText(text(id)), bytesOf(id)));
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
    decode: (ids) => utf8(Uint8Array.from(ids.flatMap((id) => [...bytesOf(id)]))),
    pieces: (ids) => ids.map(text),
  };
}

function checkId(id: number, vocabSize: number): number {
  checkIndex("token id", id, vocabSize);
  return id;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const sameBytes = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
