import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { allHeads, type HeadId } from "../model/heads";
import type { HookName, Intervention } from "../model/hooks";
import { disposeRun, type Model, type ModelConfig, type Run } from "../model/model";
import { checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import { meanBy } from "../numbers/mean-by";
import { random } from "../numbers/random";
import { fitProbe, probeAccuracy } from "../numbers/softmax-regression";
import {
  checkPrompts,
  indexOf,
  lettersOf,
  lettersOfWords,
  type Prompts,
  type Task,
  wordPositions,
} from "../prompts/task";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";
import { partOf, reporter } from "./progress";
import { sweep } from "./sweep";

/** What a probe reads at each of its points: a vector for each word of each prompt. */
export interface ProbeSite<P extends object> {
  points(config: ModelConfig): P[];
  hooks(config: ModelConfig): HookName[];
  /** `[batch, words, d]`, at C_1, C_2, C_3 (the words of the task). */
  read(run: Run, point: P, task: Task): tf.Tensor;
}

const residualHook = (layer: number, { n_layers }: ModelConfig) =>
  layer < n_layers ? (`blocks.${layer}.hook_resid_pre` as const) : (`blocks.${n_layers - 1}.hook_resid_post` as const);

/** The residual stream before each layer; the last point, n_layers, is after the last one. */
export const residualProbes: ProbeSite<{ layer: number }> = {
  points: ({ n_layers }) => range(n_layers + 1).map((layer) => ({ layer })),
  hooks: (config) => range(config.n_layers + 1).map((layer) => residualHook(layer, config)),
  read: ({ cache, model }, { layer }, task) =>
    tf.gather(cache[residualHook(layer, model.config)] as tf.Tensor, wordPositions(task), 1),
};

/** Each head's output. */
export const headProbes: ProbeSite<HeadId> = {
  points: allHeads,
  hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const),
  read: ({ cache }, { layer, head }, task) => {
    const z = tf.gather(cache[`blocks.${layer}.attn.hook_z`], wordPositions(task), 1); // [batch, word, head, d_head]
    return z.slice([0, 0, head, 0], [-1, -1, 1, -1]).squeeze([2]);
  },
};

/** One number for each head: its attention to BOS. */
export const bosProbes: ProbeSite<HeadId> = {
  points: allHeads,
  hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.attn.hook_pattern` as const),
  read: ({ cache }, { layer, head }, task) => {
    const pattern = tf.gather(cache[`blocks.${layer}.attn.hook_pattern`], wordPositions(task), 2); // [batch, head, word, key_pos]
    return pattern.slice([0, head, 0, indexOf(task, "BOS")], [-1, 1, -1, 1]).squeeze([1]);
  },
};

/**
 * Every prompt as often as it has words (three times), its words moved on by 0, 1 and 2 places, the written letters with them. Each word is
 * then first, second and third once: which word stands there tells nothing about its place.
 * Throws a RangeError if the prompts don't fit their task, its words don't all have a letter that is read, or are not all as long.
 */
export function rotateWords<T extends Task>(data: Prompts<T>): Prompts<T> {
  checkPrompts(data);
  const { task, tokens, answerLetters, letters } = data;
  const places = turnable(task);
  const turn = <V>(items: readonly V[], by: number) => items.map((_, i) => items[(i + by) % items.length]);
  const turned = tokens.flatMap((row, i) =>
    places.map((_, by) => {
      const answers = turn(answerLetters[i], by);
      const tokens = [...row];
      turn(places, by).forEach((from, word) => {
        for (const [t, pos] of places[word].entries()) tokens[pos] = row[from[t]];
      });
      for (const { at, letter } of task.written ?? []) tokens[indexOf(task, at)] = letters[answers[letter - 1]];
      return { tokens, answers };
    }),
  );
  return { task, tokens: turned.map((row) => row.tokens), answerLetters: turned.map((row) => row.answers), letters };
}

/** The positions of each word. Throws a RangeError unless the task's read-outs are just the letters of its words, in order, and these are as long. */
function turnable(task: Task): number[][] {
  lettersOfWords(task);
  const words = (task.words ?? []).map((labels) => labels.map((label) => indexOf(task, label)));
  if (
    lettersOf(task).join() !== words.map((_, i) => i + 1).join() ||
    words.some((one) => one.length !== words[0].length)
  )
    throw new RangeError(
      `the words of ${task.name} can't change places: that needs words of the same number of tokens, and the letter of each of them read, in order`,
    );
  return words;
}

export interface WordProbeOptions<P extends object> extends StreamOptions {
  readonly site: ProbeSite<P>;
  /** Each chooses the prompts that are trained on, one half, and how the control's labels are shuffled. */
  readonly seeds: readonly number[];
  /** What is done to the runs that are read. */
  readonly interventions?: Intervention;
}

