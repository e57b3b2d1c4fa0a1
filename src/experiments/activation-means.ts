import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import type { ActivationCache, HookName } from "../model/hooks";
import type { Model, Tokens } from "../model/model";
import { checkSome } from "../numbers/check";
import { BATCH, batchStarts, type StreamOptions } from "./measure";
import { sweep } from "./sweep";

/**
 * Means of activations over prompts, with batch 1, streamed. The caller disposes them.
 * Throws a RangeError if there are no prompts; SweepInterrupted
 */
export async function activationMeans(
  model: Model,
  tokens: Tokens,
  hooks: readonly HookName[],
  { batch = BATCH }: StreamOptions = {},
): Promise<ActivationCache> {
  checkSome("prompts", tokens);
  const starts = batchStarts(tokens.length, batch).map((start) => ({ start }));
  const sums = new Map<HookName, tf.Tensor>();
  const add = ({ start }: { start: number }) => {
    const { cache } = forward(model, tokens.slice(start, start + batch), { keep: hooks, readout: "none" });
    for (const name of hooks) {
      const [before, part] = [sums.get(name), cache[name].sum(0, true)];
      sums.set(name, tf.keep(before ? part.add(before) : part));
      before?.dispose();
    }
    return {};
  };
  try {
    await sweep(starts, add);
  } catch (error) {
    tf.dispose([...sums.values()]);
    throw error;
  }
  const means = [...sums].map(([name, sum]) => {
    const average = sum.div(tokens.length);
    sum.dispose();
    return [name, average] as const;
  });
  return Object.fromEntries(means) as unknown as ActivationCache;
}
