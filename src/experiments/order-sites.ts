import type * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { allHeads, type HeadId, headName } from "../model/heads";
import { type Activation, type HookName, type Intervention, merge, patch, type Slice } from "../model/hooks";
import { patchWithin, type Subspace } from "../model/interventions";
import { disposeRun, type Model, type ModelConfig, type Run, type Tokens } from "../model/model";
import { pick } from "../model/slices";
import { range } from "../numbers/lists";
import { coordinates, planeThrough, randomSubspace } from "../numbers/subspace";
import type { AcronymTask } from "../prompts/acronym-task";
import { LETTERS, POSITIONS, wordPosition } from "../prompts/positions";
import type { Prompts } from "../prompts/task";
import { activationMeans } from "./activation-means";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";
import type { Places } from "./order-model";
import { bosAttentionFrom } from "./word-swaps";

/** An activation that belongs to one token, of which a place may be a part. */
export interface OrderPoint {
  /** "resid_mid 0", "head 0.1". */
  readonly site: string;
  readonly at: Exclude<HookName, `${string}attn_scores` | `${string}pattern`>;
  /** Of an activation that has heads: this one. */
  readonly head?: number;
}

/** The residual stream before each layer and in its middle, in the order of the forward, as far as anything reads it at a word. */
export const residualPoints = ({ n_layers }: ModelConfig): OrderPoint[] =>
  range(n_layers)
    .flatMap((layer) => [
      { site: `resid_pre ${layer}`, at: `blocks.${layer}.hook_resid_pre` as const },
      { site: `resid_mid ${layer}`, at: `blocks.${layer}.hook_resid_mid` as const },
    ])
    .slice(0, -1); // the last layer's attention was the last to look at other tokens

/** Each head's output. */
export const headPoints = (config: ModelConfig): (OrderPoint & HeadId)[] =>
  allHeads(config).map((id) => ({
    ...id,
    site: `head ${headName(id)}`,
    at: `blocks.${id.layer}.attn.hook_z` as const,
  }));

/** Something in the network that may be a word's place: how it is exchanged in a clean run that kept `keep` (and what is reusable). */
export interface OrderSite {
  /** Where it is: "resid_mid 0". */
  readonly site: string;
  /** How much of what is there: "whole". */
  readonly part: string;
  readonly keep: readonly HookName[];
  exchange(clean: Run, places: Places): Intervention;
}

/** Every position, with that from which it takes something: C_i from where the word with its new place stands. */
export const placedRows = (places: Places): number[] =>
  range(POSITIONS.length).map((row) => {
    const word = LETTERS.find((letter) => wordPosition(letter) === row);
    return word ? wordPosition(places[word - 1]) : row;
  });

const movedRows = (places: Places): number[] =>
  LETTERS.filter((word) => places[word - 1] !== word).map((word) => wordPosition(word));

/** What a part is called if it is everything there is. */
export const WHOLE = "whole";

/** Exchanges an activation between C_1, C_2 and C_3, or only what lies in a subspace of it. The values are those of the clean run. */
export function activationSite({ site, at, head }: OrderPoint, part = WHOLE, subspace?: Subspace): OrderSite {
  return {
    site,
    part,
    keep: [at],
    exchange: (clean, places) => {
      const source = pick(clean.cache[at] as tf.Tensor, placedRows(places), 1) as Activation<typeof at>;
      const slice = { pos: movedRows(places), ...(head !== undefined && { head }) } as Slice<typeof at>;
      return subspace ? patchWithin(at, source, subspace, slice) : patch(at, source, slice);
    },
  };
}

/** Exchanges these heads' attention to BOS, as in the paper's figures 13 and 14. */
export const bosSite = (site: string, heads: readonly HeadId[]): OrderSite => ({
  site,
  part: WHOLE,
  keep: [...new Set(heads.map(({ layer }) => `blocks.${layer}.attn.hook_pattern` as const))],
  exchange: (clean, places) => bosAttentionFrom(heads, clean, placedRows(places)),
});

/** Several sites exchanged at once. */
export const together = (site: string, sites: readonly OrderSite[]): OrderSite => ({
  site,
  part: sites[0].part,
  keep: sites.flatMap(({ keep }) => keep),
  exchange: (clean, places) => merge(...sites.map((one) => one.exchange(clean, places))),
});

/**
 * The mean of each point's activation at C_1, C_2 and C_3, over prompts: `[point][word][d]`. That is all that planes of means are made of;
 * the model's answers are not looked at.
 * Throws as `activationMeans`.
 */
