import * as tf from "@tensorflow/tfjs";
import { type Corruption, corrupt } from "./corruption";
import { LETTERS, type Letter, POSITIONS, type Position, position, readoutPosition } from "./dataset";
import {
  type Batch,
  checkCorrupted,
  type Effect,
  effect,
  firstDifference,
  letterReadout,
  logitDiffs,
  type Measurement,
  measureAll,
  type Prompts,
  type StreamOptions,
} from "./experiment";
import { forward } from "./forward";
import { type ActivationCache, type HookName, type Intervention, patch } from "./hooks";
import { type HeadActivation, patchHeads } from "./interventions";
import type { Against } from "./metrics";
import { disposeRun, type Model, type ModelConfig, type Tokens } from "./model";
import { reusable } from "./plan";
import { grid, range } from "./sweep";

/** Where one activation is replaced: a set of points, and the intervention at each. */
export interface Site<P extends object> {
  points(config: ModelConfig): P[];
  /** The activations that are replaced. */
  hooks(config: ModelConfig): HookName[];
  /** `positions`: those that can make a difference. An empty intervention changes nothing. */
  intervene(point: P, source: ActivationCache, positions: readonly number[], letter: Letter): Intervention;
}

type BlockActivation = "hook_resid_pre" | "hook_attn_out" | "hook_mlp_out";

