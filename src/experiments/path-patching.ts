import * as tf from "@tensorflow/tfjs";
import { forward, forwardEach } from "../model/forward";
import { allHeads, checkHeads, type HeadId } from "../model/heads";
import { type ActivationCache, type HookName, type Intervention, merge } from "../model/hooks";
import { freezeHeads, freezeMlps, patchHeads } from "../model/interventions";
import { disposeRun, type Model, type Run, type Tokens } from "../model/model";
import { reusable, sideBySide } from "../model/plan";
import { checkFinite, checkOneOf, checkSome } from "../numbers/check";
import { share } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { type LetterOf, lettersOf, type Prompts, type Task, wordPositions } from "../prompts/task";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  checkCorrupted,
  columnMean,
  type Effect,
  type Experiment,
  effect,
  type Measurement,
  measureRows,
  type StreamOptions,
} from "./measure";
import { ordinalMeans } from "./order-ablation";

/** What a sender's change is followed to: the logits, or what some heads take in. */
export type Receiver = "logits" | { readonly heads: readonly HeadId[]; readonly input: "q" | "k" | "v" };

/** How paths are followed. */
export interface PathsOptions extends StreamOptions {
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
  /** Heads whose output is changed, one at a time. Default: every head. */
  readonly senders?: readonly HeadId[];
  /** `"live"` (default, as the official code): the path may pass MLPs. `"frozen"`: only the direct path remains. */
  readonly mlps?: "live" | "frozen";
  /**
   * What a sender's output loses. `"content"` (default, as the official code): it is that of the corrupted prompt, at every
   * position. `"order"`: at C_1 … C_3 it is its mean over prompts and words, which no longer tells which word is which; the task needs words.
   */
  readonly lost?: "content" | "order";
}

interface PathOptions extends PathsOptions {
  readonly receiver: Receiver;
}

export interface PathRow<L extends number = Letter> extends HeadId, Effect {
  readonly letter: L;
  /**
   * Official score: 0 unchanged, −1 as bad as the corrupted run; with the mean of the wrong letters. null where the corrupted prompts
   * themselves change nothing: then there is none.
   */
  readonly score: number | null;
}

const endOf = (receiver: Receiver, n_layers: number) =>
  receiver === "logits" ? n_layers : Math.max(...receiver.heads.map(({ layer }) => layer));

/** Whether a sender is below the receiver. */
const reaches = (model: Model, { layer }: HeadId, receiver: Receiver) => layer < endOf(receiver, model.config.n_layers);

/** Where a sender's change arrives: `sent` is a run in which only the path from the sender is open. */
const receivedBy = ({ heads, input }: Exclude<Receiver, "logits">): HookName[] =>
  [...new Set(heads.map(({ layer }) => layer))].map((layer) => `blocks.${layer}.attn.hook_${input}` as const);

/** Throws a RangeError if the model lacks one of the heads, there are none, or the input is none of theirs. */
function checkReceiver({ config }: Model, receiver: Receiver): void {
  if (receiver === "logits") return;
  checkSome("heads that receive", receiver.heads);
  checkHeads(config, receiver.heads);
  checkOneOf("input", receiver.input, ["q", "k", "v"]);
}

/** What senders write, and where. */
interface Sent {
  readonly source: ActivationCache;
  readonly at?: readonly number[];
}

/** Senders write what is sent, every other head what it does in the clean run. */
function send(senders: readonly HeadId[], clean: Run, { source, at }: Sent, mlps: "live" | "frozen"): Intervention {
  const heads = merge(freezeHeads(clean, { except: senders }), patchHeads(senders, "z", source, at));
  return mlps === "frozen" ? merge(heads, freezeMlps(clean)) : heads;
}

/**
 * Path patching: the change of each letter's logit difference when one head's changed output reaches the receiver and nothing else.
 * Every other head's output is frozen to its clean value on the way (so the change passes the residual stream and MLPs only); into
 * heads, what arrives at their input is then patched into an ordinary clean run.
 * Throws as `pathsInto`.
 * @returns a row per letter and sender
 */
export async function pathPatch<T extends Task>(
  model: Model,
  data: Prompts<T>,
  { receiver, ...options }: PathOptions,
): Promise<PathRow<LetterOf<T>>[]> {
  return (await pathsInto(model, data, [receiver], options)).map(({ receiver: _, ...row }) => row);
}

/**
 * Path patching into several receivers at once, each by itself: a sender's change is worked out once for all of them.
 * Throws if there are not as many corrupted rows as prompts, the model lacks a head, or an option is none of those there are.
 * @returns a row per receiver (its index in the list), letter and sender that is below it
 */
export async function pathsInto<T extends Task>(
  model: Model,
  data: Prompts<T>,
  receivers: readonly Receiver[],
  options: PathsOptions,
): Promise<(PathRow<LetterOf<T>> & { readonly receiver: number })[]> {
  const { lost = "content", ...stream } = options;
  checkOneOf("lost", lost, ["content", "order"]);
  if (lost === "content") return measureRows(pathExperiment(model, data, receivers, options), stream);
  const means = await ordinalMeans(model, data, stream);
  try {
    return await measureRows(pathExperiment(model, data, receivers, options, means), stream);
  } finally {
    tf.dispose(Object.values(means));
  }
}

/**
 * `pathsInto` as a value, to be measured whole or in parts. Throws as `pathsInto`.
 * @param means what senders write where they lose the order
 */
