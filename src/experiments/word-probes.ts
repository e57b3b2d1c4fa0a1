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
import { LETTERS, position, wordPosition } from "../prompts/positions";
import { type Batch, type Measurement, measureAll, type Prompts, type StreamOptions } from "./measure";
import { partOf, reporter } from "./progress";
import { sweep } from "./sweep";

/** What a probe reads at each of its points: a vector for each word of each prompt. */
export interface ProbeSite<P extends object> {
  points(config: ModelConfig): P[];
  hooks(config: ModelConfig): HookName[];
  /** `[batch, 3, d]`, at C_1, C_2, C_3. */
  read(run: Run, point: P): tf.Tensor;
}

const WORDS = LETTERS.map(wordPosition);

const residualHook = (layer: number, { n_layers }: ModelConfig) =>
  layer < n_layers ? (`blocks.${layer}.hook_resid_pre` as const) : (`blocks.${n_layers - 1}.hook_resid_post` as const);

/** The residual stream before each layer; the last point, n_layers, is after the last one. */
export const residualProbes: ProbeSite<{ layer: number }> = {
  points: ({ n_layers }) => range(n_layers + 1).map((layer) => ({ layer })),
  hooks: (config) => range(config.n_layers + 1).map((layer) => residualHook(layer, config)),
  read: ({ cache, model }, { layer }) => tf.gather(cache[residualHook(layer, model.config)] as tf.Tensor, WORDS, 1),
};

/** Each head's output. */
export const headProbes: ProbeSite<HeadId> = {
  points: allHeads,
  hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const),
  read: ({ cache }, { layer, head }) => {
    const z = tf.gather(cache[`blocks.${layer}.attn.hook_z`], WORDS, 1); // [batch, word, head, d_head]
    return z.slice([0, 0, head, 0], [-1, -1, 1, -1]).squeeze([2]);
  },
};

/** One number for each head: its attention to BOS. */
export const bosProbes: ProbeSite<HeadId> = {
  points: allHeads,
  hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.attn.hook_pattern` as const),
  read: ({ cache }, { layer, head }) => {
    const pattern = tf.gather(cache[`blocks.${layer}.attn.hook_pattern`], WORDS, 2); // [batch, head, word, key_pos]
    return pattern.slice([0, head, 0, position("BOS")], [-1, 1, -1, 1]).squeeze([1]);
  },
};

/**
 * Every prompt three times, its words moved on by 0, 1 and 2 places, the written letters with them. Each word is then
 * first, second and third once: which word stands there tells nothing about its place.
 */
export function rotateWords({ tokens, answerLetters, letters }: Prompts): Prompts {
  const turn = <T>(items: readonly T[], by: number) => items.map((_, i) => items[(i + by) % items.length]);
  const [start, end] = [WORDS[0], position("(")];
  const turned = tokens.flatMap((row, i) =>
    LETTERS.map((_, by) => {
      const words = turn(
        WORDS.map((pos) => row.slice(pos, pos + 2)),
        by,
      );
      const answers = turn(answerLetters[i], by);
      const written = answers.slice(0, 2).map((letter) => letters[letter]);
      return { tokens: [...row.slice(0, start), ...words.flat(), row[end], ...written], answers };
    }),
  );
  return { tokens: turned.map((row) => row.tokens), answerLetters: turned.map((row) => row.answers), letters };
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
  /** Share of the words of held-out prompts whose place, 1–3, the probe finds. Chance is 1/3. */
  readonly accuracy: number;
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
  const points = site.points(model.config);
  const keep = site.hooks(model.config);
  const open = ({ prompts }: Batch): Measurement<P> => {
    const run = forward(model, prompts.tokens, { interventions, keep, readout: "none" });
    const measure = (point: P) => {
      const features = site.read(run, point); // [rotated prompt, word, d]
      return features.reshape([features.shape[0], -1]).arraySync() as number[][];
    };
    return { measure, close: () => disposeRun(run) };
  };
  const read = await measureAll(rotateWords(data), points, open, { batch });
  const tasks = points.flatMap((point, p) => seeds.map((seed) => ({ point, p, seed })));
  const rows = await sweep(tasks, ({ p, seed }) => trainAndTest(read[p], seed), { progress });
  return rows.map(({ point, seed, accuracy, shuffled }) => ({ ...point, seed, accuracy, shuffled }));
}

/** A way to run a model, and what figures call it. */
export interface ProbedRun {
  readonly run: string;
  readonly interventions: Intervention;
}

/** `wordProbes` on each of several runs. Throws as `wordProbes`, and if there are no runs. */
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

/** Mean accuracy over seeds (std: over seeds) for each layer and run; the control, of all runs together, is a run of its own. */
export function accuracyByLayer(rows: readonly (ProbeAccuracy & { layer: number; run: string })[]) {
  const control = rows.map(({ layer, shuffled }) => ({ layer, run: SHUFFLED, accuracy: shuffled }));
  const accuracies = rows.map(({ layer, run, accuracy }) => ({ layer, run, accuracy }));
  return meanBy([...accuracies, ...control], ["layer", "run"], "accuracy").map((row) => ({
    ...row,
    chance: 1 / LETTERS.length,
  }));
}

/** `read`: three rotations of each prompt, each with its words' features one after another. */
function trainAndTest(read: readonly (readonly number[])[], seed: number) {
  const { shuffle } = random(seed, "probes");
  const rotations = LETTERS.length;
  const prompts = shuffle(range(read.length / rotations));
  const d = read[0].length / LETTERS.length;
  const wordsOf = (prompt: number) =>
    range(rotations).flatMap((by) =>
      LETTERS.map((_, word) => read[rotations * prompt + by].slice(word * d, (word + 1) * d)),
    );
  const half = Math.ceil(prompts.length / 2);
  const [train, test] = [prompts.slice(0, half), prompts.slice(half)].map((part) => part.flatMap(wordsOf));
  const accuracy = (trained: readonly number[], tested: readonly number[]) =>
    probeAccuracy(fitProbe(train, trained), test, tested);
  const [places, others] = [train, test].map((samples) => samples.map((_, i) => i % LETTERS.length));
  return { accuracy: accuracy(places, others), shuffled: accuracy(shuffle(places), shuffle(others)) };
}