/** Every layer × position of the residual stream, or of what attention or the MLP adds to it. @see the paper's figures 1, 4, 7 */
export function blockSite(activation: BlockActivation = "hook_resid_pre"): Site<{ layer: number; position: Position }> {
  return {
    points: ({ n_layers }) => grid({ layer: range(n_layers), position: POSITIONS }),
    hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.${activation}` as const),
    intervene: ({ layer, position: label }, source, positions) => {
      const at = `blocks.${layer}.${activation}` as const;
      const pos = position(label);
      return positions.includes(pos) ? patch(at, source[at], { pos }) : [];
    },
  };
}

const headHooks =
  (activation: HeadActivation) =>
  ({ n_layers }: ModelConfig) =>
    range(n_layers).map((layer) => `blocks.${layer}.attn.hook_${activation}` as const);

/**
 * Every head, at all positions or at one that depends on the letter.
 * @param at e.g. `wordPosition` or `lastLetterPosition`
 * @see the paper's figures 2, 5 (`wordPosition`) and 6 (`lastLetterPosition`)
 */
export function headSite(
  activation: HeadActivation = "z",
  at?: (letter: Letter) => number,
): Site<{ layer: number; head: number }> {
  return {
    points: ({ n_layers, n_heads }) => grid({ layer: range(n_layers), head: range(n_heads) }),
    hooks: headHooks(activation),
    intervene: (head, source, positions, letter) => {
      const here = at ? positions.filter((pos) => pos === at(letter)) : positions;
      return here.length > 0 ? patchHeads([head], activation, source, here) : [];
    },
  };
}

/** Every head at every position. */
export function headByPositionSite(
  activation: HeadActivation = "z",
): Site<{ layer: number; position: Position; head: number }> {
  return {
    points: ({ n_layers, n_heads }) => grid({ layer: range(n_layers), position: POSITIONS, head: range(n_heads) }),
    hooks: headHooks(activation),
    intervene: ({ layer, head, position: label }, source, positions) =>
      positions.includes(position(label)) ? patchHeads([{ layer, head }], activation, source, [position(label)]) : [],
  };
}

/** C_i, where letter i's word begins. */
export const wordPosition = (letter: Letter): number => position(`C${letter}`);
/** A_(i−1), the letter written before letter i (for letter 1: the parenthesis), where letter i is read. */
export const lastLetterPosition = (letter: Letter): number => readoutPosition(letter);

export interface PatchOptions<P extends object> extends StreamOptions {
  readonly site: Site<P>;
  readonly corruption: Corruption;
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
  readonly letters?: readonly Letter[];
  /**
   * `"noising"` (default, as the paper): corrupted activations into clean runs; what is necessary breaks.
   * `"denoising"`: clean activations into corrupted runs; what is sufficient repairs.
   */
  readonly direction?: "noising" | "denoising";
  /** What is patched in: the other run's activation of the same row (`"resample"`, default), or its mean over all rows. */
  readonly source?: "resample" | "mean";
}

export type PatchRow<P extends object> = P & Effect & { readonly letter: Letter };

/**
 * Activation patching: the change of each letter's logit difference when one activation is replaced.
 * Values are patched minus unpatched, in logits, not normalised: for noising negative is harm, for denoising positive is repair.
 * @returns a row per letter and point of the site
 * @throws if there are not as many corrupted rows as prompts
 * @see the paper's figures 1, 2, 4–7
 */
export async function activationPatch<P extends object>(
  model: Model,
  data: Prompts,
  options: PatchOptions<P>,
): Promise<PatchRow<P>[]> {
  const { corruption, letters = LETTERS, direction = "noising", progress, ...rest } = options;
  checkCorrupted(data, options.corrupted);
  const points = options.site.points(model.config);
  const rows: PatchRow<P>[] = [];
  for (const [done, letter] of letters.entries()) {
    const other = corrupt(data.tokens, options.corrupted, corruption, letter);
    const { base, values } = await patchBetween(model, data, {
      ...rest,
      letter,
      ...(direction === "noising" ? { into: data.tokens, outOf: other } : { into: other, outOf: data.tokens }),
      progress: progress && ((count, total) => progress(done * total + count, letters.length * total)),
    });
    points.forEach((point, i) => {
      rows.push({ ...point, letter, ...effect(values[i], base, 0) });
    });
  }
  return rows;
}

/** Two runs of the same prompts, and what goes from one to the other. */
export interface BetweenOptions<P extends object> extends StreamOptions {
  readonly site: Site<P>;
  readonly letter: Letter;
  /** The tokens of the run that is measured. */
  readonly into: Tokens;
  /** The tokens of the run that the activations come from. */
  readonly outOf: Tokens;
  readonly source?: "resample" | "mean";
  readonly against?: Against;
}

/**
 * The logit difference of one letter when each point of a site is patched from one run into another.
 * @returns `base`: of the run as it is, `values`: of every point; `[prompt][0]`, in logits
 */
export async function patchBetween<P extends object>(
  model: Model,
  data: Prompts,
  { site, letter, into, outOf, source = "resample", against = "max", ...stream }: BetweenOptions<P>,
): Promise<{ base: number[][]; values: number[][][] }> {
  // nothing after a letter's read-out can reach it
  const [intoShort, outOfShort] = [into, outOf].map((all) =>
    all.map((row) => row.slice(0, readoutPosition(letter) + 1)),
  );
  const hooks = site.hooks(model.config);
  const means = source === "mean" ? await activationMeans(model, outOfShort, hooks, stream) : undefined;
  const readout = letterReadout(data, [letter]);
  const open = ({ prompts, rows }: Batch): Measurement<P | null> => {
    const [tokens, sourceTokens] = [rows(intoShort), rows(outOfShort)];
    const positions = range(tokens[0].length).slice(means ? 0 : firstDifference(tokens, sourceTokens));
    const from = forward(model, tokens, { keep: reusable(model.config), readout });
    const sourceRun = means ? undefined : forward(model, sourceTokens, { keep: hooks, readout: "none" });
    const base = logitDiffs(from, prompts, [letter], against);
    const measure = (point: P | null) => {
      const interventions = point ? site.intervene(point, means ?? sourceRun!.cache, positions, letter) : [];
      if (interventions.length === 0) return base;
      return logitDiffs(forward(model, tokens, { interventions, from, readout }), prompts, [letter], against);
    };
    return { measure, close: () => disposeRun(...(sourceRun ? [from, sourceRun] : [from])) };
  };
  try {
    const points: (P | null)[] = [null, ...site.points(model.config)];
    const [base, ...values] = await measureAll(data, points, open, stream);
    return { base, values };
  } finally {
    if (means) tf.dispose(Object.values(means));
  }
}

/** Means of activations over prompts, with batch 1, streamed. The caller disposes them. */
export async function activationMeans(
  model: Model,
  tokens: Tokens,
  hooks: readonly HookName[],
  { batch = 100 }: StreamOptions = {},
): Promise<ActivationCache> {
  const sums = new Map<HookName, tf.Tensor>();
  for (let start = 0; start < tokens.length; start += batch) {
    const run = forward(model, tokens.slice(start, start + batch), { keep: hooks, readout: "none" });
    for (const name of hooks) {
      const before = sums.get(name);
      const part = run.cache[name] as tf.Tensor;
      sums.set(
        name,
        tf.tidy(() => (before ? part.sum(0, true).add(before) : part.sum(0, true))),
      );
      before?.dispose();
    }
    disposeRun(run);
  }
  const means = [...sums].map(([name, sum]) => {
    const average = sum.div(tokens.length);
    sum.dispose();
    return [name, average] as const;
  });
  return Object.fromEntries(means) as unknown as ActivationCache;
}
