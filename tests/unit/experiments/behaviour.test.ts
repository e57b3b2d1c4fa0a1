import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import {
  beforeAndAfter,
  behaviour,
  corruptedBehaviour,
  hiddenByMean,
  type LetterRow,
  summarise,
} from "../../../src/experiments/behaviour";
import { bestWrongCapitals, type CapitalRole, capitalRows } from "../../../src/experiments/capitals";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import type { Tokenizer } from "../../../src/load/tokenizer";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { edit, patch } from "../../../src/model/hooks";
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
    near(row.logit, own[right]);
    assert.equal(row.right, row.acronym[letter - 1]);
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

test("what is said is the likeliest capital, with its probability among the 26", () => {
  for (const { says, right, probability, logit_diff, letter_logits } of rows) {
    const said = letter_logits[says.charCodeAt(0) - 65];
    assert.equal(said, Math.max(...letter_logits));
    assert.equal(says === right, logit_diff > 0);
    near(probability, Math.exp(said) / letter_logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  }
  assert.ok(new Set(rows.map(({ says }) => says)).size > 1);
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

test("with all that it reads taken from other prompts, a model says what it says there, and frees its tensors", async () => {
  const others = tinyPrompts(5, 2);
  const tensors = tf.memory().numTensors;
  const source = forward(model, others.tokens, { keep: ["hook_embed"], readout: "none" });
  const interventions = patch("hook_embed", source.cache.hook_embed);
  const patched = await behaviour(model, data, tokenizer, { interventions });
  const expected = await behaviour(model, data, tokenizer, { tokens: others.tokens });
  const logits = (some: LetterRow[]) => some.flatMap(({ letter_logits }) => letter_logits);
  near(logits(patched), logits(expected));
  apart(logits(patched), logits(rows));
  assert.deepEqual(
    patched.map(({ right }) => right),
    rows.map(({ right }) => right), // still the prompt's own
  );
  // five rows put into batches of two
  await assert.rejects(behaviour(model, data, tokenizer, { interventions, batch: 2 }), /hook_embed.*5/s);
  disposeRun(source);
  assert.equal(tf.memory().numTensors, tensors);
});

test("one row put in serves all batches", async () => {
  const source = forward(model, data.tokens.slice(0, 1), { keep: ["hook_embed"], readout: "none" });
  const interventions = patch("hook_embed", source.cache.hook_embed);
  const patched = await behaviour(model, data, tokenizer, { interventions, batch: 2 });
  for (const [i, { letter_logits }] of patched.entries()) near(letter_logits, rows[i % 3].letter_logits);
  disposeRun(source);
});

test("what is not a number is no answer: the prompt is named, and tensors are freed", async () => {
  const nothing = (scores: tf.Tensor4D) => tf.fill(scores.shape, Number.NEGATIVE_INFINITY) as tf.Tensor4D;
  const interventions = edit("blocks.0.attn.hook_attn_scores", nothing, { head: 0 });
  const tensors = tf.memory().numTensors;
  await assert.rejects(
    behaviour(model, data, tokenizer, { interventions }),
    /RangeError: prompt 0, letter 1: the logit of token 0 is NaN.*scores are all −∞/,
  );
  assert.equal(tf.memory().numTensors, tensors);
});

test("weights that overflow are refused: too large for layer norm, or for sums", async () => {
  for (const [size, message] of [
    [3e38, /not a finite number.*too large for float32/],
    [1e25, /too large for float32, so its logits say nothing/],
  ] as const) {
    const W_E = tf.tidy(() => tf.sign(model.W_E).mul<tf.Tensor2D>(size));
    const tensors = tf.memory().numTensors;
    await assert.rejects(behaviour({ ...model, W_E }, data, tokenizer), message);
    assert.equal(tf.memory().numTensors, tensors);
    W_E.dispose();
  }
  const W_U = model.W_U.mul<tf.Tensor2D>(1e38);
  await assert.rejects(behaviour({ ...model, W_U }, data, tokenizer), /letter 1: the logit of token \d+ is -?Infinity/);
  W_U.dispose();
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
    /14 clean rows for 5 prompts; give 3 for each/,
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

test("before and after stand side by side", () => {
  const [before, after] = [rows.slice(0, 1), rows.slice(1, 2)];
  const { letter, right, says, logit_diff } = before[0];
  assert.deepEqual(beforeAndAfter(before, after, "patched"), [
    { letter, right, says, "says, patched": after[0].says, logit_diff, "logit_diff, patched": after[0].logit_diff },
  ]);
  assert.throws(() => beforeAndAfter(rows, after, "patched"), /15 rows before, 1 after/);
});

test("the best wrong capital is the one that the logit difference is taken to", () => {
  const best = bestWrongCapitals(rows);
  assert.equal(best.length, rows.length);
  for (const [i, { capital, role, prompt, letter }] of best.entries()) {
    const row = rows[i];
    assert.deepEqual([prompt, letter], [row.prompt, row.letter]);
    near(row.logit - row.letter_logits[capital.charCodeAt(0) - 65], row.logit_diff);
    assert.notEqual(role, "right letter");
  }
});

test("the mean hides an error where the right letter is above the mean and below another", () => {
  const row = (mean_logit_diff: number, logit_diff: number) => ({ mean_logit_diff, logit_diff });
  const hidden = row(1, -1);
  assert.deepEqual(hiddenByMean([row(2, 1), hidden, row(-1, -2)]), [hidden]);
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
