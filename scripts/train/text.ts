/** The text the embedded model learns from: made-up names with their acronyms, as token ids. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { dataFolder } from "../../src/load/resolve";
import { type Tokenizer, vocabTokenizer } from "../../src/load/tokenizer";
import type { Random } from "../../src/numbers/random";
import { pruneVocabulary } from "../checkpoint/vocabulary";

/** Words between and before the names. */
const FILLERS = (
  " a an and as at by for from in into is it no not of on or our over so than that the their then they this to under was we were when with" +
  " about after all also be been before but can could did do each first had has have he her his how if its just like made many may more most" +
  " new now old one only other out own said she some such there these time two up use used very way what which who will would year years you"
)
  .trim()
  .split(/\s+/)
  .map((word) => ` ${word}`);
const CONNECTORS = [" of", " and", " for", " in"];

/** How often what is said, and the training's sizes. Everything the checkpoint depends on but the seed. */
export interface Recipe {
  readonly n_layers: number;
  readonly n_heads: number;
  readonly d_model: number;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly warmup: number;
  /** Tokens of a sequence with BOS, padded at its end. */
  readonly context: number;
  /** Half of the sequences start at a position up to this, so that words can't be told by their absolute position. */
  readonly maxOffset: number;
  /** Kinds of document: shares that add up to 1. */
  readonly kinds: {
    /** "The Ketchup Lark Wreck (KLW)": exactly the task. */
    readonly plain: number;
    /** Two to four words, with connectors, fillers before, a leading word that the acronym skips. */
    readonly varied: number;
    /** "The Ketchup Lark Wreck, (LW)": the acronym begins at any word, so that the next letter follows from the last one, not from a count. */
    readonly suffix: number;
    /** One word comes again in lower-case spelling without its space: a filler task that copies tokens. */
    readonly repeat: number;
  };
  /** Share of words with a random second token, so that every second token is known. */
  readonly pseudoWords: number;
  /** Share of words with a third token. */
  readonly longWords: number;
  /** Share of documents in which letters may come more than once. */
  readonly repeatedLetters: number;
}

/** A training word: its letter as 0 … 25 and its pieces' ids. */
interface Word {
  readonly letter: number;
  readonly ids: readonly number[];
}

/** What text is made of, in one vocabulary. */
export interface Lexicon {
  readonly vocab: Record<string, number>;
  readonly tokenizer: Tokenizer;
  readonly words: readonly (readonly Word[])[];
  /** Second tokens of all words, of the held-out ones too: alone they carry no word. */
  readonly rests: readonly number[];
  readonly heldOut: ReadonlySet<string>;
}

export function readLexicon(): Lexicon {
  const [, ...lines] = readFileSync(path.join(dataFolder, "words.tsv"), "utf8").trim().split("\n");
  const table = lines.map((line) => line.split("\t"));
  const rests = [...new Set(table.map(([, , rest]) => rest))];
  const vocab = pruneVocabulary([...rests, ...FILLERS, ...CONNECTORS, "The", " The", " (", ")", ","]);
  const tokenizer = vocabTokenizer(vocab);
  const words: Word[][] = Array.from({ length: 26 }, () => []);
  for (const [word, first, rest, split] of table) {
    const letter = word.charCodeAt(0) - 65;
    if (split === "train") words[letter].push({ letter, ids: [tokenizer.id(first), tokenizer.id(rest)] });
  }
  const heldOut = new Set(table.filter(([, , , split]) => split === "held_out").map(([word]) => word));
  return { vocab, tokenizer, words, rests: rests.map((rest) => tokenizer.id(rest)), heldOut };
}

/** One sequence: what is read, and what each next token counts in the loss. */
export interface Sequence {
  readonly ids: number[];
  /** Weight of predicting token i + 1 at i. */
  readonly weights: number[];
  readonly offset: number;
}

const LETTER = 1;
const CLOSE = 0.3;
const FIRST_OF_SUFFIX = 0.1; // can only be guessed
const OTHER = 0.2;

