import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { gradients, type Metric, meanLogitDiff } from "../../../src/experiments/gradients";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { initBackend } from "../../../src/model/backend/choose";
import { forward, forwardEach } from "../../../src/model/forward";
import { axesOf, edit, type HookName, hookNames, patch } from "../../../src/model/hooks";
import type { Model } from "../../../src/model/model";
import { random } from "../../../src/numbers/random";
import { mean } from "../../../src/numbers/statistics";
import { apart, near } from "../../fixtures/close";
import { randomModel, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const prompts = tinyPrompts(3, 0);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel();
});

const metric = meanLogitDiff("mean");
const all = () => true;

/** The metric of each prompt with so much of a direction added at a hook, for each step. */
function moved(from: Model, at: HookName, direction: tf.Tensor, steps: readonly number[]): number[][] {
  const points = steps.map((step) => edit(at as "hook_embed", (x) => x.add(direction.mul(step)) as tf.Tensor3D));
  const found: number[][] = [];
  tf.tidy(() => {
    for (const { logits } of forwardEach(from, prompts.tokens, points, { readout: letterReadout(prompts) }))
      found.push(Array.from(metric(logits, prompts).dataSync()));
  });
  return found;
}

/** How fast a prompt's metric grows along a direction, by four small steps: exact up to the fifth derivative. */
function slopesByStep(from: Model, name: HookName, direction: tf.Tensor, step = 1 / 16): number[] {
  const [one, back, two, farBack] = moved(from, name, direction, [step, -step, 2 * step, -2 * step]);
  return one.map((value, p) => (8 * (value - back[p]) - (two[p] - farBack[p])) / (12 * step));
}

/** How fast a prompt's metric grows along a direction, by the gradient. */
const slopes = (gradient: tf.Tensor, direction: tf.Tensor): number[] =>
  tf.tidy(() => {
    const product = gradient.mul(direction).reshape([gradient.shape[0], -1]);
    return product.sum(1).arraySync() as number[];
  });

function randomDirection(shape: number[], seed: number): tf.Tensor {
  const { normal } = random(seed);
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, () => normal() / Math.sqrt(size)),
    shape,
  );
}

test("at every hook the gradient is what small steps say, processed model and raw", () => {
  for (const from of [model, randomModel(TINY, 3)]) {
    const names = hookNames(TINY.n_layers);
    const { at } = gradients(from, prompts, metric, names);
    for (const [i, name] of names.entries()) {
      const direction = randomDirection(at[name].shape, i);
      const differences = slopesByStep(from, name, direction);
      const found = slopes(at[name], direction);
      const worst = Math.max(...found.map((slope, p) => Math.abs(slope - differences[p])));
      const size = Math.max(0.05, ...differences.map(Math.abs));
      assert.ok(worst < 0.01 * size, `${name}: ${found}, by steps ${differences}`);
    }
    tf.dispose(Object.values(at));
  }
});

test("to what the logits are linear in, steps of any size agree to rounding", () => {
  const name = "ln_final.hook_normalized";
  const { at, values } = gradients(model, prompts, metric, [name]);
  const direction = randomDirection(at[name].shape, 1);
  const changes = moved(model, name, direction, [1])[0].map((value, p) => value - values[p]);
  near(slopes(at[name], direction), changes);
  apart(changes, [0, 0, 0]);
  assert.equal(axesOf(name).length, at[name].shape.length);
});

test("what a head reads adds up: the stream's gradient is that of its readers, together", () => {
  const block = "blocks.1" as const;
  const names = [`${block}.hook_q_input`, `${block}.hook_k_input`, `${block}.hook_v_input`] as const;
  const { at } = gradients(model, prompts, metric, [`${block}.hook_resid_pre`, `${block}.hook_resid_mid`, ...names]);
  const parts = names.map((name) => at[name].sum(2));
  near(tf.addN([at[`${block}.hook_resid_mid`], ...parts]), at[`${block}.hook_resid_pre`]);
  for (const part of parts) apart(part, tf.zerosLike(part));
});

test("the metric is the mean of the logit differences, against the largest and the mean wrong letter", () => {
  const run = forward(model, prompts.tokens, { readout: letterReadout(prompts) });
  for (const against of ["max", "mean"] as const) {
    const { values } = gradients(model, prompts, meanLogitDiff(against), ["hook_embed"]);
    near([...values], logitDiffs(run, prompts, undefined, against).map(mean));
  }
  assert.throws(() => meanLogitDiff("most" as never), /against "most" is not one of "max", "mean"/);
});

test("a prompt's gradient is its own, whoever else is in the batch", () => {
  const name = "blocks.0.attn.hook_z";
  const { at } = gradients(model, prompts, meanLogitDiff(), [name]);
  const one = { ...prompts, tokens: prompts.tokens.slice(1, 2), answerLetters: prompts.answerLetters.slice(1, 2) };
  near(gradients(model, one, meanLogitDiff(), [name]).at[name], at[name].slice([1, 0, 0, 0], [1, -1, -1, -1]));
});

test("the gradient of an intervened run is taken after the intervention", () => {
  const name = "blocks.1.hook_resid_pre";
  const other = forward(model, tinyPrompts(3, 5).tokens, { keep: all });
  const interventions = patch(name, other.cache[name]);
  const { at, values } = gradients(model, prompts, metric, [name, "hook_embed"], { interventions });
  near(
    [...values],
    Array.from(
      metric(other.logits.gather([8, 9, 10], 1).slice([0, 0, 0], [-1, -1, 26]) as tf.Tensor3D, prompts).dataSync(),
    ),
    "all comes from the other run",
  );
  apart(at[name], tf.zerosLike(at[name]));
  near(at.hook_embed, tf.zerosLike(at.hook_embed), "nobody reads what was replaced");
});

test("nothing is left behind but the gradients; hooks, prompts and numbers are checked", () => {
  const before = tf.memory().numTensors;
  const { at } = gradients(model, prompts, metric, ["hook_embed", "blocks.2.hook_mlp_in"]);
  assert.equal(tf.memory().numTensors, before + 2);
  tf.dispose(Object.values(at));
  assert.throws(() => gradients(model, prompts, metric, []), /there are no hooks; give at least one/);
  assert.throws(() => gradients(model, prompts, metric, ["hook_z" as never]), /no hook "hook_z"/);
  assert.throws(() => gradients(model, prompts, metric, ["blocks.7.hook_mlp_in"]), /tiny has layers 0 … 2/);
  const broken: Metric = (logits) => logits.sum([1, 2]).div(0) as tf.Tensor1D;
  assert.throws(() => gradients(model, prompts, broken, ["hook_embed"]), /metric: prompt 0 is .*, not a finite number/);
  assert.equal(tf.memory().numTensors, before);
});
