import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { completeness, faithfulness, minimality } from "../../../src/experiments/circuit-criteria";
import { circuitValues, evaluateCircuits } from "../../../src/experiments/circuit-evaluation";
import { growing } from "../../../src/experiments/giving-back";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { columnMean } from "../../../src/experiments/measure";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads, type HeadId } from "../../../src/model/heads";
import { patch } from "../../../src/model/hooks";
import { disposeRun, type Model, type ModelConfig, type Tokens } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { meanAndStd } from "../../../src/numbers/statistics";
import { LETTERS } from "../../../src/prompts/positions";
import type { Prompts } from "../../../src/prompts/task";
import { apart, near, nearly } from "../../fixtures/close";
import { randomModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_layers: 2, n_ctx: 12 };
const data = randomPrompts(5, 1);
const corrupted = randomPrompts(5, 2).tokens;
const all = allHeads(config);
const [a, b, c, d] = all;
let model: Model;
let clean: number[][];

const diffsOf = (options: Parameters<typeof forward>[2] = {}, tokens: Tokens = data.tokens) => {
  const run = forward(model, tokens, { ...options, readout: letterReadout(data) });
  const values = logitDiffs(run, data);
  disposeRun(run);
  return values;
};
before(async () => {
  await initBackend();
  model = randomModel(config, 0);
  clean = diffsOf();
});

test("a circuit of all heads is the model, whatever the removal", async () => {
  for (const ablation of ["mean", "resample"] as const) {
    const [values] = await circuitValues(model, data, [all], { corrupted, ablation });
    near(values, clean);
  }
});

test("resampled from the prompt itself, every circuit is the model", async () => {
  for (const values of await circuitValues(model, data, [[], [c]], { corrupted: data.tokens, ablation: "resample" }))
    near(values, clean);
});

test("the mean over one prompt is that prompt's output", async () => {
  const one: Prompts = { ...data, tokens: data.tokens.slice(0, 1), answerLetters: data.answerLetters.slice(0, 1) };
  const options = { corrupted: corrupted.slice(0, 1) };
  const mean = await circuitValues(model, one, [[], [a, d]], options);
  const other = await circuitValues(model, one, [[], [a, d]], { ...options, ablation: "resample" });
  for (const [i, values] of mean.entries()) near(values, other[i]);
  apart(mean[0], mean[1]);
});

