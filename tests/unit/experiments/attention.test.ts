import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import {
  attentionAgainstLogits,
  attentionRows,
  attentionTable,
  headPattern,
  ovInPrompts,
  writtenBy,
} from "../../../src/experiments/attention";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import { edit } from "../../../src/model/hooks";
import { disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { mean } from "../../../src/numbers/statistics";
import { POSITIONS, position, readoutPosition, wordPosition } from "../../../src/prompts/positions";
import type { Prompts } from "../../../src/prompts/task";
import { near } from "../../fixtures/close";
import { processedModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_layers: 2, n_ctx: 12 };
const data = randomPrompts(5, 1);
const heads = allHeads(config);
const head = { layer: 1, head: 1 };
let model: Model;

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
});

test("what a query gives to all keys adds up to 1, and no key comes after its query", async () => {
  const rows = await attentionRows(model, data, heads);
  assert.equal(rows.length, heads.length * ((11 * 12) / 2));
  for (const { layer, head: h } of heads)
    for (const query of POSITIONS) {
      const own = rows.filter((row) => row.layer === layer && row.head === h && row.query === query);
      near(
        own.reduce((sum, { attention }) => sum + attention, 0),
        1,
      );
      assert.ok(own.every(({ key }) => position(key) <= position(query)));
    }
});

test("mean and spread are those of the patterns, in batches or not", async () => {
  const run = forward(model, data.tokens, { keep: ["blocks.1.attn.hook_pattern"], readout: "none" });
  const patterns = headPattern(run, head);
  disposeRun(run);
  const values = patterns.map((pattern) => pattern[position("A2")][position("C3")]);
  for (const batch of [100, 2]) {
    const rows = await attentionRows(model, data, [head], { batch });
    const row = rows.find(({ query, key }) => query === "A2" && key === "C3")!;
    near(row.attention, mean(values));
    near(row.std, Math.sqrt(values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / 4));
  }
});

test("an intervention is looked at, and one that changes nothing changes nothing", async () => {
  const plain = await attentionRows(model, data, [head]);
  const same = await attentionRows(model, data, [head], { intervene: () => [] });
  near(same, plain);
  const halved = await attentionRows(model, data, [head], {
    intervene: () => edit("blocks.1.attn.hook_pattern", (x) => x.mul(0.5) as tf.Tensor4D, { query_pos: [3] }),
  });
  for (const [i, { query, attention }] of halved.entries())
    near(attention, plain[i].attention * (query === POSITIONS[3] ? 0.5 : 1));
});

test("a head that attends to one position alone writes what its values there write", () => {
  const [pos, query] = [position("C2"), position("A1")];
  const only = edit(
    "blocks.1.attn.hook_pattern",
    (x) =>
      tf
        .oneHot(tf.fill([x.size / 11], pos, "int32") as tf.Tensor1D, 11)
        .toFloat()
        .reshape(x.shape) as tf.Tensor4D,
    { query_pos: [query] },
  );
  const keep = ["blocks.1.attn.hook_z", "blocks.1.attn.hook_v"] as const;
  const run = forward(model, data.tokens, { interventions: only, keep, readout: "none" });
  const z = writtenBy(model, run, head, { activation: "z", pos: query, vocab: [4, 9] });
  const v = writtenBy(model, run, head, { activation: "v", pos, vocab: [4, 9] });
  disposeRun(run);
  for (const [p, row] of z.entries()) for (const [t, value] of row.entries()) near(value, v[p][t]);
});

test("attention and logit are those of the prompt's own words and letters", async () => {
  const rows = await attentionAgainstLogits(model, data, [head], { batch: 3 });
  assert.equal(rows.length, 9 * data.tokens.length);
  const keep = ["blocks.1.attn.hook_pattern", "blocks.1.attn.hook_z"] as const;
  const run = forward(model, data.tokens, { keep, readout: "none" });
  const patterns = headPattern(run, head);
  for (const { prompt, letter, word, attention, logit } of rows) {
    near(attention, patterns[prompt][readoutPosition(letter)][wordPosition(word)]);
    const vocab = [data.letters[data.answerLetters[prompt][word - 1]]];
    near(logit, writtenBy(model, run, head, { activation: "z", pos: readoutPosition(letter), vocab })[prompt][0]);
  }
  disposeRun(run);
});

test("in prompts, a capital's row is the mean over the words that begin with it", async () => {
  const own: Prompts = { ...data, answerLetters: data.answerLetters.map((_, p) => [p % 2, 5, 5]) };
  const both = [head, { layer: 0, head: 0 }];
  const matrix = await ovInPrompts(model, own, both, { batch: 2 });
  assert.deepEqual(
    matrix.flatMap((row, i) => (row === null ? [] : [i])),
    [0, 1, 5],
    "capitals that begin no word are null",
  );
  const keep = ["blocks.0.attn.hook_v", "blocks.1.attn.hook_v"] as const;
  const run = forward(model, own.tokens, { keep, readout: "none" });
  const at = (pos: number) =>
    both.map((one) => writtenBy(model, run, one, { activation: "v", pos, vocab: own.letters }));
  const [first, second, third] = [1, 2, 3].map((word) => at(2 * word));
  disposeRun(run);
  const together = (values: number[][][], prompt: number, to: number) => values[0][prompt][to] + values[1][prompt][to];
  for (const to of [0, 25]) {
    near(matrix[1]![to], mean([1, 3].map((p) => together(first, p, to))));
    const words = [second, third].flatMap((values) => range(5).map((p) => together(values, p, to)));
    near(matrix[5]![to], mean(words));
  }
});

test("nothing is left behind", async () => {
  const tensors = tf.memory().numTensors;
  await attentionRows(model, data, heads, { batch: 2 });
  await attentionRows(model, data, heads, { intervene: () => [] });
  await attentionAgainstLogits(model, data, [head]);
  await ovInPrompts(model, data, [head]);
  assert.equal(tf.memory().numTensors, tensors);
});

test("what can't be done is said", async () => {
  await assert.rejects(ovInPrompts(model, data, []), /no heads of an OV circuit; give at least one/);
  await assert.rejects(attentionRows(model, data, [{ layer: 5, head: 0 }]), /no head 5\.0; layers are 0 … 1/);
  await assert.rejects(attentionAgainstLogits(model, data, [{ layer: 1, head: 9 }]), /no head 1\.9; layers are 0 … 1/);
  await assert.rejects(attentionRows(model, data, [{ layer: 1, head: 2 }]), /no head 1\.2/);
});

test("attention to nothing is named, not averaged", async () => {
  const intervene = () =>
    edit("blocks.1.attn.hook_attn_scores", (scores) => tf.fill(scores.shape, Number.NEGATIVE_INFINITY), { head: 0 });
  await assert.rejects(
    attentionRows(model, data, [{ layer: 1, head: 0 }], { intervene }),
    /prompt 0, point 0: value 0 is NaN/,
  );
});

test("a head's attention as a table: a row a query, a column a key that one of them sees", () => {
  const row = { layer: 0, head: 0, std: 0 };
  const rows = [
    { ...row, query: "BOS", key: "BOS", attention: 1 },
    { ...row, query: "The", key: "BOS", attention: 0.25 },
    { ...row, query: "The", key: "The", attention: 0.75 },
    { ...row, query: "C1", key: "C1", attention: 1 },
  ] as const;
  assert.deepEqual(attentionTable(rows, ["BOS", "The"]), [
    { from: "BOS", BOS: 1, The: null },
    { from: "The", BOS: 0.25, The: 0.75 },
  ]);
});
