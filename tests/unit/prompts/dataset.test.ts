import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pruneVocabulary } from "../../../scripts/checkpoint/vocabulary";
import { gpt2Tokenizer, vocabTokenizer } from "../../../src/load/tokenizer";
import { dealOut, letterCounts, select } from "../../../src/prompts/acronyms";
import { buildAcronyms, checkAcronym, loadAcronyms } from "../../../src/prompts/dataset";
import {
  LETTERS,
  type Letter,
  POSITIONS,
  type Position,
  position,
  readoutPosition,
} from "../../../src/prompts/positions";

// the library itself, past our own code; its declarations for this entry don't parse
const { encode } = require("gpt-tokenizer/cjs/encoding/r50k_base") as { encode(text: string): number[] };
const gpt2 = gpt2Tokenizer();
const TRAIN = join(__dirname, "../../..", "data", "acronyms", "train.txt");
const dir = mkdtempSync(join(tmpdir(), "dataset-"));
after(() => rmSync(dir, { recursive: true }));
const fileWith = (text: string) => {
  const path = join(dir, "prompts.txt");
  writeFileSync(path, text);
  return path;
};

test("positions by label", () => {
  assert.deepEqual(
    POSITIONS.map((label) => position(label)),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.equal(position("C2"), 4);
  assert.deepEqual(
    LETTERS.map((letter) => readoutPosition(letter)),
    [8, 9, 10],
  );
  assert.throws(() => position("C4" as Position), /"C4" is not a position; there are BOS, The/);
  assert.throws(() => readoutPosition(0 as Letter), /letter 0 is not one of 1, 2, 3/);
});

test("a built prompt has the tokens that the positions say", () => {
  const data = buildAcronyms([["Ketchup", "Lark", "Wreck"]], gpt2);
  assert.deepEqual(data.prompts, ["The Ketchup Lark Wreck (KL"]);
  assert.deepEqual(data.acronyms, ["KLW"]);
  assert.deepEqual(gpt2.pieces(data.tokens[0]), [
    "<|endoftext|>",
    "The",
    " K",
    "etchup",
    " L",
    "ark",
    " W",
    "reck",
    " (",
    "K",
    "L",
  ]);
  assert.deepEqual(gpt2.pieces(data.answers[0]), ["K", "L", "W"]);
  assert.deepEqual(data.answerLetters, [[10, 11, 22]]);
});

test("a built prompt in a pruned vocabulary tells the same text", () => {
  const pruned = vocabTokenizer(pruneVocabulary(gpt2.encode("The Ketchup Lark Wreck (KL")));
  const data = buildAcronyms([["Ketchup", "Lark", "Wreck"]], pruned);
  assert.equal(pruned.decode(data.tokens[0]), "<|endoftext|>The Ketchup Lark Wreck (KL");
  assert.throws(
    () => buildAcronyms([["Ketchup", "Lark", "Zebra"]], pruned, { suggest: ["Zebra", "Wreck"] }),
    /"Zebra" needs the token "ebra"/,
  );
});

test("a refused word comes with its reason and near words", () => {
  assert.throws(
    () => buildAcronyms([["Ketchup", "Chief", "Wreck"]], gpt2),
    /"Chief" is 1 token \(" Chief"\), not 2; near words that work: C/,
  );
});

test("two letters that GPT-2 writes as one token are refused, with those that work", () => {
  assert.throws(
    () => buildAcronyms([["Umber", "Sable", "Ache"]], gpt2),
    (error: Error) => {
      assert.match(error.message, /GPT-2 writes "US" as one token/);
      const seconds = /can begin with (.*)$/.exec(error.message)?.[1].split(", ") ?? [];
      assert.ok(seconds.length > 0);
      for (const second of seconds) assert.equal(encode(`U${second}`).length, 2);
      return true;
    },
  );
});

test("10,000 prompts load in time, with gpt-tokenizer's own tokens", () => {
  const start = performance.now();
  const data = loadAcronyms(TRAIN, gpt2, { n: 10_000 });
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds < 1.5, `${seconds} s`);
  assert.equal(data.tokens.length, 10_000);
  for (const [i, prompt] of data.prompts.entries()) assert.deepEqual(data.tokens[i], [50256, ...encode(prompt)]);
  for (const [i, acronym] of data.acronyms.entries()) assert.equal(gpt2.decode(data.answers[i]), acronym);
});