test("without any head, each writes its mean over the corrupted prompts at each position", async () => {
  const hooks = range(config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
  const run = forward(model, corrupted, { keep: hooks, readout: "none" });
  const means = hooks.map((hook) => run.cache[hook].mean(0, true) as tf.Tensor4D);
  const expected = diffsOf({ interventions: hooks.flatMap((hook, i) => patch(hook, means[i])) });
  disposeRun(run);
  tf.dispose(means);
  for (const batch of [100, 2]) near((await circuitValues(model, data, [[]], { corrupted, batch }))[0], expected);
});

test("heads of the circuit are computed on what is left, not frozen", async () => {
  const [kept] = await circuitValues(model, data, [[c, d]], { corrupted });
  const hook = "blocks.0.attn.hook_z" as const;
  const run = forward(model, corrupted, { keep: [hook], readout: "none" });
  const means = run.cache[hook].mean(0, true) as tf.Tensor4D;
  near(kept, diffsOf({ interventions: patch(hook, means) }));
  disposeRun(run);
  means.dispose();
});

test("rows hold mean and spread over prompts of each circuit and letter", async () => {
  const circuits = growing([c, a]);
  assert.deepEqual(circuits, [[], [c], [c, a]]);
  const values = await circuitValues(model, data, circuits, { corrupted });
  const rows = await evaluateCircuits(model, data, circuits, { corrupted });
  assert.equal(rows.length, 9);
  for (const { circuit, letter, logit_diff, std, n } of rows) {
    near({ mean: logit_diff, std }, meanAndStd(values[circuit].map((row) => row[letter - 1])));
    assert.equal(n, 5);
  }
});

test("all heads are wholly faithful, none not at all", async () => {
  for (const [circuit, expected] of [[all, 1] as const, [[], 0] as const])
    for (const row of await faithfulness(model, data, circuit, { corrupted })) {
      near(row.faithfulness, expected);
      near(row.model, columnMean(clean, row.letter - 1));
    }
  const [half] = await faithfulness(model, data, [a, b], { corrupted });
  nearly(half.faithfulness, (half.circuit - half.none) / (half.model - half.none));
});

test("completeness: with no head out, circuit and model; of the whole model, no gap", async () => {
  const [values] = await circuitValues(model, data, [[a, c]], { corrupted });
  const rows = await completeness(model, data, [a, c], { corrupted, removed: [[], [c], [d]] });
  assert.deepEqual(
    rows.map(({ removed, size, letter }) => [removed, size, letter]),
    [0, 1, 2].flatMap((k) => LETTERS.map((letter) => [k, Math.min(k, 1), letter])),
  );
  for (const { letter, circuit, model: whole, gap } of rows.slice(0, 3)) {
    near(circuit, columnMean(values, letter - 1));
    near(whole, columnMean(clean, letter - 1));
    nearly(gap, whole - circuit);
  }
  const [onlyA, noC, noD] = await circuitValues(model, data, [[a], [a, b, d], [a, b, c]], { corrupted });
  for (const { removed, letter, circuit, model: whole } of rows.slice(3)) {
    near(circuit, columnMean(removed === 1 ? onlyA : values, letter - 1));
    near(whole, columnMean(removed === 1 ? noC : noD, letter - 1));
  }
  for (const { gap } of await completeness(model, data, all, { corrupted, removed: [[a], [b, c]] })) near(gap, 0);
});

test("minimality: what is lost by the head alone, and with that K, the head left in it, where most is", async () => {
  const circuit = [a, c, d];
  const removed = [[a, c], [c, d], [b]]; // b is not in the circuit: nothing more is out
  const rows = await minimality(model, data, circuit, { corrupted, removed });
  assert.equal(rows.length, 9);
  const level = async (heads: readonly HeadId[], letter: number) =>
    columnMean((await circuitValues(model, data, [heads], { corrupted }))[0], letter - 1);
  const without = (out: readonly HeadId[]) => circuit.filter((head) => !out.includes(head));
  const signs = new Set<number>();
  for (const { layer, head: index, letter, alone, most, removed: at } of rows) {
    const v = circuit.find((head) => head.layer === layer && head.head === index)!;
    const losses = [];
    for (const K of [[], ...removed].map((heads) => heads.filter((head) => head !== v)))
      losses.push((await level(without(K), letter)) - (await level(without([...K, v]), letter)));
    near(alone, losses[0]);
    near(Math.abs(most), Math.max(...losses.map(Math.abs)));
    near(most, losses[at + 1]);
    signs.add(Math.sign(most));
  }
  assert.equal(signs.size, 2, "heads that help and heads that harm must both be among them");
});

test("a set that holds the head alone adds nothing to removing it", async () => {
  for (const { alone, most, removed } of await minimality(model, data, [a], { corrupted, removed: [[a]] })) {
    assert.equal(most, alone); // nothing else was measured
    assert.equal(removed, -1);
  }
});

test("nothing is left behind, and what can't be done is said", async () => {
  const tensors = tf.memory().numTensors;
  await minimality(model, data, [a, b], { corrupted, removed: [[a]], batch: 2 });
  await completeness(model, data, [a, b], { corrupted, removed: [[a]], ablation: "resample" });
  await assert.rejects(
    circuitValues(model, data, [[]], { corrupted: corrupted.slice(1) }),
    /4 corrupted prompts for 5 clean ones/,
  );
  assert.equal(tf.memory().numTensors, tensors);
});
