import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { allHeads, type HeadId } from "../model/heads";
import type { ActivationCache } from "../model/hooks";
import { patchHeads } from "../model/interventions";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { range } from "../numbers/lists";
import { LETTERS, wordPosition } from "../prompts/positions";
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
import { activationMeans } from "./patching";

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

/** The change of each letter's logit difference when a head's output at C_1 … C_3 can no longer tell which word is which. */
export async function ordinalAblation(
  model: Model,
  data: Prompts,
  stream: StreamOptions = {},
): Promise<(HeadId & LetterEffect)[]> {
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
    return await letterEffects(data, allHeads(model.config), open, stream);
  } finally {
    tf.dispose(Object.values(means));
  }
}
