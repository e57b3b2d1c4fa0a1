import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { allHeads, checkHeads, type HeadId, headsOutside } from "../model/heads";
import type { ActivationCache } from "../model/hooks";
import { patchHeads } from "../model/interventions";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { LETTERS, type Letter, wordPosition } from "../prompts/positions";
import { activationMeans } from "./activation-means";
import { type EvaluateOptions, evaluateCircuits } from "./circuit-evaluation";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  type LetterEffect,
  letterEffects,
  type Measurement,
  measureIntervened,
  type Prompts,
  type StreamOptions,
} from "./measure";
import { partOf, reporter } from "./progress";

/** C_1 … C_3. Which of them a word is, is the same in all prompts: no other prompt's activations can take it away. */
export const WORD_POSITIONS: readonly number[] = LETTERS.map(wordPosition);

/**
 * Every head's output as its mean over prompts and C_1 … C_3, at every position; of batch 1, so it serves every prompt. Put in at
 * the three words, it no longer tells which word is which. The caller disposes it.
 */
export async function ordinalMeans(
  model: Model,
  { tokens }: Prompts,
  stream: StreamOptions = {},
): Promise<ActivationCache> {
  const hooks = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
  const perPosition = await activationMeans(model, tokens, hooks, stream);
  const means = hooks.map((hook) => {
    const z = perPosition[hook];
    const same = tf.tidy(() =>
      tf
        .gather(z, WORD_POSITIONS as number[], 1)
        .mean(1, true)
        .tile([1, z.shape[1], 1, 1]),
    );
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
export async function ordinalAblation(
  model: Model,
  data: Prompts,
  { heads = allHeads(model.config), ...stream }: StreamOptions & { readonly heads?: readonly HeadId[] } = {},
): Promise<(HeadId & LetterEffect)[]> {
  checkHeads(model.config, heads);
  const means = await ordinalMeans(model, data, stream);
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<HeadId | null> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const measureFrom = measureIntervened<HeadId | null>({
      from,
      readout,
      intervene: (head) => (head ? patchHeads([head], "z", means, WORD_POSITIONS) : []),
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
export interface MeanLossRow extends HeadId {
  readonly letter: Letter;
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
export async function lossByMean(
  model: Model,
  data: Prompts,
  heads: readonly HeadId[],
  { corrupted, progress, ...stream }: Omit<EvaluateOptions, "ablation">,
): Promise<MeanLossRow[]> {
  const report = reporter(progress);
  const circuits = [allHeads(model.config), ...heads.map((head) => headsOutside([head], model.config))];
  const options = { corrupted, progress: partOf(report, 0, 2), ...stream };
  const [whole, ...left] = await circuitLevels(model, data, circuits, options);
  const common = await ordinalAblation(model, data, { heads, progress: partOf(report, 1, 2), ...stream });
  return [
    ...heads.flatMap((head, h) =>
      LETTERS.map((letter, i) => {
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