export function pathExperiment<T extends Task>(
  model: Model,
  data: Prompts<T>,
  receivers: readonly Receiver[],
  options: Omit<PathsOptions, "lost" | keyof StreamOptions>,
  means?: ActivationCache,
): Experiment<Point, PathRow<LetterOf<T>> & { readonly receiver: number }> {
  const { corrupted, senders = allHeads(model.config), mlps = "live" } = options;
  checkCorrupted(data, corrupted);
  checkSome("receivers", receivers);
  for (const receiver of receivers) checkReceiver(model, receiver);
  checkHeads(model.config, senders);
  checkOneOf("mlps", mlps, ["live", "frozen"]);
  const reaching = senders.filter((sender) => receivers.some((receiver) => reaches(model, sender, receiver)));
  const letters = lettersOf(data.task);
  const rows = (measured: readonly number[][][]) => {
    const [[clean], [bad], ...values] = measured.map((own) => byReceiver(own, 2 * letters.length));
    return receivers.flatMap((receiver, r) =>
      letters.flatMap((letter, i) =>
        reaching.flatMap((sender, s) => {
          if (!reaches(model, sender, receiver)) return [];
          const toMean = letters.length + i;
          const damage = columnMean(values[s][r], toMean) - columnMean(clean, toMean);
          const whole = columnMean(bad, toMean) - columnMean(clean, toMean);
          return [{ ...sender, receiver: r, letter, ...effect(values[s][r], clean, i), score: share(-damage, whole) }];
        }),
      ),
    );
  };
  const open = (batch: Batch) => openPaths(model, batch, { receivers, corrupted, mlps, means });
  return { prompts: data, points: ["clean", "corrupted", ...reaching], open, rows };
}

type Point = HeadId | "clean" | "corrupted";

/**
 * `[prompt][receiver * columns + column]` → `[receiver][prompt][column]`
 * @param columns of one receiver: logit differences of each letter to the largest wrong one, then to their mean
 */
const byReceiver = (rows: readonly (readonly number[])[], columns: number): number[][][] =>
  rows[0].flatMap((_, c) => (c % columns === 0 ? [rows.map((row) => row.slice(c, c + columns))] : []));

interface Opened {
  readonly mlps: "live" | "frozen";
  readonly receivers: readonly Receiver[];
  readonly corrupted: Tokens;
  readonly means?: ActivationCache;
}

/** The paths of one batch of prompts. */
function openPaths(model: Model, { prompts, rows }: Batch, { receivers, corrupted, mlps, means }: Opened) {
  const readout = letterReadout(prompts);
  const reuse = new Set<HookName>(reusable(model.config));
  const keep = (name: HookName) => /hook_z$|mlp_out$/.test(name) || reuse.has(name);
  const clean = forward(model, prompts.tokens, { keep, readout });
  const other = forward(model, rows(corrupted), { keep, readout });
  const sent: Sent = means ? { source: means, at: wordPositions(prompts.task) } : { source: other.cache };
  const columns = (run: Run) => {
    const mean = logitDiffs(run, prompts, undefined, "mean");
    return logitDiffs(run, prompts).map((row, i) => [...row, ...mean[i]]);
  };
  const { tokens } = prompts;
  const arriving = receivers.flatMap((receiver) => (receiver === "logits" ? [] : receivedBy(receiver)));
  const measureFrom = (points: readonly Point[], start: number) => {
    const first = points[start];
    if (first === "clean" || first === "corrupted") return [columns(first === "clean" ? clean : other)];
    const rest = points.slice(start) as readonly HeadId[]; // senders come last
    const sending = (index: number) => send([rest[index]], clean, sent, mlps);
    const options = {
      from: clean,
      keep: arriving,
      readout: receivers.includes("logits") ? readout : ("none" as const),
    };
    const sends = sideBySide(model, tokens, { ...options, points: sending, count: rest.length });
    const senders = rest.slice(0, sends.length);
    const arrived = forwardEach(model, tokens, sends, options);
    const each = receivers.map((receiver) => {
      if (receiver === "logits") return arrived.map(columns);
      const interventions = senders.map((sender, i) =>
        reaches(model, sender, receiver) ? patchHeads(receiver.heads, receiver.input, arrived[i].cache) : [],
      );
      return forwardEach(model, tokens, interventions, { from: clean, readout }).map(columns);
    });
    return senders.map((_, i) => tokens.map((_, prompt) => each.flatMap((values) => values[i][prompt])));
  };
  return { measureFrom, close: () => disposeRun(clean, other) } satisfies Measurement<Point>;
}

/**
 * Of the rows with the same key, the one that loses the largest share of its letter's clean logit difference.
 * Throws a RangeError if a letter has no clean logit difference.
 * @param clean logit differences by letter: that of letter 1 first
 * @returns a row for each key, in the order in which they first come; `share`: positive is harm. A letter whose clean logit difference is 0
 *   loses no share of it: its rows are left out
 */
export function strongestPaths<R extends { readonly letter: number; readonly change: number }>(
  rows: readonly R[],
  key: (row: R) => string,
  clean: readonly number[],
): (R & { readonly share: number })[] {
  const best = new Map<string, R & { readonly share: number }>();
  for (const row of rows) {
    checkFinite(`clean logit difference of letter ${row.letter}`, clean[row.letter - 1]);
    const lost = share(-row.change, clean[row.letter - 1]);
    if (lost !== null && lost > (best.get(key(row))?.share ?? Number.NEGATIVE_INFINITY))
      best.set(key(row), { ...row, share: lost });
  }
  return [...best.values()];
}
