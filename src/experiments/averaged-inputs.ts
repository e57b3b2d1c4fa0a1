/** What a head's inputs hold: all of one kind patched, or averaged. */
import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { checkHeads, type HeadId } from "../model/heads";
import type { ActivationCache } from "../model/hooks";
import { type HeadActivation, patchHeads } from "../model/interventions";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { checkSome } from "../numbers/check";
import { grid } from "../numbers/lists";
import type { Letter } from "../prompts/acronym-task";
import { checkPrompts, type LetterOf, type Prompts, readoutPositions, type Task, wordPositions } from "../prompts/task";
import { activationMeans } from "./activation-means";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  type LetterEffect,
  letterEffects,
  type Measurement,
  measureIntervened,
  type StreamOptions,
} from "./measure";
import type { Site } from "./patch-sites";

/** What a head takes in (query, key, value), and what it gives out. */
export type HeadInput = Exclude<HeadActivation, "pattern">;
const HEAD_INPUTS: readonly HeadInput[] = ["q", "k", "v", "z"];

/** All queries, all keys, all values or all outputs of these heads at once. Throws a RangeError if there are no heads or, when used, the model lacks one */
export function inputSite(heads: readonly HeadId[]): Site<{ input: HeadInput }> {
  checkSome("heads whose inputs could be patched", heads);
  const layers = [...new Set(heads.map(({ layer }) => layer))];
  return {
    points: () => HEAD_INPUTS.map((input) => ({ input })),
    hooks: (config) => {
      checkHeads(config, heads);
      return layers.flatMap((layer) => HEAD_INPUTS.map((input) => `blocks.${layer}.attn.hook_${input}` as const));
    },
    intervene: ({ input }, source, positions) => patchHeads(heads, input, source, positions),
  };
}

export interface AveragedRow<L extends number = Letter> extends LetterEffect<L> {
  readonly input: "q" | "k" | "v";
  /** `"prompts"`: each position keeps its own mean. `"prompts and positions"`: those positions get the same. */
  readonly mean: "prompts" | "prompts and positions";
}

/**
 * What is lost when these heads' queries where letters are read, or their keys or values at C_1 … C_3, are replaced by a mean.
 * The mean over prompts at each position says nothing about this prompt, but still which word or letter it is; that over the three
 * positions, too, doesn't say it any more.
 * @returns the change of each letter's logit difference, in logits
 * Throws a RangeError if there are no heads, the prompts don't fit their task, or it has no words
 */
export async function averagedInputs<T extends Task>(
  model: Model,
  data: Prompts<T>,
  heads: readonly HeadId[],
  stream: StreamOptions = {},
): Promise<AveragedRow<LetterOf<T>>[]> {
  const site = inputSite(heads);
  const { task } = data;
  checkPrompts(data);
  const words = wordPositions(task);
  const perPosition = await activationMeans(model, data.tokens, site.hooks(model.config), stream);
  const positions = { q: readoutPositions(task), k: words, v: words };
  const points = grid({ mean: ["prompts", "prompts and positions"] as const, input: ["q", "k", "v"] as const });
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<(typeof points)[number] | null> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const intervene = (point: (typeof points)[number] | null) => {
      if (point === null) return [];
      const { input, mean } = point;
      const source = mean === "prompts" ? perPosition : sameAt(perPosition, positions[input]);
      return site.intervene({ input }, source, positions[input], 1, task);
    };
    const read = (logits: tf.Tensor3D) => logitDiffs({ logits }, prompts);
    return { measureFrom: measureIntervened({ from, readout, intervene, read }), close: () => disposeRun(from) };
  };
  try {
    return await letterEffects(data, points, open, stream);
  } finally {
    tf.dispose(Object.values(perPosition));
  }
}

/** Activations `[1, pos, …]` with their mean over these positions at every position. */
function sameAt(activations: ActivationCache, positions: readonly number[]): ActivationCache {
  const all = Object.entries(activations).map(([name, x]: [string, tf.Tensor]) => [
    name,
    tf
      .gather(x, positions as number[], 1)
      .mean(1, true)
      .tile([1, x.shape[1]!, 1, 1]),
  ]);
  return Object.fromEntries(all) as ActivationCache;
}
