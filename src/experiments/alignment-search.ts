import * as tf from "@tensorflow/tfjs";
import { forward, forwardEach } from "../model/forward";
import { edit, type HookName, type Intervention, type Slice } from "../model/hooks";
import type { Model, Run } from "../model/model";
import { reusable } from "../model/plan";
import { checkCount, checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import { randomSubspace } from "../numbers/subspace";
import type { AcronymTask } from "../prompts/acronym-task";
import { LETTERS, wordPosition } from "../prompts/positions";
import type { Prompts } from "../prompts/task";
import type { InterchangeOptions } from "./interchange";
import { letterReadout } from "./logit-difference";
import { batchStarts, promptsFrom } from "./measure";
import { EXCHANGES, nextWords, type Prediction } from "./order-model";
import { activationSite, type OrderPoint } from "./order-sites";
import type { ProgressOption } from "./progress";
import { sweep } from "./sweep";

export interface AlignmentOptions extends Pick<InterchangeOptions, "exchanges" | "predict"> {
  /** Directions to find. All there are if the activation has fewer. */
  readonly k: number;
  /** Where the search begins. */
  readonly seed: number;
  /** Steps of Adam, default 60. */
  readonly steps?: number;
  /** Prompts a step, the next ones each time. Default 32. */
  readonly batch?: number;
  /** Of Adam. Default 0.03. */
  readonly rate?: number;
  readonly progress?: ProgressOption;
}

/** A subspace that was searched for. */
export interface Alignment {
  /** `[d][k]`, perpendicular directions of unit length. */
  readonly subspace: number[][];
  /** Mean cross-entropy of the predicted letters among A … Z, in nats, at each step, before it. */
  readonly losses: readonly number[];
}

/**
 * Distributed alignment search: the k directions of an activation at C_1, C_2 and C_3 whose exchange makes the model say what the causal
 * model predicts, found by gradients. What is found has been *looked for*: it counts on prompts of other words alone, and against the same
 * search for wrong predictions.
 * Throws a RangeError if there are no prompts or exchanges, a count or the seed is none, or no letter depends on the activation (after the
 *   last layer's attention nobody reads it at a word); SweepInterrupted
 */
export async function alignedSubspace(
  model: Model,
  data: Prompts<AcronymTask>,
  point: OrderPoint,
  {
    k,
    seed,
    steps = 60,
    batch = 32,
    rate = 0.03,
    exchanges = EXCHANGES,
    predict = nextWords,
    progress,
  }: AlignmentOptions,
): Promise<Alignment> {
  checkCount("k", k);
  checkCount("steps", steps);
  checkSome("exchanges", exchanges);
  checkSome("prompts", data.tokens);
  checkIsRead(model, data, point);
  const starts = batchStarts(data.tokens.length, batch);
  const d = widthOf(model, point.at);
  const start = randomSubspace(d, k, seed);
  const directions = start[0].map((_, j) => tf.tidy(() => tf.variable(tf.tensor1d(start.map((row) => row[j])))));
  const adam = tf.train.adam(rate);
  const step = ({ step }: { step: number }) => {
    const prompts = promptsFrom(data, starts[step % starts.length], batch);
    const keep = [...new Set([...reusable(model.config), point.at])];
    const from = forward(model, prompts.tokens, { keep, readout: "none" });
    const loss = () => {
      const subspace = tf.stack(perpendicular(directions), 1) as tf.Tensor2D;
      const points = exchanges.map((places) => activationSite(point, "", subspace).exchange(from, places));
      return predictionLoss(from, prompts, points, exchanges.map(predict));
    };
    const cost = adam.minimize(loss, true, directions) as tf.Scalar;
    return { loss: cost.dataSync()[0] };
  };
  try {
    const rows = await sweep(
      range(steps).map((step) => ({ step })),
      step,
      { progress },
    );
    const subspace = tf.tidy(() => tf.stack(perpendicular(directions), 1).arraySync() as number[][]);
    return { subspace, losses: rows.map(({ loss }) => loss) };
  } finally {
    adam.dispose();
    tf.dispose(directions);
  }
}

const widthOf = ({ config }: Model, at: HookName): number =>
  at.includes(".attn.hook_") ? config.d_head : config.d_model;

/** Throws a RangeError if what is exchanged at a point reaches no letter: a forward that skips what nobody reads doesn't look at it. */
function checkIsRead(model: Model, data: Prompts<AcronymTask>, point: OrderPoint): void {
  const isRead = tf.tidy(() => {
    let seen = false;
    const look = edit(
      point.at,
      (activation) => {
        seen = true;
        return activation;
      },
      { pos: LETTERS.map((letter) => wordPosition(letter)) } as Slice<typeof point.at>,
    );
    const prompts = promptsFrom(data, 0, 1);
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    forward(model, prompts.tokens, { from, interventions: look, readout: letterReadout(prompts) });
    return seen;
  });
  if (!isRead) throw new RangeError(`no letter depends on ${point.site} at C1, C2 and C3; choose an earlier point`);
}

/** The same span as perpendicular directions of unit length, with gradients. */
function perpendicular(directions: readonly tf.Tensor1D[]): tf.Tensor1D[] {
  const found: tf.Tensor1D[] = [];
  for (const direction of directions) {
    let rest = direction;
    for (const one of found) rest = rest.sub(one.mul(rest.mul(one).sum()));
    found.push(rest.div(rest.square().sum().add(1e-12).sqrt()));
  }
  return found;
}

/** Mean cross-entropy, in nats, of the letters predicted at each point. */
function predictionLoss(
  from: Run,
  prompts: Prompts,
  points: readonly Intervention[],
  predicted: readonly Prediction[],
): tf.Scalar {
  const readout = letterReadout(prompts);
  const runs = forwardEach(from.model, from.tokens, points, { from, readout });
  const losses = runs.map(({ logits }, p) => {
    const wanted = prompts.answerLetters.map((answers) =>
      predicted[p].map((word) => range(26).map((letter) => Number(word !== null && answers[word - 1] === letter))),
    );
    return tf.logSoftmax(logits).mul(tf.tensor3d(wanted)).sum().neg();
  });
  const letters = predicted.flat().filter((word) => word !== null).length;
  return tf.addN(losses).div(letters * prompts.tokens.length) as tf.Scalar;
}
