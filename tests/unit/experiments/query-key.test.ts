import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { averagedInputs, type HeadInput, inputSite } from "../../../src/experiments/averaged-inputs";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { headSite } from "../../../src/experiments/patch-sites";
import { activationPatch } from "../../../src/experiments/patching";
import {
  type SelectivityRow,
  seenSelectivity,
  selectivityBy,
  strongestProducts,
  wordSelectivity,
} from "../../../src/experiments/query-key";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { merge, patch } from "../../../src/model/hooks";
import { disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { mean } from "../../../src/numbers/statistics";
import { readoutPosition, wordPosition } from "../../../src/prompts/positions";
import type { Prompts } from "../../../src/prompts/task";
import { apart, near, nearly } from "../../fixtures/close";
import { processedModel, randomModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_ctx: 12 };
const data = randomPrompts(5, 1);
const corrupted = randomPrompts(5, 2).tokens;
let raw: Model;
let model: Model;

before(async () => {
  await initBackend();
  raw = randomModel(config, 0);
  model = processedModel(config, 0);
});

/** Mean over prompts and letters of score(i, C_i) − mean of score(i, C_w) of the other two words, from the scores themselves, or from the patterns' logarithms. */
function selectivityOf(layer: number, head: number, from: "attn_scores" | "pattern" = "attn_scores"): number {
  const hook = `blocks.${layer}.attn.hook_${from}` as const;
  const run = forward(model, data.tokens, { keep: [hook], readout: "none" });
  const scores = (from === "pattern" ? run.cache[hook].log() : run.cache[hook]).arraySync() as number[][][][];
  disposeRun(run);
  const at = (p: number, i: number, w: number) =>
    scores[p][head][readoutPosition(i as 1 | 2 | 3)][wordPosition(w as 1 | 2 | 3)];
  return mean(
    scores.flatMap((_, p) =>
      [1, 2, 3].map((i) => at(p, i, i) - mean([1, 2, 3].filter((w) => w !== i).map((w) => at(p, i, w)))),
    ),
  );
}
const total = (rows: readonly SelectivityRow[]) => rows.reduce((sum, { score }) => sum + score, 0);

test("the shares of all pairs add up to the selectivity, in every layer", async () => {
  for (const layer of range(config.n_layers)) {
    const rows = await wordSelectivity(model, data, { layer, head: 1 });
    const expected = selectivityOf(layer, 1);
    apart(expected, 0, "the random model must have a selectivity to add up to");
    near(total(rows), expected, `layer ${layer}`);
  }
});

test("what the patterns show is what the shares add up to, and batches make no difference", async () => {
  const head = { layer: 1, head: 0 };
  const seen = await seenSelectivity(model, data, head);
  apart(seen, 0, "the random model must prefer something");
  near(seen, total(await wordSelectivity(model, data, head)));
  near(seen, selectivityOf(1, 0, "pattern"));
  near(await seenSelectivity(model, data, head, { batch: 2 }), seen);
  await assert.rejects(seenSelectivity(model, data, { layer: 9, head: 0 }), /no head 9\.0/);
});

test("the strongest products are those of the strongest parts, small ones without text", () => {
  const row = (query: string, key: string, score: number) => ({ query, key, score, std: 0 });
  const rows = [
    row("a", "x", 1),
    row("a", "y", -2),
    row("a", "z", 0.01),
    row("b", "x", 0.04),
    row("b", "y", 0),
    row("b", "z", 0),
    row("c", "x", 0.5),
    row("c", "y", 0.5),
    row("c", "z", 0),
  ];
  const found = strongestProducts(rows, { top: 2 }); // sums: a −0.99, c 1.0, b 0.04; x 1.54, y −1.5, z 0.01
  assert.deepEqual(
    found.map(({ query, key, text }) => [query, key, text]),
    [
      ["c", "x", "0.50"],
      ["c", "y", "0.50"],
      ["a", "x", "1.00"],
      ["a", "y", "−2.00"],
    ],
  );
  const small = strongestProducts(rows, { top: 3 }).find(({ query, key }) => query === "b" && key === "x")!;
  assert.equal(small.text, "");
});

test("there is a row for each pair of components before the head", async () => {
  const first = await wordSelectivity(model, data, { layer: 0, head: 0 });
  assert.deepEqual([...new Set(first.map(({ query }) => query))], ["embedding", "position"]);
  const second = await wordSelectivity(model, data, { layer: 1, head: 0 });
  const parts = ["embedding", "position", "0.0", "0.1", "attention bias 0", "mlp 0"];
  assert.deepEqual(
    second.map(({ query, key }) => `${query} ${key}`),
    parts.flatMap((query) => parts.map((key) => `${query} ${key}`)),
  );
});

test("batches make no difference, and nothing is left behind", async () => {
  const head = { layer: 2, head: 0 };
  const tensors = tf.memory().numTensors;
  const whole = await wordSelectivity(model, data, head);
  const split = await wordSelectivity(model, data, head, { batch: 2 });
  assert.equal(tf.memory().numTensors, tensors);
  near(split, whole);
});

test("either side's sums add up to the same, strongest first", async () => {
  const rows = await wordSelectivity(model, data, { layer: 2, head: 1 });
  for (const side of ["query", "key"] as const) {
    const sums = selectivityBy(rows, { side });
    nearly(
      sums.reduce((sum, { score }) => sum + score, 0),
      total(rows),
    );
    const sizes = sums.map(({ score }) => Math.abs(score));
    assert.deepEqual(
      sizes,
      [...sizes].sort((a, b) => b - a),
    );
    assert.deepEqual(selectivityBy(rows, { side, top: 2 }), sums.slice(0, 2));
  }
});

test("outputs of one head are patched as headSite does", async () => {
  const head = { layer: 1, head: 1 };
  const options = { corruption: "previous_letters", corrupted } as const;
  const joint = await activationPatch(model, data, { ...options, site: inputSite([head]) });
  const single = await activationPatch(model, data, { ...options, site: headSite("z") });
  const mine = joint.filter(({ input }) => input === "z").map(({ change }) => change);
  const theirs = single.filter((row) => row.layer === 1 && row.head === 1).map(({ change }) => change);
  apart(
    mine,
    mine.map(() => 0),
    "the patch must do something",
  );
  near(mine, theirs);
});

test("queries, keys and values together are the output", () => {
  const site = inputSite([{ layer: 2, head: 0 }]);
  const source = forward(model, corrupted, { keep: site.hooks(config), readout: "none" });
  const run = (...inputs: HeadInput[]) => {
    const interventions = merge(
      ...inputs.map((input) => site.intervene({ input }, source.cache, range(11), 1, data.task)),
    );
    const patched = forward(model, data.tokens, { interventions });
    const logits = patched.logits.dataSync();
    disposeRun(patched);
    return logits;
  };
  const [together, output, values] = [run("q", "k", "v"), run("z"), run("v")];
  disposeRun(source);
  near(together, output);
  apart(values, output, "values alone must not be enough");
});

const effectOf = (rows: Awaited<ReturnType<typeof averagedInputs>>, input: string, over: string, letter: number) =>
  rows.find((row) => row.input === input && row.mean === over && row.letter === letter)!.change;

test("averaged over one prompt, each position keeps what it has; over positions too, it does not", async () => {
  const one: Prompts = { ...data, tokens: data.tokens.slice(0, 1), answerLetters: data.answerLetters.slice(0, 1) };
  const rows = await averagedInputs(model, one, [{ layer: 1, head: 0 }]);
  assert.equal(rows.length, 18);
  for (const input of ["q", "k", "v"]) {
    const effects = (over: string) => [1, 2, 3].map((letter) => effectOf(rows, input, over, letter));
    near(effects("prompts"), [0, 0, 0], input);
    apart(effects("prompts and positions"), [0, 0, 0], input);
  }
});

test("values averaged over prompts are patched as their mean is", async () => {
  const tensors = tf.memory().numTensors;
  const rows = await averagedInputs(model, data, [{ layer: 1, head: 0 }], { batch: 2 });
  assert.equal(tf.memory().numTensors, tensors);
  const hook = "blocks.1.attn.hook_v" as const;
  const readout = letterReadout(data);
  const run = forward(model, data.tokens, { keep: [hook], readout });
  const source = run.cache[hook].mean(0, true) as tf.Tensor4D;
  const changed = forward(model, data.tokens, {
    interventions: patch(hook, source, { head: 0, pos: [2, 4, 6] }),
    readout,
  });
  const [before, after] = [run, changed].map((one) => logitDiffs(one, data));
  disposeRun(run, changed);
  source.dispose();
  for (const letter of [1, 2, 3]) {
    const expected = mean(after.map((row, p) => row[letter - 1] - before[p][letter - 1]));
    near(effectOf(rows, "v", "prompts", letter), expected);
  }
});

test("what can't be done is said", async () => {
  assert.throws(() => inputSite([]), /no heads whose inputs/);
  await assert.rejects(averagedInputs(model, data, []), /no heads whose inputs/);
  await assert.rejects(wordSelectivity(raw, data, { layer: 1, head: 0 }), /tiny is not processed/);
  await assert.rejects(wordSelectivity(model, data, { layer: 1, head: 7 }), /no head 1\.7/);
});
