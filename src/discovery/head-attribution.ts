import * as tf from "@tensorflow/tfjs";
import { activationMeans } from "../experiments/activation-means";
import { gradients, meanLogitDiff } from "../experiments/gradients";
import { BATCH, batchStarts, checkCorrupted, promptsFrom } from "../experiments/measure";
import { sweep } from "../experiments/sweep";
import { forward } from "../model/forward";
import { allHeads, type HeadId } from "../model/heads";
import type { Model } from "../model/model";
import { range } from "../numbers/lists";
import type { Prompts } from "../prompts/task";
import type { EdgeOptions } from "./edge-circuits";

/** What gradients say that the logit difference would change by. */
export interface AttributedHead extends HeadId {
  /** In logits, mean over prompts and letters. */
  readonly change: number;
}

/**
 * Attribution patching of heads: the gradient of the logit difference at each head's output × (its mean over the corrupted prompts −
 * its output), which says from one pass what mean ablation of that head would change.
 * Throws a RangeError if there are not as many corrupted rows as prompts; SweepInterrupted
 * See Nanda (2023), Attribution patching
 */
export async function attributeHeads(
  model: Model,
  data: Prompts,
  { corrupted, batch = BATCH, progress }: EdgeOptions,
): Promise<AttributedHead[]> {
  checkCorrupted(data, corrupted);
  const hooks = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
  const means = await activationMeans(model, corrupted, hooks, { batch });
  const starts = batchStarts(data.tokens.length, batch).map((start) => ({ start }));
  const changes = ({ start }: { start: number }) => {
    const prompts = promptsFrom(data, start, batch);
    const { at } = gradients(model, prompts, meanLogitDiff(), hooks);
    const { cache: outputs } = forward(model, prompts.tokens, { keep: hooks, readout: "none" });
    const sums = hooks.map(
      (name) => at[name].mul(means[name].sub(outputs[name])).sum([0, 1, 3]).arraySync() as number[],
    );
    return { sums: sums.flat() };
  };
  try {
    const rows = await sweep(starts, changes, { progress });
    const total = (i: number) => rows.reduce((sum, { sums }) => sum + sums[i], 0) / data.tokens.length;
    return allHeads(model.config).map((head, i) => ({ ...head, change: total(i) }));
  } finally {
    tf.dispose(Object.values(means));
  }
}