/** An endless source of training sequences. */
export function textSource(lexicon: Lexicon, recipe: Recipe, random: Random): () => Sequence {
  const { tokenizer } = lexicon;
  const id = (piece: string) => tokenizer.id(piece);
  const spell = (word: Word) => tokenizer.decode(word.ids).trim();
  const chance = (p: number) => random.uniform() < p;
  const choose = <K extends string>(shares: Readonly<Record<K, number>>): K => {
    let left = random.uniform();
    for (const [key, share] of Object.entries<number>(shares)) {
      left -= share;
      if (left < 0) return key as K;
    }
    return Object.keys(shares)[0] as K;
  };

  const makeWord = (letter: number): Word => {
    const known = lexicon.words[letter];
    let ids = [...(known.length > 0 && !chance(recipe.pseudoWords) ? random.pick(known).ids : pseudo(letter))];
    while (lexicon.heldOut.has(spell({ letter, ids }))) ids = pseudo(letter);
    if (chance(recipe.longWords)) ids.push(random.pick(lexicon.rests));
    return { letter, ids };
  };
  const pseudo = (letter: number) => [tokenizer.spaceLetters[letter], random.pick(lexicon.rests)];
  const makeWords = (n: number): Word[] => {
    const letters = chance(recipe.repeatedLetters)
      ? Array.from({ length: n }, () => random.int(26))
      : random.shuffle(Array.from({ length: 26 }, (_, i) => i)).slice(0, n);
    return letters.map(makeWord);
  };
  const some = (pieces: readonly string[], most: number) =>
    Array.from({ length: random.int(most + 1) }, () => id(random.pick(pieces)));

  interface Document {
    readonly before: readonly number[];
    readonly words: readonly Word[];
    /** What stands between the words and the acronym. */
    readonly opening: readonly number[];
    /** The acronym's first word, and what guessing its letter counts. */
    readonly first?: number;
    readonly firstWeight?: number;
    readonly connectors?: number;
  }
  const compose = ({ before, words, opening, first = 0, firstWeight = LETTER, connectors = 0 }: Document): Sequence => {
    const ids = [tokenizer.bos, ...before];
    words.forEach((word, i) => {
      if (i > 0 && chance(connectors)) ids.push(id(random.pick(CONNECTORS)));
      ids.push(...word.ids);
    });
    ids.push(...opening);
    const weights: number[] = Array.from({ length: ids.length - 1 }, () => OTHER);
    words.slice(first).forEach(({ letter }, i) => {
      ids.push(tokenizer.letters[letter]);
      weights.push(i === 0 ? firstWeight : LETTER);
    });
    ids.push(id(")"));
    weights.push(CLOSE);
    return { ids, weights, offset: 0 };
  };

  const make = {
    plain: () => {
      const words = makeWords(3).map(({ letter, ids }) => ({ letter, ids: ids.slice(0, 2) }));
      return compose({ before: [id("The")], words, opening: [id(" (")] });
    },
    varied: () => {
      const n = Number(choose({ 2: 0.2, 3: 0.6, 4: 0.2 }));
      const before = chance(0.2) ? [...some(FILLERS, 4), id(" The")] : [id("The")];
      const first = chance(0.1) ? 1 : 0;
      return compose({ before, words: makeWords(n + first), opening: [id(" (")], first, connectors: 0.1 });
    },
    suffix: () => {
      const n = Number(choose({ 2: 0.15, 3: 0.35, 4: 0.35, 5: 0.15 }));
      const first = random.int(n - 1); // at least two letters
      const opening = [id(","), id(" (")];
      return compose({ before: [id("The")], words: makeWords(n), opening, first, firstWeight: FIRST_OF_SUFFIX });
    },
    repeat: () => {
      const words = makeWords(2 + random.int(2));
      const { letter, ids: again } = random.pick(words);
      const ids = [
        tokenizer.bos,
        id("The"),
        ...words.flatMap((word) => word.ids),
        id(","),
        tokenizer.letters[letter],
        ...again.slice(1),
      ];
      const weights: number[] = ids.slice(1).map((_, i) => (i >= ids.length - again.length ? LETTER : OTHER));
      weights[ids.length - 1 - again.length] = FIRST_OF_SUFFIX;
      return { ids, weights, offset: 0 };
    },
  };

  return () => {
    for (;;) {
      const sequence = make[choose(recipe.kinds)]();
      if (sequence.ids.length <= recipe.context)
        return { ...sequence, offset: chance(0.5) ? random.int(recipe.maxOffset + 1) : 0 };
    }
  };
}
