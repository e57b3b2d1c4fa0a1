import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pruneVocabulary } from "../../../scripts/checkpoint/vocabulary";
import { gpt2Tokenizer, vocabTokenizer } from "../../../src/load/tokenizer";
import { checkWord, loadWords } from "../../../src/prompts/words";

const gpt2 = gpt2Tokenizer();
const suggest = ["Ketchup", "Kettle", "Zebra"];

test("a usable word has two tokens that spell it", () => {
  const check = checkWord("Ketchup", gpt2);
  assert.deepEqual(check, {
    word: "Ketchup",
    ok: true,
    pieces: [" K", "etchup"],
    tokens: [509, 47132],
    reason: "",
    near: [],
  });
  assert.equal(gpt2.decode(check.tokens), " Ketchup");
});

test("a word that can't be used says why", () => {
  const reasons: [string, RegExp][] = [
    ["K9", /letters A–Z only/],
    ["", /letters A–Z only/],
    ["ketchup", /does not begin with a capital/],
    ["KETCHUP", /capital after the first letter/],
    ["Chief", /is 1 token \(" Chief"\), not 2/],
    ["Kestrel", /is 3 tokens \(" K" \+ "est" \+ "rel"\), not 2/],
    ["Internet", /is 1 token/],
  ];
  for (const [word, reason] of reasons) {
    const check = checkWord(word, gpt2, suggest);
    assert.match(check.reason, reason, word);
    assert.equal(check.ok, false);
    assert.deepEqual(check.tokens, []);
  }
});

test("two tokens of which the first isn't the capital alone are refused", () => {
  const word = "Saucepan"; // " Sauce" + "pan"
  assert.equal(gpt2.encode(` ${word}`).length, 2);
  assert.match(checkWord(word, gpt2).reason, /splits as " Sauce" \+ "pan", not as " S" \+ rest/);
});

test("near words keep the first letter and are usable", () => {
  assert.deepEqual(checkWord("ketchup", gpt2, suggest).near, ["Ketchup", "Kettle"]);
  const near = checkWord("Zebraz", gpt2).near;
  assert.equal(near[0], "Zebra");
  for (const word of near) assert.ok(checkWord(word, gpt2).ok, word);
});

test("a word outside a pruned vocabulary is refused, and so as a near word", () => {
  const pruned = vocabTokenizer(pruneVocabulary([" K", "ettle"]));
  const check = checkWord("Ketchup", pruned, suggest);
  assert.match(check.reason, /needs the token "etchup", which this model's vocabulary of 54 lacks/);
  assert.deepEqual(check.near, ["Kettle"]);
  assert.deepEqual(checkWord("Kettle", pruned).tokens, [pruned.id(" K"), pruned.id("ettle")]);
});

test("every word of the list is usable and split as written", () => {
  const words = loadWords();
  assert.ok(words.length > 800);
  for (const { word, first, rest } of words) assert.deepEqual(checkWord(word, gpt2).pieces, [first, rest]);
  const held = words.filter(({ split }) => split === "held_out").length / words.length;
  assert.ok(held > 0.19 && held < 0.21, `${held}`);
});

test("what is too long for a word is refused at once, not split", () => {
  const { ok, reason, near } = checkWord(`K${"x".repeat(1e6)}`, gpt2);
  assert.deepEqual([ok, reason, near], [false, "is 1000001 characters long, no word", []]);
});

test("what can't be seen in a word is named", () => {
  for (const [word, reason] of [
    ["Ketchup\u00a0", /can't be seen, U\+00A0/],
    ["Ket\u200bchup", /can't be seen, U\+200B/],
    ["\ufeffKetchup", /can't be seen, U\+FEFF/],
    ["Ketchup\u{e0067}\n", /can't be seen, U\+E0067, U\+000A/],
  ] as const)
    assert.match(checkWord(word, gpt2, suggest).reason, reason);
});

test("a word list's byte-order mark and line ends don't matter; what is missing or doesn't fit is named", () => {
  const dir = mkdtempSync(join(tmpdir(), "words-"));
  const file = join(dir, "words.tsv");
  const load = (text: string) => {
    writeFileSync(file, text);
    return loadWords(file);
  };
  const header = "word\tfirst\trest\tsplit\ttag_count";
  const line = "Ketchup\t K\tetchup\ttrain\t3";
  const entry = { word: "Ketchup", first: " K", rest: "etchup", split: "train", tag_count: 3 };
  try {
    for (const end of ["\n", "\r\n", "\r"])
      assert.deepEqual(load(`\ufeff${header}${end}${line}${end}${line}${end}`), [entry, entry], JSON.stringify(end));
    const faults: [string, RegExp][] = [
      [line.replace("\t3", ""), /words\.tsv:2: .* has 4 cells between tabs, not 5/],
      [line.replace("3", "many"), /:2: tag_count is "many", not a whole number/],
      [line.replace("3", ""), /:2: tag_count is ""/],
      [line.replace("train", "train\u00a0"), /:2: split is "train\\u\{a0\}", not "train" or "held_out"/],
      [line.replace("Ketchup", "Ketchup\u200b"), /:2: word "Ketchup\\u\{200b\}" is not a capital and small letters/],
      [line.replace("etchup\t", "etchups\t"), /:2: first " K" and rest "etchup" don't spell " Ketchups"/],
      [`${line}\n\n${line}`, /:3: "" has 1 cells/],
    ];
    for (const [text, message] of faults) assert.throws(() => load(`${header}\n${text}\n`), message);
    assert.throws(() => load(header.replace("split", "split\u00a0")), /no column "split", only .*"split\\u\{a0\}"/);
    assert.throws(() => load(`${header}\n`), /a header, but no words/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