export interface ProbeAccuracy {
  readonly seed: number;
  /** Share of the words of held-out prompts whose place the probe finds: 1, 2 or 3 where there are three. */
  readonly accuracy: number;
  /** What guessing reaches: one of so many words. */
  readonly chance: number;
  /** The same with all labels shuffled, those that are tested against too: what a probe reaches when there is nothing to find. */
  readonly shuffled: number;
}

/**
 * Linear probes for "which word am I?", read at C_1, C_2, C_3 of every prompt and its rotations (see `rotateWords`),
 * trained on one half of the prompts and tested on the other.
 * Throws if there are fewer than two prompts, or no seeds.
 * @returns a row for each point of the site and each seed
 */
export async function wordProbes<P extends object>(
  model: Model,
  data: Prompts,
  { site, seeds, interventions, batch, progress }: WordProbeOptions<P>,
): Promise<(P & ProbeAccuracy)[]> {
  const n = data.tokens.length;
  if (n < 2) throw new Error(`${n} prompt can't be both trained on and held out; give at least two`);
  checkSome("seeds", seeds);
  const turned = rotateWords(data);
  const words = wordPositions(data.task).length;
  const points = site.points(model.config);
  const keep = site.hooks(model.config);
  const open = ({ prompts }: Batch): Measurement<P> => {
    const run = forward(model, prompts.tokens, { interventions, keep, readout: "none" });
    const measure = (point: P) => {
      const features = site.read(run, point, data.task); // [rotated prompt, word, d]
      return features.reshape([features.shape[0], -1]).arraySync() as number[][];
    };
    return { measure, close: () => disposeRun(run) };
  };
  const read = await measureAll(turned, points, open, { batch });
  const tasks = points.flatMap((point, p) => seeds.map((seed) => ({ point, p, seed })));
  const rows = await sweep(tasks, ({ p, seed }) => trainAndTest(read[p], words, seed), { progress });
  return rows.map(({ point, seed, accuracy, shuffled }) => ({ ...point, seed, accuracy, chance: 1 / words, shuffled }));
}

/** A way to run a model, and what figures call it. */
export interface ProbedRun {
  readonly run: string;
  readonly interventions: Intervention;
}

/**
 * `wordProbes` on each of several runs. Throws as `wordProbes`, and if there are no runs.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 40 });
 * const runs = [{ run: "intact", interventions: [] }];
 * const rows = await probesOfRuns(model, data, { site: residualProbes, runs, seeds: [0] });
 * const [before] = accuracyByLayer(rows); // position embeddings tell a probe which word it reads
 * console.log(before.layer, before.run, before.accuracy > before.chance); // → 0 intact true
 * ```
 */
export async function probesOfRuns<P extends object>(
  model: Model,
  data: Prompts,
  { runs, progress, ...options }: Omit<WordProbeOptions<P>, "interventions"> & { readonly runs: readonly ProbedRun[] },
): Promise<(P & ProbeAccuracy & { run: string })[]> {
  checkSome("runs", runs);
  const report = reporter(progress);
  const rows = [];
  for (const [i, { run, interventions }] of runs.entries()) {
    const measured = await wordProbes(model, data, {
      ...options,
      interventions,
      progress: partOf(report, i, runs.length),
    });
    rows.push(...measured.map((row) => ({ ...row, run })));
  }
  return rows;
}

/** What `accuracyByLayer` calls the control. */
export const SHUFFLED = "labels shuffled";

/** Mean accuracy over seeds (std: over seeds) for each layer and run, all with prompts of one task; the control, of all runs together, is a run of its own. */
export function accuracyByLayer(rows: readonly (ProbeAccuracy & { layer: number; run: string })[]) {
  const control = rows.map(({ layer, shuffled }) => ({ layer, run: SHUFFLED, accuracy: shuffled }));
  const accuracies = rows.map(({ layer, run, accuracy }) => ({ layer, run, accuracy }));
  const { chance } = rows[0] ?? { chance: 0 };
  return meanBy([...accuracies, ...control], ["layer", "run"], "accuracy").map((row) => ({ ...row, chance }));
}

/** `read`: as many rotations of each prompt as it has words, each with its words' features one after another. */
function trainAndTest(read: readonly (readonly number[])[], words: number, seed: number) {
  const { shuffle } = random(seed, "probes");
  const prompts = shuffle(range(read.length / words));
  const d = read[0].length / words;
  const wordsOf = (prompt: number) =>
    range(words).flatMap((by) => range(words).map((word) => read[words * prompt + by].slice(word * d, (word + 1) * d)));
  const half = Math.ceil(prompts.length / 2);
  const [train, test] = [prompts.slice(0, half), prompts.slice(half)].map((part) => part.flatMap(wordsOf));
  const accuracy = (trained: readonly number[], tested: readonly number[]) =>
    probeAccuracy(fitProbe(train, trained), test, tested);
  const [places, others] = [train, test].map((samples) => samples.map((_, i) => i % words));
  return { accuracy: accuracy(places, others), shuffled: accuracy(shuffle(places), shuffle(others)) };
}
