import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { allHeads, checkHeads, type HeadId, headsOutside } from "../model/heads";
import type { ActivationCache } from "../model/hooks";
import { patchHeads } from "../model/interventions";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import type { Letter } from "../prompts/acronym-task";
import { checkPrompts, type LetterOf, lettersOf, type Prompts, type Task, wordPositions } from "../prompts/task";
import { activationMeans } from "./activation-means";
import { type EvaluateOptions, evaluateCircuits } from "./circuit-evaluation";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  type LetterEffect,
  letterEffects,
  type Measurement,
  measureIntervened,
  type StreamOptions,
} from "./measure";
import { partOf, reporter } from "./progress";

/**
 * Every head's output as its mean over prompts and C_1 … C_3, at every position; of batch 1, so it serves every prompt. Put in at
 * the three words, it no longer tells which word is which: that is the same in all prompts, so no other prompt's activations can take it
 * away. The caller disposes it.
 * Throws a RangeError if the prompts don't fit their task, or it has no words.
 */
export async function ordinalMeans(model: Model, data: Prompts, stream: StreamOptions = {}): Promise<ActivationCache> {
  checkPrompts(data);
  const words = wordPositions(data.task);
  const hooks = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
  const perPosition = await activationMeans(model, data.tokens, hooks, stream);
  const means = hooks.map((hook) => {
    const z = perPosition[hook];
    const same = tf.tidy(() => tf.gather(z, words, 1).mean(1, true).tile([1, z.shape[1], 1, 1]));
    z.dispose();
    return [hook, same] as const;
  });
  return Object.fromEntries(means) as unknown as ActivationCache;
}

/**
 * The change of each letter's logit difference when a head's output at C_1 … C_3 can no longer tell which word is which.
 * Throws a RangeError if the model lacks one of the heads.
 * @param options `heads`: default all
 */
export async function ordinalAblation<T extends Task>(
  model: Model,
  data: Prompts<T>,
  { heads = allHeads(model.config), ...stream }: StreamOptions & { readonly heads?: readonly HeadId[] } = {},
): Promise<(HeadId & LetterEffect<LetterOf<T>>)[]> {
  checkHeads(model.config, heads);
  const means = await ordinalMeans(model, data, stream);
  const words = wordPositions(data.task);
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<HeadId | null> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const measureFrom = measureIntervened<HeadId | null>({
      from,
      readout,
      intervene: (head) => (head ? patchHeads([head], "z", means, words) : []),
      read: (logits) => logitDiffs({ logits }, prompts),
    });
    return { measureFrom, close: () => disposeRun(from) };
  };
  try {
    return await letterEffects(data, heads, open, stream);
  } finally {
    tf.dispose(Object.values(means));
  }
}

/** What the whole model loses when one head writes a mean. */
export interface MeanLossRow<L extends number = Letter> extends HeadId {
  readonly letter: L;
  /** Which mean. The first still says what is the same in all prompts, such as which word is which; the second doesn't. */
  readonly mean: "mean of each position" | "common mean at C1, C2 and C3";
  /** In logits; negative: the model does better. */
  readonly lost: number;
}

/**
 * One head at a time replaced in the whole model by either mean: that of each position, over corrupted prompts and everywhere, and the
 * common one of `ordinalAblation`.
 * Throws as `evaluateCircuits` and `ordinalAblation`.
 * @returns a row for each mean, head and letter
 */
export async function lossByMean<T extends Task>(
  model: Model,
  data: Prompts<T>,
  heads: readonly HeadId[],
  { corrupted, progress, ...stream }: Omit<EvaluateOptions, "ablation">,
): Promise<MeanLossRow<LetterOf<T>>[]> {
  const report = reporter(progress);
  const circuits = [allHeads(model.config), ...heads.map((head) => headsOutside([head], model.config))];
  const options = { corrupted, progress: partOf(report, 0, 2), ...stream };
  const [whole, ...left] = await circuitLevels(model, data, circuits, options);
  const common = await ordinalAblation(model, data, { heads, progress: partOf(report, 1, 2), ...stream });
  return [
    ...heads.flatMap((head, h) =>
      lettersOf(data.task).map((letter, i) => {
        const lost = whole[i] - left[h][i];
        return { ...head, letter, mean: "mean of each position" as const, lost };
      }),
    ),
    ...common.map(({ layer, head, letter, change }) => {
      return { layer, head, letter, mean: "common mean at C1, C2 and C3" as const, lost: -change };
    }),
  ];
}

/** Mean logit differences `[circuit][letter]`. */
async function circuitLevels(...measured: Parameters<typeof evaluateCircuits>): Promise<number[][]> {
  const rows = await evaluateCircuits(...measured);
  return [...groupBy(rows, ({ circuit }) => circuit).values()].map((own) => own.map(({ logit_diff }) => logit_diff));
}
