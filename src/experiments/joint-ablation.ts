/** What is lost without heads together, or without an MLP. */
import { forward } from "../model/forward";
import { type HeadId, headsOutside } from "../model/heads";
import { patch } from "../model/hooks";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import { share } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { checkPrompts, type LetterOf, lettersOf, type Prompts, type Task } from "../prompts/task";
import { activationMeans } from "./activation-means";
import { circuitValues, type EvaluateOptions } from "./circuit-evaluation";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  columnMean,
  type LetterEffect,
  letterEffects,
  type Measurement,
  measureIntervened,
  type StreamOptions,
} from "./measure";

/** Losses of the logit difference, in logits: positive is harm. */
export interface JointLoss<L extends number = Letter> {
  readonly letter: L;
  /** Each head removed by itself, the losses summed up. */
  readonly "one by one": number;
  /** All removed at once. */
  readonly together: number;
  /** Together / one by one. More than 1: they stand in for each other; null: nothing is lost one by one. */
  readonly ratio: number | null;
}

/**
 * Do these heads stand in for each other? If so, to lose all costs more than the single losses add up to.
 * Throws a RangeError if there are no heads, or as `circuitValues`.
 */
export async function jointLosses<T extends Task>(
  model: Model,
  data: Prompts<T>,
  heads: readonly HeadId[],
  options: EvaluateOptions,
): Promise<JointLoss<LetterOf<T>>[]> {
  checkSome("heads to remove", heads);
  const without = [[], ...heads.map((head) => [head]), heads].map((removed) => headsOutside(removed, model.config));
  const values = await circuitValues(model, data, without, options);
  return lettersOf(data.task).map((letter, i) => {
    const [whole, ...left] = values.map((rows) => columnMean(rows, i));
    const losses = left.map((level) => whole - level);
    const together = losses[heads.length];
    const sum = losses.slice(0, -1).reduce((a, b) => a + b);
    return { letter, "one by one": sum, together, ratio: share(together, sum) };
  });
}

/** The change of each letter's logit difference when one layer's MLP writes its mean over the prompts, position by position. */
export async function mlpAblation<T extends Task>(
  model: Model,
  data: Prompts<T>,
  stream: StreamOptions = {},
): Promise<({ layer: number } & LetterEffect<LetterOf<T>>)[]> {
  checkPrompts(data);
  const { n_layers } = model.config;
  const hooks = range(n_layers).map((layer) => `blocks.${layer}.hook_mlp_out` as const);
  const means = await activationMeans(model, data.tokens, hooks, { batch: stream.batch });
  const open = ({ prompts }: Batch): Measurement<{ layer: number } | null> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const measureFrom = measureIntervened<{ layer: number } | null>({
      from,
      readout: letterReadout(data),
      intervene: (point) => (point ? patch(hooks[point.layer], means[hooks[point.layer]]) : []),
      read: (logits) => logitDiffs({ logits }, prompts),
    });
    return { measureFrom, close: () => disposeRun(from) };
  };
  try {
    const layers = range(n_layers).map((layer) => ({ layer }));
    return await letterEffects(data, layers, open, stream);
  } finally {
    for (const hook of hooks) means[hook].dispose();
  }
}
