import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { type HeadId, headName } from "../model/heads";
import { type ActivationCache, type HookName, patch } from "../model/hooks";
import { disposeRun, keepRun, type Model, type Run, type Tokens } from "../model/model";
import { reusable } from "../model/plan";
import { checkCount, checkOneOf } from "../numbers/check";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import type { AcronymTask, Letter } from "../prompts/acronym-task";
import { corrupt } from "../prompts/corruption";
import {
  type CorruptionOf,
  type LetterOf,
  lettersOf,
  type Prompts,
  readoutPositions,
  type Task,
} from "../prompts/task";
import { activationMeans } from "./activation-means";
import { type Against, letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  checkCorrupted,
  type Effect,
  type Experiment,
  effect,
  firstDifference,
  measureIntervened,
  measureRows,
  type StreamOptions,
} from "./measure";
import type { Site } from "./patch-sites";

/** Of patching rows the `count` heads with which each letter loses most, most loss first and each head once. */
export function headsHarmingMost(
  rows: readonly (HeadId & { readonly letter: number; readonly change: number })[],
  count: number,
): HeadId[] {
  checkCount("count", count);
  const most = [...groupBy(rows, ({ letter }) => letter).values()].flatMap((own) =>
    [...own].sort((a, b) => a.change - b.change).slice(0, count),
  );
  const heads = new Map(most.map(({ layer, head }) => [headName({ layer, head }), { layer, head }]));
  return [...heads.values()];
}

export interface PatchOptions<P extends object, T extends Task = AcronymTask> extends StreamOptions {
  readonly site: Site<P>;
  /** One of the task's. */
  readonly corruption: CorruptionOf<T>;
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
  readonly letters?: readonly LetterOf<T>[];
  /**
   * `"noising"` (default, as the paper): corrupted activations into clean runs; what is necessary breaks.
   * `"denoising"`: clean activations into corrupted runs; what is sufficient repairs.
   */
  readonly direction?: "noising" | "denoising";
  /** What is patched in: the other run's activation of the same row (`"resample"`, default), or its mean over all rows. */
  readonly source?: "resample" | "mean";
  /** What the right letter is compared with: the largest wrong one (`"max"`, default, as the paper) or their mean. */
  readonly against?: Against;
}

export type PatchRow<P extends object, L extends number = Letter> = P & Effect & { readonly letter: L };

/**
 * Activation patching: the change of each letter's logit difference when one activation is replaced.
 * Values are patched minus unpatched, in logits, not normalised: for noising negative is harm, for denoising positive is repair.
 * Throws if there are not as many corrupted rows as prompts, or an option is none of those there are.
 * See the paper's figures 1, 2, 4–7.
 * @returns a row per letter and point of the site
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const options = { site: blockSite(), corruption: "current_word", corrupted: resample(data, 0) } as const;
 * const rows = await activationPatch(model, data, options);
 * const { layer, position } = strongest(where(rows, { letter: 3, layer: 0 }), "change");
 * console.log(layer, position, rows.length); // → 0 C3 132
 * ```
 */
export async function activationPatch<P extends object, T extends Task>(
  model: Model,
  data: Prompts<T>,
  options: PatchOptions<P, T>,
): Promise<PatchRow<P, LetterOf<T>>[]> {
  const points = options.site.points(model.config, data.task);
  return patchRows(points, await patchLetters(model, data, options));
}

/**
 * `activationPatch` as a value, to be measured whole or in parts; means over rows, which all prompts are needed for, can't be its source.
 * Throws as `activationPatch` does.
 */
export function patchExperiment<P extends object, T extends Task>(
  model: Model,
  data: Prompts<T>,
  options: Omit<PatchOptions<P, T>, "source" | keyof StreamOptions>,
): Experiment<PairPoint<P>, PatchRow<P, LetterOf<T>>> {
  const { letters, pairs } = letterPairs(data, options);
  const { rows, ...experiment } = betweenExperiment(model, data, pairs, options);
  const points = options.site.points(model.config, data.task);
  return {
    ...experiment,
    rows: (values) =>
      patchRows(
        points,
        rows(values).map((patched, i) => ({ ...patched, letter: letters[i] })),
      ),
  };
}

