import * as tf from "@tensorflow/tfjs";
import { activationMeans } from "../experiments/activation-means";
import type { EvaluateOptions } from "../experiments/circuit-evaluation";
import { letterReadout, logitDiffs } from "../experiments/logit-difference";
import { BATCH, batchStarts, checkCorrupted, promptsFrom } from "../experiments/measure";
import { partOf, reporter } from "../experiments/progress";
import { sweep } from "../experiments/sweep";
import { forward, forwardEach } from "../model/forward";
import { allHeads, checkHeads, type HeadId, hasHead } from "../model/heads";
import { type ActivationCache, type Intervention, merge, patch } from "../model/hooks";
import { disposeRun, keepRun, type Model, type ModelConfig, type Run } from "../model/model";
import { checkOneOf } from "../numbers/check";
import { range } from "../numbers/lists";
import { mean } from "../numbers/statistics";
import type { Prompts } from "../prompts/task";

/** Of a model with more heads there are too many subsets to measure them all. */
export const MOST_HEADS = 16;

type Counts = Pick<ModelConfig, "n_layers" | "n_heads">;

/** The heads of a subset: a number whose bit i says whether head i of `allHeads` is in it. */
export const headsOf = (config: Counts, subset: number): HeadId[] =>
  allHeads(config).filter((_, i) => (subset >> i) & 1);

/** The number of a subset of heads. Throws a RangeError if the model lacks one of them, or one comes twice. */
export function subsetOf(config: Counts, heads: readonly HeadId[]): number {
  checkHeads({ ...config }, heads);
  return allHeads(config).reduce((bits, head, i) => bits + (hasHead(heads, head) ? 2 ** i : 0), 0);
}

/**
 * The logit difference of every subset of heads, mean over prompts and letters, in logits, all other heads ablated; by the subset's number.
 * The same as `circuitValues` of each; but what subsets have in common, the layers in which they agree, is computed once.
 * Throws a RangeError if the model has more than `MOST_HEADS` heads; as `circuitValues`; SweepInterrupted
 */
export async function everySubset(
  model: Model,
  data: Prompts,
  { corrupted, ablation = "mean", batch = BATCH, progress }: EvaluateOptions,
): Promise<number[]> {
  checkCorrupted(data, corrupted);
  checkOneOf("ablation", ablation, ["mean", "resample"]);
  const { n_layers, n_heads, name } = model.config;
  const count = n_layers * n_heads;
  if (count > MOST_HEADS)
    throw new RangeError(`${name} has ${count} heads: too many subsets; all are measured of at most ${MOST_HEADS}`);
  const hooks = range(n_layers).map(zAt);
  const means = ablation === "mean" ? await activationMeans(model, corrupted, hooks, { batch }) : undefined;
  const sums = new Float64Array(2 ** count);
  const starts = batchStarts(data.tokens.length, batch);
  const report = reporter(progress);
  try {
    for (const [b, start] of starts.entries()) {
      const prompts = promptsFrom(data, start, batch);
      const rows = corrupted.slice(start, start + batch);
      const other = means ? undefined : forward(model, rows, { keep: hooks, readout: "none" });
      const levels = new SubsetLevels(model, prompts, means ?? other!.cache);
      try {
        const points = range(2 ** (count - n_heads)).map((before) => ({ before }));
        const found = await sweep(points, ({ before }) => ({ found: levels.after(before) }), {
          progress: partOf(report, b, starts.length),
        });
        for (const { before, found: each } of found)
          for (const [last, sum] of each.entries()) sums[levels.subset(before, last)] += sum;
      } finally {
        levels.dispose();
        if (other) disposeRun(other);
      }
    }
  } finally {
    if (means) tf.dispose(Object.values(means));
  }
  return Array.from(sums, (sum) => sum / data.tokens.length);
}

const zAt = (layer: number) => `blocks.${layer}.attn.hook_z` as const;
const streamAt = (layer: number) => `blocks.${layer}.hook_resid_pre` as const;

/** Subsets of one batch. Which heads are in is chosen layer by layer; what a choice leads to is kept until another is made before it. */
class SubsetLevels {
  /** Runs that kept what layer 0, 1 … begins with and what its heads would write, for the choice at hand. */
  private readonly states: Run[] = [];
  private chosen: readonly number[] = [];

  constructor(
    private readonly model: Model,
    private readonly prompts: Prompts,
    private readonly removed: ActivationCache,
  ) {}

  /** Sums over prompts of the logit difference for every choice in the last layer, after these in the layers before it. */
  after(before: number): number[] {
    const { n_layers, n_heads } = this.model.config;
    const choices = this.choicesOf(before);
    this.goTo(choices);
    const points = range(2 ** n_heads).map((choice) => this.choose(n_layers - 1, choice));
    const runs = forwardEach(this.model, this.prompts.tokens, points, { readout: letterReadout(this.prompts) });
    return runs.map((run) => logitDiffs(run, this.prompts).reduce((sum, letters) => sum + mean(letters), 0));
  }

  /** The subset's number: choices before the last layer vary the slower the earlier the layer, so that states last. */
  subset(before: number, last: number): number {
    const { n_heads } = this.model.config;
    return [...this.choicesOf(before), last].reduce((bits, choice, layer) => bits + choice * 2 ** (n_heads * layer), 0);
  }

  private choicesOf(before: number): number[] {
    const { n_layers, n_heads } = this.model.config;
    return range(n_layers - 1).map((layer) => (before >> (n_heads * (n_layers - 2 - layer))) & (2 ** n_heads - 1));
  }

  private goTo(choices: readonly number[]): void {
    const changed = choices.findIndex((choice, layer) => choice !== this.chosen[layer]);
    if (changed >= 0) disposeRun(...this.states.splice(changed + 1)); // the first to change begins as it did
    for (let layer = this.states.length; layer <= choices.length; layer++) this.states.push(this.begin(layer, choices));
    this.chosen = choices;
  }

  /** What layer `layer` begins with after the choice in the one before. */
  private begin(layer: number, choices: readonly number[]): Run {
    const interventions = layer === 0 ? [] : this.choose(layer - 1, choices[layer - 1]);
    const keep = [streamAt(layer), zAt(layer)];
    const run = forward(this.model, this.prompts.tokens, { interventions, keep, readout: "none" });
    return keepRun(run);
  }

  /** The layer's stream as it is, and of its heads those of the choice. */
  private choose(layer: number, choice: number): Intervention {
    const { cache } = this.states[layer];
    const out = range(this.model.config.n_heads).filter((head) => !((choice >> head) & 1));
    return merge(
      patch(streamAt(layer), cache[streamAt(layer)]),
      patch(zAt(layer), cache[zAt(layer)]),
      patch(zAt(layer), this.removed[zAt(layer)], { head: out }),
    );
  }

  dispose(): void {
    disposeRun(...this.states.splice(0));
  }
}