test("the first n without a seed; with one a sample that the seed decides", () => {
  const all = loadAcronyms(TRAIN, gpt2);
  assert.deepEqual(loadAcronyms(TRAIN, gpt2, { n: 50 }).prompts, all.prompts.slice(0, 50));
  const sample = loadAcronyms(TRAIN, gpt2, { n: 50, seed: 1 });
  assert.deepEqual(loadAcronyms(TRAIN, gpt2, { n: 50, seed: 1 }), sample);
  assert.notDeepEqual(loadAcronyms(TRAIN, gpt2, { n: 50, seed: 2 }).prompts, sample.prompts);
  assert.equal(new Set(sample.prompts).size, 50);
  for (const [i, row] of sample.tokens.entries()) assert.equal(gpt2.decode(row.slice(1)), sample.prompts[i]);
  const known = new Set(all.prompts);
  assert.ok(sample.prompts.every((prompt) => known.has(prompt)));
});

test("faults of a file are named", () => {
  const good = "The Ketchup Lark Wreck (KL, KLW\n";
  assert.throws(() => loadAcronyms(fileWith(good), gpt2, { n: 2 }), /n = 2, but .*prompts\.txt has 1 prompts/);
  for (const n of [0, 1.5, -1]) assert.throws(() => loadAcronyms(fileWith(good), gpt2, { n }), RangeError);
  assert.throws(
    () => loadAcronyms(fileWith(`${good}The Kestrel Lark Wreck (KL, KLW\n`), gpt2),
    /prompts\.txt:2: .*11 tokens .* but 12:/,
  );
  // eleven tokens, but a word of one and one of three: the positions would be wrong
  const shifted = "The Kestrel Line Wreck (KL, KLW";
  assert.equal(encode(shifted.split(",")[0]).length, 10);
  assert.throws(
    () => loadAcronyms(fileWith(`${good}${shifted}`), gpt2),
    /prompts\.txt:2: .*each word must be two tokens/,
  );
  assert.throws(
    () => loadAcronyms(fileWith("The Umber Sable Ache (US, USA"), gpt2),
    /prompts\.txt:1: .*GPT-2 writes "US" as one token/,
  );
  assert.throws(() => loadAcronyms(fileWith(`${good}oops`), gpt2), /prompts\.txt:2: "oops" has 0 commas/);
});

test("select takes rows of every field, in the order asked for", () => {
  const data = loadAcronyms(TRAIN, gpt2, { n: 7 });
  const part = select(data, [5, 2]);
  for (const field of ["prompts", "acronyms", "words", "tokens", "answers", "answerLetters"] as const)
    assert.deepEqual(part[field], [data[field][5], data[field][2]], field);
  assert.throws(() => select(data, [7]), /prompt 7 is not one of 0 … 6/);
});

test("prompts are dealt out in turn, to no more parts than there are prompts", () => {
  const data = loadAcronyms(TRAIN, gpt2, { n: 7 });
  const parts = dealOut(data, 3);
  assert.deepEqual(
    parts.map(({ prompts }) => prompts),
    [
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ].map((rows) => rows.map((row) => data.prompts[row])),
  );
  assert.deepEqual(
    dealOut(select(data, [4, 2]), 3).map(({ prompts }) => prompts),
    [[data.prompts[4]], [data.prompts[2]]],
  );
  assert.throws(() => dealOut(data, 0), /parts must be a whole number from 1 on, not 0/);
});

test("letter counts add up to the prompts at each place", () => {
  const data = loadAcronyms(TRAIN, gpt2, { n: 100 });
  const counts = letterCounts(data);
  assert.equal(counts.length, 78);
  for (const letter of LETTERS)
    assert.equal(
      counts.filter((row) => row.letter === letter).reduce((sum, { prompts }) => sum + prompts, 0),
      100,
    );
  const k = counts.find((row) => row.letter === 1 && row.capital === "K");
  assert.equal(k?.prompts, data.words.filter(([first]) => first.startsWith("K")).length);
});

test("three words are checked without an error: a word or a pair of capitals that doesn't fit is the reason", () => {
  const good = checkAcronym(["Ketchup", "Lark", "Wreck"], gpt2);
  assert.deepEqual(good, { prompt: "The Ketchup Lark Wreck (KL", ok: true, reason: "" });
  const chief = checkAcronym(["Chief", "Executive", "Officer"], gpt2);
  assert.deepEqual([chief.prompt, chief.ok], ["The Chief Executive Officer (CE", false]);
  assert.match(chief.reason, /^"Chief" is 1 token/);
  const twice = checkAcronym(["Ketchup", "Ketchup", "Lark"], gpt2);
  assert.match(twice.reason, /^GPT-2 writes "KK" as one token/);
});