const patchRows = <P extends object, L extends number>(
  points: readonly P[],
  found: readonly (Patched & { readonly letter: L })[],
): PatchRow<P, L>[] =>
  found.flatMap(({ letter, base, values }) =>
    points.map((point, i) => ({ ...point, letter, ...effect(values[i], base, 0) })),
  );

export type PromptRow<P extends object, L extends number = Letter> = P & {
  readonly letter: L;
  /** Index of the prompt in the data. */
  readonly prompt: number;
  /** Of the letter's logit difference, in logits. */
  readonly change: number;
};

/** `activationPatch` prompt by prompt: a row per letter, point of the site and prompt. Throws as `activationPatch` does. */
export async function patchByPrompt<P extends object, T extends Task>(
  model: Model,
  data: Prompts<T>,
  options: PatchOptions<P, T>,
): Promise<PromptRow<P, LetterOf<T>>[]> {
  const points = options.site.points(model.config, data.task);
  const found = await patchLetters(model, data, options);
  return found.flatMap(({ letter, base, values }) =>
    points.flatMap((point, i) =>
      base.map(([before], prompt) => ({ ...point, letter, prompt, change: values[i][prompt][0] - before })),
    ),
  );
}

async function patchLetters<P extends object, T extends Task>(
  model: Model,
  data: Prompts<T>,
  options: PatchOptions<P, T>,
): Promise<(Patched & { readonly letter: LetterOf<T> })[]> {
  const { letters, pairs } = letterPairs(data, options);
  const found = await patchBetween(model, data, pairs, options);
  return found.map((patched, i) => ({ ...patched, letter: letters[i] }));
}

/** The two runs of each letter. */
function letterPairs<P extends object, T extends Task>(
  data: Prompts<T>,
  {
    corruption,
    corrupted,
    letters = lettersOf(data.task),
    direction = "noising",
  }: Pick<PatchOptions<P, T>, "corruption" | "corrupted" | "letters" | "direction">,
) {
  checkCorrupted(data, corrupted);
  checkOneOf("direction", direction, ["noising", "denoising"]);
  const pairs = letters.map((letter): Between => {
    const other = corrupt(data.tokens, corrupted, corruption, letter, data.task);
    const noising = direction === "noising";
    return { letter, into: noising ? data.tokens : other, outOf: noising ? other : data.tokens };
  });
  return { letters, pairs };
}

/** Two runs of the same prompts: activations go from one to the other. */
export interface Between {
  readonly letter: number;
  /** The tokens of the run that is measured. */
  readonly into: Tokens;
  /** The tokens of the run that the activations come from. */
  readonly outOf: Tokens;
}

/** What goes from one run into another. */
export interface BetweenOptions<P extends object> extends StreamOptions {
  readonly site: Site<P>;
  readonly source?: "resample" | "mean";
  readonly against?: Against;
}

/** Logit differences of one letter, `[prompt][0]`, in logits. */
export interface Patched {
  /** Of the run as it is. */
  readonly base: number[][];
  /** At every point of the site. */
  readonly values: number[][][];
}

/**
 * The logit difference of one letter when each point of a site is patched from one run into another, for each pair of runs.
 * A run that is measured for several pairs is made once.
 */
export async function patchBetween<P extends object>(
  model: Model,
  data: Prompts,
  pairs: readonly Between[],
  options: BetweenOptions<P>,
): Promise<Patched[]> {
  const { site, source = "resample", ...stream } = options;
  checkOneOf("source", source, ["resample", "mean"]);
  const means: ActivationCache[] = [];
  try {
    const experiment = betweenExperiment(model, data, pairs, options, means);
    if (source === "mean")
      for (const { outOf } of pairs) means.push(await activationMeans(model, outOf, site.hooks(model.config), stream));
    return await measureRows(experiment, stream);
  } finally {
    for (const cache of means) tf.dispose(Object.values(cache));
  }
}

/** A point of one of several pairs; without one the run as it is. */
export interface PairPoint<P extends object> {
  readonly pair: number;
  readonly point: P | null;
}

