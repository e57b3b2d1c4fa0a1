import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import {
  behaviour,
  type CapitalRole,
  capitalRows,
  corruptedBehaviour,
  type LetterRow,
  summarise,
} from "../../../src/experiments/behaviour";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import type { Tokenizer } from "../../../src/load/tokenizer";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { equalPositions } from "../../../src/model/interventions";
import { disposeRun, type Model } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { select } from "../../../src/prompts/acronyms";
import { CORRUPTIONS, corrupt, resample } from "../../../src/prompts/corruption";
import { LETTERS, readoutPosition } from "../../../src/prompts/positions";
import { apart, near, nearly } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(5, 1);
/** Tokens are called by their ids. */
const tokenizer = { letters: range(26), decode: (ids: readonly number[]) => ids.join(" ") } as unknown as Tokenizer;
let model: Model;
let rows: LetterRow[];
let logits: number[][][];

before(async () => {
  await initBackend();
  model = tinyModel();
  rows = await behaviour(model, data, tokenizer);
  const run = forward(model, data.tokens);
  logits = run.logits.arraySync();
  disposeRun(run);
});

test("three rows a prompt, read where each letter is predicted", () => {
  assert.equal(rows.length, 15);
  for (const [i, row] of rows.entries()) {
    const [prompt, letter] = [Math.floor(i / 3), LETTERS[i % 3]];
    assert.deepEqual([row.prompt, row.acronym, row.letter], [data.prompts[prompt], data.acronyms[prompt], letter]);
    const own = logits[prompt][readoutPosition(letter)];
    for (const [capital, logit] of row.letter_logits.entries()) near(logit, own[capital]);
    const right = data.answerLetters[prompt][letter - 1];
    const wrong = own.slice(0, 26).filter((_, capital) => capital !== right);
    near(row.logit_diff, own[right] - Math.max(...wrong));
    near(row.mean_logit_diff, own[right] - wrong.reduce((a, b) => a + b) / 25);
  }
});

test("the prediction is the likeliest of all tokens, and correct only if it is the right letter", () => {
  for (const [i, { predicted, correct, letter }] of rows.entries()) {
    const own = logits[Math.floor(i / 3)][readoutPosition(letter)];
    assert.equal(own.length, TINY.d_vocab);
    assert.equal(predicted, `${own.indexOf(Math.max(...own))}`);
    assert.equal(correct, Number(predicted) === data.answers[Math.floor(i / 3)][letter - 1]);
  }
  assert.ok(rows.some(({ predicted }) => Number(predicted) >= 26)); // not only capitals can win
});

test("a right letter that wins is correct", async () => {
  const winners = rows.map(({ letter_logits }) => letter_logits.indexOf(Math.max(...letter_logits)));
  const [answers, answerLetters] = [0, 1].map(() => range(5).map((i) => winners.slice(3 * i, 3 * i + 3)));
  const won = await behaviour(model, { ...data, answers, answerLetters }, tokenizer);
  assert.ok(won.every(({ logit_diff }) => logit_diff > 0));
  assert.deepEqual(
    won.map(({ correct }) => correct),
    rows.map(({ predicted }, i) => predicted === `${winners[i]}`),
  );
});

