import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { behaviour, type CorruptedRow, capitalRows, corruptedBehaviour, type LetterRow, summarise } from "./behaviour";
import { corruptedTokens } from "./corruption";
import { type AcronymDataset, LETTERS, loadAcronyms, readoutPosition } from "./dataset";
import { forward } from "./forward";
import { dataFolder } from "./hub";
import { disposeModel, type Model } from "./model";
import { loadTokenizer, type Tokenizer } from "./tokenizer";
import { randomModel } from "./weights";

let model: Model;
let data: AcronymDataset;
let tokenizer: Tokenizer;
let rows: LetterRow[];

before(async () => {
  tokenizer = loadTokenizer(path.join(dataFolder, "embedded"));
  data = loadAcronyms(path.join(dataFolder, "acronyms", "held-out.txt"), tokenizer, { n: 7, seed: 1 });
  const sizes = { n_layers: 2, n_heads: 2, d_model: 8, d_head: 4, d_mlp: 16, n_ctx: 11 };
  model = randomModel({ name: "random", ...sizes, d_vocab: tokenizer.vocabSize, eps: 1e-5 }, 3);
  rows = await behaviour(model, data, tokenizer);
});
after(() => disposeModel(model));

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-4, `${a} is not ${b}`);

test("three rows a prompt, each with what a plain forward says at the letter's place", () => {
  const { logits } = forward(model, data.tokens);
  const all = logits.arraySync();
  logits.dispose();
  assert.equal(rows.length, 3 * data.prompts.length);
  rows.forEach((row, i) => {
    const prompt = Math.floor(i / 3);
    const here = all[prompt][readoutPosition(row.letter)];
    const right = data.answers[prompt][row.letter - 1];
    const wrong = tokenizer.letters.filter((id) => id !== right).map((id) => here[id]);
    near(row.logit_diff, here[right] - Math.max(...wrong));
    near(row.mean_logit_diff, here[right] - wrong.reduce((a, b) => a + b) / 25);
    assert.equal(row.predicted, tokenizer.decode([here.indexOf(Math.max(...here))]));
    assert.equal(row.correct, Math.max(...here) === here[right]);
    assert.deepEqual([row.prompt, row.acronym, row.letter], [data.prompts[prompt], data.acronyms[prompt], (i % 3) + 1]);
  });
});

test("the size of a batch changes nothing, and no tensor is left", async () => {
  const before = tf.memory().numTensors;
  const small = await behaviour(model, data, tokenizer, { batch: 2 });
  small.forEach((row, i) => {
    near(row.logit_diff, rows[i].logit_diff);
  });
  assert.equal(tf.memory().numTensors, before);
});

test("a summary is accuracy, mean and spread of each letter", () => {
  const given = [1, 3].flatMap((logit_diff) => LETTERS.map((letter) => ({ ...rows[0], letter, logit_diff })));
  const [first] = summarise(given.map((row, i) => ({ ...row, correct: i === 0 })));
  assert.deepEqual(first, { letter: 1, n: 2, accuracy: 0.5, logit_diff: 2, std: Math.SQRT2 });
});

test("a corruption is behaviour on the corrupted tokens, read at the letter it is about", async () => {
  const before = tf.memory().numTensors;
  const seen: string[] = [];
  const progress = (done: number, total: number) => seen.push(`${done}/${total}`);
  const corrupted = await corruptedBehaviour(model, data, tokenizer, { clean: rows, seed: 5, progress });
  assert.equal(tf.memory().numTensors, before);
  assert.deepEqual([seen.length, seen[8]], [9, "9/9"]);
  const tokens = corruptedTokens(data, "previous_letters", 3, 5);
  const plain = (await behaviour(model, data, tokenizer, { tokens })).filter(({ letter }) => letter === 3);
  const mine = (row: CorruptedRow) => row.corruption === "previous_letters" && row.letter === 3;
  const found = corrupted.filter(mine);
  assert.deepEqual(
    found.map(({ logit_diff }) => logit_diff),
    plain.map(({ logit_diff }) => logit_diff),
  );
  found.forEach((row, i) => {
    assert.equal(row.change, row.logit_diff - rows[3 * i + 2].logit_diff);
  });
  assert.ok(found.some(({ change }) => Math.abs(change) > 1e-3));
  assert.equal(corrupted.length, 9 * data.prompts.length);
});

test("nothing before letter 1 can be corrupted: its rows change by exactly 0", async () => {
  const corrupted = await corruptedBehaviour(model, data, tokenizer, { clean: rows, seed: 5 });
  const first = corrupted.filter(({ letter, corruption }) => letter === 1 && corruption !== "current_word");
  assert.deepEqual([first.length, first.filter(({ change }) => change !== 0).length], [2 * data.prompts.length, 0]);
});

test("rows that don't fit the prompts are refused", async () => {
  await assert.rejects(behaviour(model, data, tokenizer, { tokens: data.tokens.slice(1) }), /6 rows of tokens for 7/);
  const clean = rows.slice(1);
  await assert.rejects(corruptedBehaviour(model, data, tokenizer, { clean, seed: 0 }), /20 clean rows for 7/);
});

test("every capital has its part in the prompt, its logit taken from the mean of the 26", () => {
  const letter_logits = Array.from({ length: 26 }, (_, i) => i);
  const row = { ...rows[0], acronym: "KLW", letter: 2 as const, letter_logits };
  const capitals = capitalRows([row]);
  const role = (capital: string) => capitals.find((one) => one.capital === capital)?.role;
  assert.deepEqual(["K", "L", "W", "A"].map(role), [
    "letter already written",
    "right letter",
    "letter still to come",
    "not in the acronym",
  ]);
  assert.deepEqual([capitals.length, capitals[0].relative_logit, capitals[25].relative_logit], [26, -12.5, 12.5]);
  assert.equal(capitals[0].right, "L");
  const twice = capitalRows([{ ...row, acronym: "LWL", letter: 3 }]);
  assert.equal(twice.find(({ capital }) => capital === "L")?.role, "right letter");
});
