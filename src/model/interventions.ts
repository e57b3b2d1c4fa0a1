import * as tf from "@tensorflow/tfjs";
import { checkCount, checkSome } from "../numbers/check";
import { range } from "../numbers/lists";
import { type HeadId, headsByLayer, headsOutside } from "./heads";
import {
  type Activation,
  type ActivationCache,
  edit,
  type HookName,
  type Intervention,
  merge,
  patch,
  type Slice,
} from "./hooks";
import type { Run } from "./model";

/** What a head takes in or gives out. */
export type HeadActivation = "q" | "k" | "v" | "z" | "pattern";

/**
 * Takes an activation of these heads from `source`: a run's cache, or means of batch 1.
 * @param positions where (query positions for patterns); everywhere without it
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const other = forward(model, resample(data, 0), { keep: ["blocks.1.attn.hook_z", "blocks.2.attn.hook_z"] });
 * const heads = [{ layer: 1, head: 2 }, { layer: 2, head: 0 }];
 * const run = forward(model, data.tokens, { interventions: patchHeads(heads, "z", other.cache) });
 * console.log(run.logits.shape[0]); // → 10
 * ```
 */
export function patchHeads(
  heads: readonly HeadId[],
  activation: HeadActivation,
  source: ActivationCache,
  positions?: readonly number[],
): Intervention {
  const axis = activation === "pattern" ? "query_pos" : "pos";
  return merge(
    ...[...headsByLayer(heads)].map(([layer, head]) => {
      const at = `blocks.${layer}.attn.hook_${activation}` as `blocks.${number}.attn.hook_z`;
      return patch(at, source[at], { head, ...(positions && { [axis]: positions }) } as Slice<typeof at>);
    }),
  );
}

/** Every head's output as in `run`, but that of `except`. One edit per layer, so that no order of merging can cancel a sender. */
export const freezeHeads = (run: Run, { except = [] }: { readonly except?: readonly HeadId[] } = {}): Intervention =>
  patchHeads(headsOutside(except, run.model.config), "z", run.cache);

/** Every MLP's output as in `run`. */
export function freezeMlps(run: Run): Intervention {
  const hooks = range(run.model.config.n_layers).map((layer) => `blocks.${layer}.hook_mlp_out` as const);
  return merge(...hooks.map((hook) => patch(hook, run.cache[hook])));
}

/** Directions in an activation's last axis, as columns of unit length that are perpendicular to each other: `[d][k]`, or a tensor of it. */
export type Subspace = readonly (readonly number[])[] | tf.Tensor2D;

/**
 * Patching of a part: what the activation at `at` has along these directions is taken from `source`, of the same shape (or batch 1); what is
 * perpendicular to them stays. Along all directions there are it is `patch`.
 * While the run is computed throws a RangeError if the source or the directions don't fit the activation.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const [at, pos] = ["blocks.1.hook_resid_pre" as const, position("C1")];
 * const other = forward(model, resample(data, 0), { keep: [at] });
 * const first = range(model.config.d_model).map((i) => [i === 0 ? 1 : 0]); // the direction of the first number
 * const run = forward(model, data.tokens, { interventions: patchWithin(at, other.cache[at], first, { pos }), keep: [at] });
 * console.log(run.cache[at].shape[2] === first.length); // → true
 * ```
 */
export function patchWithin<N extends HookName>(
  at: N,
  source: Activation<N>,
  subspace: Subspace,
  slice?: Slice<N>,
): Intervention {
  const change = (activation: Activation<N>): Activation<N> => {
    const [own, given]: number[][] = [activation.shape, source.shape];
    if (own.length !== given.length || own.some((n, d) => n !== given[d] && (d !== 0 || given[0] !== 1)))
      throw new RangeError(`${at} is [${own}]; the source of what lies along the directions is [${given}]`);
    return activation.add(along(source.sub(activation), subspace, at)) as Activation<N>;
  };
  return edit(at, change, slice);
}

/** The part of `x [..., d]` along the directions of a subspace `[d, k]`. */
function along(x: tf.Tensor, subspace: Subspace, at: HookName): tf.Tensor {
  const directions = subspace instanceof tf.Tensor ? subspace : tf.tensor2d(subspace as number[][]);
  const d = x.shape.at(-1)!;
  if (directions.shape[0] !== d)
    throw new RangeError(`${at} has ${d} numbers a position; the directions have ${directions.shape[0]}`);
  return tf.matMul(tf.matMul(x.reshape([-1, d]), directions), directions.transpose()).reshape(x.shape);
}

/** Gives every position the mean of all positions' embeddings: what still depends on place does so through the causal mask. */
export function equalPositions(): Intervention {
  return edit(
    "hook_pos_embed",
    (embedding) => tf.mean(embedding, 1, true).tile([1, embedding.shape[1], 1]) as tf.Tensor3D,
  );
}

/** A position that attends, and positions that it may not see any more. */
export interface HiddenKeys {
  readonly query: number;
  readonly keys: readonly number[];
}

/**
 * Hides keys from queries in these heads, as the causal mask hides what comes later: what was paid to them goes to the other keys.
 * What the mask hides anyway may be named; a query without keys sees all that it saw.
 * Throws a RangeError if there are no heads, a position is no index, a query comes twice, or one has nothing left to see.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const [query, key] = [position("C2"), position("C1")];
 * const interventions = hideKeys([{ layer: 0, head: 1 }], [{ query, keys: [key] }]);
 * const { cache } = forward(model, data.tokens, { interventions, keep: ["blocks.0.attn.hook_pattern"] });
 * const pattern = cache["blocks.0.attn.hook_pattern"].arraySync();
 * console.log(pattern[0][1][query][key]); // → 0
 * ```
 */
export function hideKeys(heads: readonly HeadId[], hidden: readonly HiddenKeys[]): Intervention {
  checkSome("heads to hide keys from", heads);
  const keysOf = new Map(hidden.map(({ query, keys }) => [query, keys]));
  if (keysOf.size < hidden.length)
    throw new RangeError("a query comes twice; give each once, with all its hidden keys");
  for (const [query, keys] of keysOf) {
    for (const index of [query, ...keys]) checkCount("a query's or hidden key's position", index, 0);
    if (range(query + 1).every((key) => keys.includes(key)))
      throw new RangeError(`query ${query} has nothing left to see: leave it one of the keys 0 … ${query}`);
  }
  const query_pos = [...keysOf.keys()];
  const hide = (scores: tf.Tensor4D): tf.Tensor4D => {
    const positions = range(scores.shape[3]);
    const isHidden = positions.map((query) => positions.map((key) => keysOf.get(query)?.includes(key) ?? false));
    const off = tf.tensor4d([[isHidden]], undefined, "bool").tile([...scores.shape.slice(0, 2), 1, 1]);
    return tf.where(off, tf.fill(scores.shape, Number.NEGATIVE_INFINITY), scores);
  };
  return merge(
    ...[...headsByLayer(heads)].map(([layer, head]) =>
      edit(`blocks.${layer}.attn.hook_attn_scores` as const, hide, { head, query_pos }),
    ),
  );
}
