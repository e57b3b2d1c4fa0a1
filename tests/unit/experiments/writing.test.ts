import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { behaviour } from "../../../src/experiments/behaviour";
import { type ForcedRow, forcedLetters, meanWays, waysOf } from "../../../src/experiments/forced-letters";
import {
  acronymsWritten,
  putTokens,
  type WrittenRow,
  writeLetters,
  writingSummary,
} from "../../../src/experiments/writing";
import { loadModel } from "../../../src/load/load";
import type { Tokenizer } from "../../../src/load/tokenizer";
import { untrained } from "../../../src/load/untrained";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { disposeRun, type Model } from "../../../src/model/model";
import { where } from "../../../src/numbers/rows";
import { acronymTask } from "../../../src/prompts/acronym-task";
import { buildAcronyms, HELD_OUT, loadAcronyms } from "../../../src/prompts/dataset";
import { near, nearly } from "../../fixtures/close";
import { randomPrompts, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(7, 2);
let model: Model;
let embedded: { model: Model; tokenizer: Tokenizer };

before(async () => {
  await initBackend();
  model = tinyModel();
  embedded = await loadModel("embedded");
});

/** Prompts in which what was written stands where the right letters stood. */
const withWritten = (rows: readonly WrittenRow[]) =>
  data.tokens.map((row, p) => {
    const [first, second] = where(rows, { prompt: p }).map(({ says }) => says.charCodeAt(0) - 65);
    return [...row.slice(0, 9), first, second];
  });

describe("several letters in a row", () => {
  test("a token put at a position is the prompt with that token, and none is put that isn't there", () => {
    const ids = data.tokens.map((_, p) => 5 * p);
    const one = forward(model, data.tokens, { interventions: putTokens(model, 9, ids) });
    const other = forward(
      model,
      data.tokens.map((row, p) => row.map((id, pos) => (pos === 9 ? ids[p] : id))),
    );
    near(one.logits, other.logits);
    disposeRun(one, other);
    assert.throws(() => putTokens(model, 9, [TINY.d_vocab]), /token 60 is not one of 0 … 59/);
  });

  test("what is written at temperature 0 is what the model says of prompts that hold it: a fixed point", async () => {
    const tensors = tf.memory().numTensors;
    const rows = await writeLetters(model, data, { seed: 0, batch: 3 });
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(rows.length, 21);
    const readout = { positions: [8, 9, 10], vocab: data.letters };
    const { logits } = forward(model, withWritten(rows), { readout });
    const likeliest = logits.argMax(-1).arraySync() as number[][];
    logits.dispose();
    assert.deepEqual(
      rows.map(({ says }) => says),
      likeliest.flat().map((index) => String.fromCharCode(65 + index)),
    );
    for (const [p, { right, writes }] of acronymsWritten(rows).entries()) {
      assert.equal(right, data.acronyms[p]);
      const own = where(rows, { prompt: p });
      assert.equal(writes, own.map(({ says }) => says).join(""));
      assert.deepEqual(
        own.map(({ before }) => before),
        [0, 1, 2].map((i) => (writes.startsWith(right.slice(0, i)) ? "right" : "wrong")),
      );
      assert.deepEqual(
        own.map(({ correct }) => correct),
        [0, 1, 2].map((i) => writes[i] === right[i]),
      );
    }
  });

  test("letters are drawn from a seed, whatever the batch, by their probability", async () => {
    const write = (seed: number, batch: number) => writeLetters(model, data, { temperatures: [4], seed, batch });
    const says = (rows: readonly WrittenRow[]) => rows.map((row) => row.says).join("");
    const one = says(await write(1, 7));
    assert.equal(says(await write(1, 2)), one);
    assert.notEqual(says(await write(2, 7)), one);
    // one prompt a thousand times: how often each first letter is drawn is its probability
    const many = {
      ...data,
      ...{ tokens: Array(1000).fill(data.tokens[0]), answerLetters: Array(1000).fill(data.answerLetters[0]) },
    };
    const { logits } = forward(model, [data.tokens[0]], { readout: { positions: [8], vocab: data.letters } });
    const [probabilities] = tf.softmax(logits.reshape([1, 26])).arraySync() as number[][];
    logits.dispose();
    const drawn = where(await writeLetters(model, many, { temperatures: [1], seed: 0, batch: 500 }), { letter: 1 });
    for (const [i, p] of probabilities.entries()) {
      const times = where(drawn, { says: String.fromCharCode(65 + i) }).length;
      // four standard errors
      assert.ok(Math.abs(times / 1000 - p) <= 4 * Math.sqrt((p * (1 - p)) / 1000) + 1e-3, `${i}: ${times}, ${p}`);
    }
  });

  test("a summary counts letters after right and after wrong ones apart", () => {
    const row = (letter: number, correct: boolean, before: WrittenRow["before"]): WrittenRow => ({
      ...{ prompt: 0, temperature: 0, right: "A", says: correct ? "A" : "B" },
      ...{ letter, correct, before },
    });
    const rows = [row(2, true, "right"), row(2, false, "right"), row(2, false, "wrong")];
    const [right, wrong] = writingSummary(rows);
    assert.deepEqual([right.before, right.accuracy, right.n], ["right", 0.5, 2]);
    nearly(right.std, Math.SQRT1_2);
    assert.deepEqual([wrong.before, wrong.accuracy, wrong.n], ["wrong", 0, 1]);
  });

  test("after right letters it is what behaviour says", async () => {
    const prompts = loadAcronyms(HELD_OUT, embedded.tokenizer, { n: 60, seed: 3 });
    const says = await behaviour(embedded.model, prompts, embedded.tokenizer);
    const rows = await writeLetters(embedded.model, prompts, { seed: 0 });
    const after = rows.flatMap((row, i) => (row.before === "right" ? [[row.says, says[i].says]] : []));
    assert.ok(after.length > 150);
    for (const [own, expected] of after) assert.equal(own, expected);
  });

  test("acronyms of other lengths are written, too; a letter that is not read before its place is refused", async () => {
    const { tokenizer } = embedded;
    const words = [["Kite", "Pint", "Wren", "Lark"]] as const;
    const four = buildAcronyms(words, tokenizer, { task: acronymTask({ letters: 4 }) });
    const [{ right, writes }] = acronymsWritten(await writeLetters(embedded.model, four, { seed: 0 }));
    assert.deepEqual([right, writes.length], ["KPWL", 4]);
    const skipped = acronymTask({ letters: 3, written: [2, 3] });
    const other = buildAcronyms([["Kite", "Pint", "Wren"]], tokenizer, { task: skipped });
    await assert.rejects(writeLetters(embedded.model, other, { seed: 0 }), /A1 holds letter 2, which is not read/);
    await assert.rejects(writeLetters(model, data, { seed: 0, temperatures: [-1] }), /temperature -1 is less than 0/);
    await assert.rejects(writeLetters(model, data, { seed: 0, temperatures: [Number.NaN] }), /temperature is NaN/);
  });
});

describe("forced letters", () => {
  const distinct = data.acronyms.filter((acronym) => new Set(acronym).size === 3).length;

  test("are said in prompts that hold them; prompts with a letter twice are left out and counted", async () => {
    const mixed = { ...data, answerLetters: data.answerLetters.map((row, p) => (p === 0 ? [4, 4, 7] : row)) };
    const tensors = tf.memory().numTensors;
    const rows = await forcedLetters(model, mixed, { seed: 0, batch: 2 });
    assert.equal(tf.memory().numTensors, tensors);
    const left = distinct - (new Set(data.acronyms[0]).size === 3 ? 1 : 0);
    assert.deepEqual([rows[0].n, rows[0].left_out], [left, 7 - left]);
    assert.deepEqual(
      [...new Set(rows.map(({ forced, letter }) => `${forced}, ${letter}`))],
      [
        ...["C1", "C2", "C3", "another"].flatMap((word) => [`A1 = ${word}, 2`, `A1 = ${word}, 3`]),
        ...["C1", "C2", "C3", "another"].map((word) => `A2 = ${word}, 3`),
      ],
    );
    for (const own of new Set(rows.map(({ forced, letter }) => `${forced}, ${letter}`))) {
      const shares = rows.filter(({ forced, letter }) => `${forced}, ${letter}` === own).map(({ share }) => share);
      nearly(
        shares.reduce((a, b) => a + b),
        1,
      );
    }
    // the same, with the tokens themselves
    const kept = mixed.tokens.filter((_, p) => new Set(mixed.answerLetters[p]).size === 3);
    const answers = mixed.answerLetters.filter((row) => new Set(row).size === 3);
    const forced = kept.map((row, p) => row.map((id, pos) => (pos === 9 ? answers[p][2] : id)));
    const { logits } = forward(model, forced, { readout: { positions: [9], vocab: data.letters } });
    const likeliest = logits.argMax(-1).arraySync() as number[][];
    logits.dispose();
    for (const word of [1, 2, 3]) {
      const share = likeliest.filter(([index], p) => index === answers[p][word - 1]).length / kept.length;
      const [row] = where(rows, { forced: "A1 = C3", letter: 2, says: `C${word}` });
      nearly(row.share, share);
    }
  });

  test("each way predicts what it says", async () => {
    const rows = await forcedLetters(model, data, { seed: 0 });
    const predicted = (forced: string, letter: number) =>
      where(rows, { forced, letter }).map(({ says, way }) => `${says}: ${way}`);
    assert.deepEqual(predicted("A1 = C1", 2), ["C1: neither", "C2: both", "C3: neither", "none: neither"]);
    assert.deepEqual(predicted("A1 = C2", 2), [
      "C1: neither",
      "C2: counting or repeating",
      "C3: looking up",
      "none: neither",
    ]);
    assert.deepEqual(predicted("A1 = C3", 2), ["C1: neither", "C2: counting", "C3: neither", "none: neither"]);
    assert.deepEqual(predicted("A1 = another", 3)[2], "C3: both"); // A2 is right again
    assert.deepEqual(predicted("A2 = C1", 3), ["C1: neither", "C2: looking up", "C3: counting", "none: neither"]);
  });

  test("the shares of the ways are those of the words they predict", () => {
    const row = (forced: string, says: string, way: ForcedRow["way"], share: number): ForcedRow => ({
      ...{ forced, letter: forced.startsWith("A1") ? 2 : 3, says, way, share, std: 0, n: 4, left_out: 0 },
    });
    const rows = [
      row("A1 = C1", "C2", "both", 1),
      row("A1 = C2", "C2", "counting or repeating", 0.5),
      row("A1 = C2", "C3", "looking up", 0.25),
      row("A1 = C3", "C2", "counting", 0.9),
      row("A2 = C1", "C2", "looking up", 0.75),
      row("A2 = C1", "C3", "counting", 0.1),
    ];
    assert.deepEqual(
      waysOf(rows).map(({ forced, looking_up, counting }) => [forced, looking_up, counting]),
      [
        ["A1 = C2", 0.25, null],
        ["A1 = C3", null, 0.9],
        ["A2 = C1", 0.75, 0.1],
      ],
    );
    assert.deepEqual(meanWays(rows), { looking_up: 0.5, counting: 0.1 });
    assert.throws(() => meanWays([]), /no values to average/);
  });

  test("the embedded model looks up; an untrained one repeats the last letter, which is no counting", async () => {
    const prompts = loadAcronyms(HELD_OUT, embedded.tokenizer, { n: 40, seed: 5 });
    const own = meanWays(await forcedLetters(embedded.model, prompts, { seed: 0 }));
    assert.ok(own.looking_up > 0.95 && own.counting < 0.05, JSON.stringify(own));
    const fresh = untrained(embedded.model, 0);
    const none = meanWays(await forcedLetters(fresh, prompts, { seed: 0 }));
    assert.ok(none.looking_up < 0.2 && none.counting < 0.2, JSON.stringify(none));
  });

  test("longer acronyms can be forced; tasks without words, and prompts of equal letters only, can't", async () => {
    const task = acronymTask({ letters: 4 });
    const four = buildAcronyms([["Kite", "Pint", "Wren", "Lark"]], embedded.tokenizer, { task });
    const rows = await forcedLetters(embedded.model, four, { seed: 0 });
    assert.deepEqual(
      where(rows, { forced: "A1 = C3", letter: 2 }).map(({ says, way }) => `${says}: ${way}`),
      ["C1: neither", "C2: counting", "C3: neither", "C4: looking up", "none: neither"],
    );
    const { words, ...wordless } = data.task;
    await assert.rejects(
      forcedLetters(model, { ...randomPrompts(2, 0), task: wordless as never }, { seed: 0 }),
      /no words or no letter already written/,
    );
    const equal = { ...data, answerLetters: data.answerLetters.map(() => [1, 1, 1]) };
    await assert.rejects(forcedLetters(model, equal, { seed: 0 }), /no prompts whose words begin with different/);
  });
});