export async function placeMeans(
  model: Model,
  { tokens }: { readonly tokens: Tokens },
  points: readonly OrderPoint[],
  stream: StreamOptions = {},
): Promise<number[][][]> {
  const means = await activationMeans(model, tokens, [...new Set(points.map(({ at }) => at))], stream);
  const read = points.map(({ at, head }) => {
    const [rows] = means[at].arraySync() as (number[] | number[][])[][]; // [1, pos, d] or [1, pos, head, d]
    return LETTERS.map((word) => {
      const row = rows[wordPosition(word)];
      return (head === undefined ? row : row[head]) as number[];
    });
  });
  for (const point of new Set(points.map(({ at }) => at))) means[point].dispose();
  return read;
}

/** What the parts of an activation are called that `partsOf` exchanges. */
export const PARTS = { line: "means, k = 1", plane: "means, k = 2", random: "random, k = 2", whole: WHOLE } as const;

/** The plane through an activation's three means. */
export const meansPlane = (point: OrderPoint, means: readonly (readonly number[])[]): OrderSite =>
  activationSite(point, PARTS.plane, planeThrough(means));

/** The plane of means of each head's output, and of all heads of a layer at once: "head 0.1", "layer 0, all heads". */
export function headPlanes(config: ModelConfig, means: readonly (readonly (readonly number[])[])[]): OrderSite[] {
  const points = headPoints(config);
  return range(config.n_layers).flatMap((layer) => {
    const own = points.flatMap((point, p) => (point.layer === layer ? [meansPlane(point, means[p])] : []));
    return [...own, together(`layer ${layer}, all heads`, own)];
  });
}

/**
 * The plane of means of each head's output, of all heads of layers 0 … l at once, for every l but the last layer's, which no other token looks at
 * any more; and the same with the position embeddings: what is spread over several layers is in none of their points alone.
 */
export function layersTogether(config: ModelConfig, means: readonly (readonly (readonly number[])[])[]): OrderSite[] {
  const points = headPoints(config);
  const positions = activationSite({ site: "position embeddings", at: "hook_pos_embed" });
  return range(Math.max(1, config.n_layers - 1)).flatMap((last) => {
    const own = points.flatMap((point, p) => (point.layer <= last ? [meansPlane(point, means[p])] : []));
    const heads = together(last === 0 ? "heads of layer 0" : `heads of layers 0–${last}`, own);
    return [heads, together(`${heads.site}, positions`, [heads, positions])];
  });
}

/** Four parts of one activation: the line and the plane through its three means, a random plane, and the whole. */
export function partsOf(point: OrderPoint, means: readonly (readonly number[])[], seed: number): OrderSite[] {
  return [
    activationSite(point, PARTS.line, planeThrough(means, 1)),
    meansPlane(point, means),
    activationSite(point, PARTS.random, randomSubspace(means[0].length, 2, seed)),
    activationSite(point),
  ];
}

/** Where one word of a prompt lies in a plane of an activation. */
export interface PlaneRow {
  /** Number of the prompt. */
  readonly prompt: number;
  /** "C1". */
  readonly word: string;
  readonly direction_1: number;
  /** 0 where there is no second direction. */
  readonly direction_2: number;
}

/** The three words of every prompt as points in a plane `[d][2]` of an activation. Throws as `measureAll`. */
export async function wordsInPlane(
  model: Model,
  data: Prompts<AcronymTask>,
  { at, head }: OrderPoint,
  plane: readonly (readonly number[])[],
  stream: StreamOptions = {},
): Promise<PlaneRow[]> {
  const open = ({ prompts }: Batch): Measurement<null> => {
    const run = forward(model, prompts.tokens, { keep: [at], readout: "none" });
    const measure = () =>
      (run.cache[at].arraySync() as (number[] | number[][])[][]).map((rows) => {
        const words = LETTERS.map((word) => rows[wordPosition(word)]).map((row) =>
          head === undefined ? row : row[head],
        );
        return coordinates(words as number[][], plane).flatMap(([x, y = 0]) => [x, y]);
      });
    return { measure, close: () => disposeRun(run) };
  };
  const [read] = await measureAll(data, [null], open, stream);
  return read.flatMap((own, prompt) =>
    LETTERS.map((word, i) => ({ prompt, word: `C${word}`, direction_1: own[2 * i], direction_2: own[2 * i + 1] })),
  );
}
