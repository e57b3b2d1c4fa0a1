import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One WordNet meaning. Keys are part of speech and byte offset: "n06731706". */
export interface Synset {
  readonly key: string;
  /** As spelled: "Aryan", "sea_lion". */
  readonly words: readonly string[];
  readonly pointers: readonly { readonly kind: string; readonly to: string }[];
  /** The definition, without the example sentences. */
  readonly definition: string;
}

export interface WordNet {
  /** Every noun as index.noun lists it, in lower case. */
  readonly nouns: readonly string[];
  /** The meanings, in any part of speech, that a lower-case spelling has. */
  synsets(lemma: string): readonly Synset[];
  /** The one noun meaning with all these words. */
  meaning(...words: string[]): Synset;
  /** Whether a meaning is this one or, by any chain of hypernyms, a kind of it. */
  isKindOf(synset: Synset, root: Synset): boolean;
  /** How often WordNet's tagged texts use the word, over all meanings. */
  tagCount(lemma: string): number;
  /** In how many definitions and example sentences of other meanings the word stands. */
  glossCount(lemma: string): number;
}

const FILES = { "data.noun": "n", "data.verb": "v", "data.adj": "a", "data.adv": "r" } as const;

/** Reads WordNet 3.1's database files (format: wndb(5WN)). */
export function readWordNet(dir: string): WordNet {
  const lines = (file: string) =>
    readFileSync(join(dir, file), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith(" ")); // the licence's lines begin with a space
  const byKey = new Map<string, Synset>();
  const byLemma = new Map<string, Synset[]>();
  const glosses = new Map<string, number>();
  for (const [file, pos] of Object.entries(FILES))
    for (const line of lines(file)) {
      const synset = parseSynset(line, pos);
      byKey.set(synset.key, synset);
      const own = new Set(synset.words.map((word) => word.toLowerCase()));
      for (const lemma of own) {
        const known = byLemma.get(lemma);
        if (known) known.push(synset);
        else byLemma.set(lemma, [synset]);
      }
      const gloss = line.slice(line.indexOf(" | ") + 3).toLowerCase();
      for (const word of new Set(gloss.match(/[a-z]+/g)))
        if (!own.has(word)) glosses.set(word, (glosses.get(word) ?? 0) + 1);
    }
  const tags = new Map<string, number>();
  for (const line of lines("index.sense")) {
    const [senseKey, , , count] = line.split(" ");
    const lemma = senseKey.slice(0, senseKey.indexOf("%"));
    tags.set(lemma, (tags.get(lemma) ?? 0) + Number(count));
  }
  const isKindOf = (synset: Synset, root: Synset): boolean =>
    synset.key === root.key ||
    synset.pointers.some(({ kind, to }) => kind.startsWith("@") && isKindOf(byKey.get(to)!, root));
  return {
    nouns: lines("index.noun").map((line) => line.slice(0, line.indexOf(" "))),
    synsets: (lemma) => byLemma.get(lemma) ?? [],
    meaning: (...words) => {
      const found = (byLemma.get(words[0]) ?? []).filter(
        (s) => s.key[0] === "n" && words.every((w) => s.words.includes(w)),
      );
      if (found.length !== 1)
        throw new Error(
          `${found.length} noun meanings of WordNet have the words ${words.join(", ")}; one was expected`,
        );
      return found[0];
    },
    isKindOf,
    tagCount: (lemma) => tags.get(lemma) ?? 0,
    glossCount: (lemma) => glosses.get(lemma) ?? 0,
  };
}

/** offset lexfile type nWords(hex) word lexId … nPointers kind offset pos source/target … | gloss */
function parseSynset(line: string, pos: string): Synset {
  const [head, gloss] = line.split(" | ", 2);
  const fields = head.split(" ");
  const nWords = Number.parseInt(fields[3], 16);
  const words = Array.from({ length: nWords }, (_, i) => fields[4 + 2 * i].replace(/\(\w+\)$/, "")); // galore(ip): an adjective's place
  const firstPointer = 5 + 2 * nWords;
  const pointers = Array.from({ length: Number(fields[firstPointer - 1]) }, (_, i) => {
    const at = firstPointer + 4 * i;
    const [kind, offset, toPos] = [fields[at], fields[at + 1], fields[at + 2]];
    return { kind, to: toPos + offset };
  });
  return { key: pos + fields[0], words, pointers, definition: gloss.split('"')[0] };
}
