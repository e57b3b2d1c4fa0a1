import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { type ActivationCache, edit, type HookName, type Intervention, merge, shapeOf } from "../model/hooks";
import type { Model } from "../model/model";
import { checkAllFinite, checkOneOf, checkSome } from "../numbers/check";
import { checkPrompts, type Prompts } from "../prompts/task";
import { type Against, letterReadout } from "./logit-difference";

/** One number a prompt `[batch]`, made of its logits `[batch, letters, candidates]` by operations that have gradients. */
export type Metric = (logits: tf.Tensor3D, prompts: Prompts) => tf.Tensor1D;

/** Larger than any logit. */
const FAR = 1e9;

/**
 * The logit difference as a metric with gradients: right letter − largest (or mean) wrong one, mean over the letters, in logits. The same
 * numbers as `logitDiffs`. Throws a RangeError if `against` is neither.
 */
export function meanLogitDiff(against: Against = "max"): Metric {
  checkOneOf("against", against, ["max", "mean"]);
  return (logits, { answerLetters }) => {
    const candidates = logits.shape[2];
    const isRight = tf.oneHot(tf.tensor2d(answerLetters, undefined, "int32"), candidates).toFloat();
    const right = logits.mul(isRight).sum(2);
    const wrong =
      against === "max"
        ? logits.sub(isRight.mul(FAR)).max(2)
        : logits
            .sum(2)
            .sub(right)
            .div(candidates - 1);
    return right.sub(wrong).mean(1) as tf.Tensor1D;
  };
}

/** A metric with its gradients. The caller frees the tensors. */
export interface Gradients {
  /** The metric of each prompt. */
  readonly values: readonly number[];
  /** By hook, in the activation's shape: how fast each prompt's own metric grows with it; zeros where no letter depends on it. */
  readonly at: ActivationCache;
}

/**
 * The gradient of a metric with respect to activations at any hooks, from one pass forward and one back.
 * Prompts don't see each other: each row of a gradient is of that prompt's metric. Everything in between stays in memory until the end,
 * so give large data in batches.
 * Throws a RangeError if there are no hooks or prompts, or a metric or gradient is not finite; what `forward` throws.
 * @param options `interventions`: what is done to the run; the gradient is that of the activations after it
 */
export function gradients(
  model: Model,
  prompts: Prompts,
  metric: Metric,
  hooks: readonly HookName[],
  { interventions = [] }: { readonly interventions?: Intervention } = {},
): Gradients {
  checkPrompts(prompts);
  checkSome("hooks", hooks);
  const passes = passesOf(hooks).map((some) => onePass({ model, prompts, metric, interventions }, some));
  const at = Object.assign({}, ...passes.map(({ grads }) => grads));
  try {
    checkAllFinite("metric: prompt", passes[0].values);
    for (const name of hooks) checkAllFinite(`gradient at ${name}: number`, Array.from(at[name].dataSync()));
  } catch (error) {
    tf.dispose(at);
    throw error;
  }
  return { values: passes[0].values, at: at as ActivationCache };
}

/** Heads that read an input of their own don't read the layer norm of the stream: where both are asked for, its hooks take a pass of theirs. */
function passesOf(hooks: readonly HookName[]): (readonly HookName[])[] {
  const norms = hooks.filter((name) => name.includes(".ln1."));
  const others = hooks.filter((name) => !norms.includes(name));
  const both = norms.length > 0 && others.some((name) => /hook_[qkv]_input$/.test(name));
  return both ? [others, norms] : [hooks];
}

interface Pass {
  readonly model: Model;
  readonly prompts: Prompts;
  readonly metric: Metric;
  readonly interventions: Intervention;
}

/** Zeros are added to each activation, and the gradient taken with respect to them. */
function onePass({ model, prompts, metric, interventions }: Pass, hooks: readonly HookName[]) {
  const { tokens } = prompts;
  const readout = letterReadout(prompts);
  const sizes = { ...model.config, batch: tokens.length, length: tokens[0].length };
  let values: number[] = [];
  const grads = tf.tidy(() => {
    const nudges = hooks.map((name) => tf.zeros(shapeOf(name, sizes)));
    const nudge = (at: HookName, i: number) => edit(at as "hook_embed", (x) => x.add(nudges[i]));
    const nudged = merge(interventions, ...hooks.map(nudge));
    const total = () => {
      const each = metric(forward(model, tokens, { interventions: nudged, readout }).logits, prompts);
      values = Array.from(each.dataSync());
      return each.sum().asScalar();
    };
    // some may have none: nobody reads the activation
    const { grads } = tf.engine().gradients(total, nudges, undefined, true);
    return Object.fromEntries(hooks.map((name, i) => [name, grads[i] ?? nudges[i]]));
  });
  return { values, grads };
}