test("batches of any size give the same rows; progress counts batches", async () => {
  const seen: [number, number][] = [];
  const streamed = await behaviour(model, data, tokenizer, {
    batch: 2,
    progress: (done, total) => seen.push([done, total]),
  });
  for (const [i, row] of streamed.entries()) {
    near(row.logit_diff, rows[i].logit_diff);
    assert.deepEqual([row.prompt, row.predicted], [rows[i].prompt, rows[i].predicted]);
  }
  assert.deepEqual(seen, [
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
});

test("a summary has a line a letter: mean, spread with n − 1, share of correct ones", () => {
  const row = (letter: 1 | 2 | 3, logit_diff: number, correct: boolean) => ({
    ...rows[0],
    letter,
    logit_diff,
    correct,
  });
  const [one] = summarise([row(1, 1, true), row(1, 4, false), row(2, 9, true), row(3, 0, false)]);
  assert.deepEqual({ ...one, std: 0 }, { letter: 1, n: 2, accuracy: 0.5, logit_diff: 2.5, std: 0 });
  nearly(one.std, Math.sqrt(4.5));
});

test("corrupted tokens are read, judged by the clean prompt's letters", async () => {
  const tokens = tinyPrompts(5, 2).tokens;
  const corrupted = await behaviour(model, data, tokenizer, { tokens });
  const swapped = await behaviour(model, { ...data, tokens }, tokenizer);
  assert.deepEqual(corrupted, swapped); // the same forward twice
  await assert.rejects(
    behaviour(model, data, tokenizer, { tokens: tokens.slice(2) }),
    /3 rows of tokens for 5 prompts/,
  );
});

test("what is done to the runs is done before they are read", async () => {
  const alike = await behaviour(model, data, tokenizer, { interventions: equalPositions(), batch: 2 });
  const readout = letterReadout(data);
  const run = forward(model, data.tokens, { interventions: equalPositions(), readout });
  near(
    alike.map((row) => row.logit_diff),
    logitDiffs(run, data).flat(),
  );
  disposeRun(run);
  apart(
    alike.map((row) => row.logit_diff),
    rows.map((row) => row.logit_diff),
  );
});

test("each corruption of each letter: the change is against the same letter of the clean prompt", async () => {
  const changed = await corruptedBehaviour(model, data, tokenizer, { clean: rows, seed: 4 });
  assert.equal(changed.length, CORRUPTIONS.length * 3 * 5);
  for (const corruption of CORRUPTIONS)
    for (const letter of LETTERS) {
      const mine = changed.filter((row) => row.corruption === corruption && row.letter === letter);
      const tokens = corrupt(data.tokens, resample(data, 4), corruption, letter);
      const expected = (await behaviour(model, data, tokenizer, { tokens })).filter((row) => row.letter === letter);
      for (const [i, row] of mine.entries()) {
        near(row.logit_diff, expected[i].logit_diff);
        assert.equal(row.change, row.logit_diff - rows[3 * i + letter - 1].logit_diff);
        if (letter === 1 && corruption !== "current_word") near(row.change, 0);
      }
    }
  apart(
    changed.map(({ change }) => change),
    changed.map(() => 0),
  );
  await assert.rejects(
    corruptedBehaviour(model, data, tokenizer, { clean: rows.slice(1), seed: 4 }),
    /14 clean rows for 5 prompts; give three for each/,
  );
});

test("capitals are told apart by their part in the prompt, relative to the mean of all 26", () => {
  const role = (acronym: string, letter: 1 | 2 | 3, capital: string): CapitalRole =>
    capitalRows([{ ...rows[0], acronym, letter }]).find((row) => row.capital === capital)!.role;
  assert.deepEqual(
    ["A", "B", "C", "D"].map((capital) => role("ABC", 2, capital)),
    ["letter already written", "right letter", "letter still to come", "not in the acronym"],
  );
  assert.equal(role("ABA", 3, "A"), "right letter"); // written before, but right again
  assert.equal(role("ABA", 2, "A"), "letter already written"); // and to come
  const capitals = capitalRows(rows);
  assert.equal(capitals.length, 15 * 26);
  near(
    capitals.slice(26, 52).reduce((sum, { relative_logit }) => sum + relative_logit, 0),
    0,
  );
  near(capitals[3].relative_logit - capitals[7].relative_logit, rows[0].letter_logits[3] - rows[0].letter_logits[7]);
});

test("a part of the data set gives a part of the rows", async () => {
  const some = await behaviour(model, select(data, [3, 1]), tokenizer);
  for (const [i, row] of [...rows.slice(9, 12), ...rows.slice(3, 6)].entries())
    near(some[i].logit_diff, row.logit_diff);
});

test("behaviour leaves nothing behind", async () => {
  const tensors = tf.memory().numTensors;
  await corruptedBehaviour(model, data, tokenizer, { clean: rows, seed: 1, batch: 2 });
  assert.equal(tf.memory().numTensors, tensors);
});

test("a logit that is not finite is named, among the capitals or not", async () => {
  for (const [token, name] of [
    [40, "token 40"],
    [3, "token 3"],
  ] as const) {
    const column = tf.oneHot(tf.tensor1d([token], "int32"), TINY.d_vocab).toFloat();
    const b_U = model.b_U.add(column.squeeze([0]).mul(1e38).mul(10)) as tf.Tensor1D; // 0 · 10 elsewhere
    const spoilt = { ...model, b_U };
    const message = new RegExp(`RangeError: prompt 0, letter 1: the logit of ${name} is Infinity`);
    const tensors = tf.memory().numTensors;
    await assert.rejects(behaviour(spoilt, data, tokenizer), message);
    assert.equal(tf.memory().numTensors, tensors);
  }
});

test("the prompt that spoils a later batch is named by its place in the whole data", async () => {
  // a token of its own, whose embedding is not finite
  const tokens = data.tokens.map((row, i) =>
    i === 3 ? row.map((id, p) => (p === 3 ? 56 : id)) : row.map((id) => (id === 56 ? 52 : id)),
  );
  const rows = range(TINY.d_vocab).map((id) => [id === 56 ? Number.NaN : 0]);
  const spoilt = { ...model, W_E: model.W_E.add(tf.tensor2d(rows)) as tf.Tensor2D };
  await assert.rejects(
    behaviour(spoilt, data, tokenizer, { tokens, batch: 2 }),
    /prompt 3, letter 1: the logit of token 0 is NaN/,
  );
});