/** `patchBetween` as a value. Throws as `patchBetween`. */
function betweenExperiment<P extends object>(
  model: Model,
  data: Prompts,
  pairs: readonly Between[],
  { site, against }: Pick<BetweenOptions<P>, "site" | "against">,
  means: readonly ActivationCache[] = [],
): Experiment<PairPoint<P>, Patched> {
  for (const { letter, into, outOf } of pairs) {
    readoutPositions(data.task, [letter]); // that there is one, and a place to patch
    site.at?.(letter, data.task);
    checkCorrupted(data, into);
    checkCorrupted(data, outOf);
  }
  const points: readonly (P | null)[] = [null, ...site.points(model.config, data.task)];
  return {
    prompts: data,
    points: pairs.flatMap((_, pair) => points.map((point) => ({ pair, point }))),
    open: (batch) => openPairs(model, batch, { site, pairs, means, against }),
    rows: (values) =>
      pairs.map((_, pair) => {
        const [base, ...patched] = values.slice(pair * points.length, (pair + 1) * points.length);
        return { base, values: patched };
      }),
  };
}

interface Pairs<P extends object> {
  readonly site: Site<P>;
  readonly pairs: readonly Between[];
  /** Of each pair, where means are patched in; else empty. */
  readonly means: readonly ActivationCache[];
  readonly against?: Against;
}

/** One batch of prompts; of the pairs one after the other is open. */
function openPairs<P extends object>(model: Model, batch: Batch, { site, pairs, means, against }: Pairs<P>) {
  type Point = PairPoint<P>;
  let into: { readonly tokens: Tokens; readonly run: Run } | undefined;
  let opened: { pair: number; outOf?: Run; measure: ReturnType<typeof measureIntervened<Point>> } | undefined;
  const closePair = () => disposeRun(...(opened?.outOf ? [opened.outOf] : []));
  const openPair = (pair: number) => {
    closePair();
    const { letter, into: tokens, outOf: others } = pairs[pair];
    const { task } = batch.prompts;
    if (into?.tokens !== tokens) {
      if (into) disposeRun(into.run);
      const run = forward(model, batch.rows(tokens), { keep: reusable(model.config), readout: "none" });
      into = { tokens, run: keepRun(run) }; // opened within a measurement: its tensors would be freed at the end
    }
    const from = into.run;
    const outOf = means[pair] ? undefined : keepRun(runOther(from, batch.rows(others), site.hooks(model.config)));
    const source = means[pair] ?? outOf!.cache;
    const first = outOf ? firstDifference(from.tokens, batch.rows(others)) : 0;
    const positions = range(readoutPositions(task, [letter])[0] + 1).slice(first); // others make no difference at the read-out
    const measure = measureIntervened<Point>({
      from,
      readout: letterReadout(batch.prompts, [letter]),
      intervene: ({ point }) => (point ? site.intervene(point, source, positions, letter, task) : []),
      read: (logits) => logitDiffs({ logits }, batch.prompts, [letter], against),
    });
    opened = { pair, outOf, measure };
    return opened;
  };
  const measureFrom = (points: readonly Point[], start: number) => {
    const { pair } = points[start];
    const { measure } = opened?.pair === pair ? opened : openPair(pair);
    return measure(points.slice(0, points.findLastIndex((point) => point.pair === pair) + 1), start);
  };
  const close = () => {
    closePair();
    if (into) disposeRun(into.run);
  };
  return { measureFrom, close };
}

/** A run of other tokens, made from a run of these as far as they are the same. */
function runOther(from: Run, tokens: Tokens, keep: readonly HookName[]): Run {
  const { model } = from;
  const embedded = forward(model, tokens, { keep: ["hook_embed"], readout: "none" });
  const first = firstDifference(from.tokens, tokens);
  const interventions = patch("hook_embed", embedded.cache.hook_embed, {
    pos: range(from.tokens[0].length).slice(first),
  });
  const run = forward(model, from.tokens, { interventions, from, keep, readout: "none" });
  disposeRun(embedded);
  return run;
}
