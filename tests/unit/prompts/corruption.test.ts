import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gpt2Tokenizer } from "../../../src/load/tokenizer";
import {
  CORRUPTIONS,
  type Corruption,
  corrupt,
  drawPermutations,
  permuteTokens,
  resample,
} from "../../../src/prompts/corruption";
import { loadAcronyms } from "../../../src/prompts/dataset";
import { LETTERS, type Letter } from "../../../src/prompts/positions";

const inputs = JSON.parse(readFileSync(join(__dirname, "../..", "fixtures", "tiny-a", "inputs.json"), "utf8"));
const data = loadAcronyms(join(__dirname, "../../..", "data", "acronyms", "train.txt"), gpt2Tokenizer(), { n: 40 });

test("the official scripts' permutations give their corrupted tokens", () => {
  const permuted = permuteTokens(inputs.clean_tokens, { words: inputs.perm_words, letters: inputs.perm_acronym });
  assert.deepEqual(permuted, inputs.corrupted_tokens);
});

test("each corruption of each letter is the official scripts'", () => {
  for (const what of CORRUPTIONS)
    for (const letter of LETTERS)
      assert.deepEqual(
        corrupt(inputs.clean_tokens, inputs.corrupted_tokens, what, letter),
        inputs.corrupted_by_kind[what][letter - 1],
        `${what} ${letter}`,
      );
});

test("the two permutations are independent, and decided by the seed", () => {
  const { words, letters } = drawPermutations(40, 1);
  const rows = Array.from({ length: 40 }, (_, i) => i);
  const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);
  assert.deepEqual(sorted(words), rows);
  assert.deepEqual(sorted(letters), rows);
  for (const [one, other] of [
    [words, letters],
    [words, rows],
    [letters, rows],
  ])
    assert.notDeepEqual(one, other);
  assert.deepEqual(resample(data, 1), resample(data, 1));
  assert.notDeepEqual(resample(data, 1), resample(data, 2));
});

test("neighbouring seeds' permutations have as much in common as by chance", () => {
  const pairs = 2000;
  const common = (a: readonly number[], b: readonly number[]) => a.filter((row, i) => row === b[i]).length;
  for (const n of [5, 10, 25, 100]) {
    const drawn = Array.from({ length: pairs + 1 }, (_, seed) => drawPermutations(n, seed));
    const counts = drawn
      .slice(1)
      .map((own, i) => common(own.words, drawn[i].words) + common(own.letters, drawn[i].letters));
    const mean = counts.reduce((a, b) => a + b) / pairs; // 1 of each by chance, with variance 1
    assert.ok(Math.abs(mean - 2) < 4 * Math.sqrt(2 / pairs), `${n} rows: ${mean} coincidences`);
  }
});

test("resampling moves tokens between rows, never between positions", () => {
  const column = (rows: readonly (readonly number[])[], position: number) =>
    rows.map((row) => row[position]).sort((a, b) => a - b);
  const resampled = resample(data, 3);
  for (let position = 0; position < 11; position++)
    assert.deepEqual(column(resampled, position), column(data.tokens, position));
});

test("previous words and letters of letter 1 change nothing", () => {
  for (const what of ["previous_words", "previous_letters"] as const)
    assert.deepEqual(corrupt(data.tokens, resample(data, 4), what, 1), data.tokens);
});

test("corrupting doesn't change the data set", () => {
  const before = structuredClone(data.tokens);
  corrupt(data.tokens, resample(data, 5), "current_word", 2);
  assert.deepEqual(data.tokens, before);
});

test("wrong arguments are refused", () => {
  const { tokens } = data;
  assert.throws(() => corrupt(tokens, tokens.slice(1), "current_word", 1), /40 clean prompts, but 39 corrupted/);
  assert.throws(
    () => corrupt([[1]], [[1]], "current_word", 1),
    /prompt 0 has 1 tokens, not the 11 of acronyms of three letters/,
  );
  assert.throws(
    () => corrupt(tokens, tokens, "words" as Corruption, 1),
    /corruption "words" is not one of "current_word", "previous_words"/,
  );
  assert.throws(() => corrupt(tokens, tokens, "current_word", 4 as Letter), RangeError);
});
