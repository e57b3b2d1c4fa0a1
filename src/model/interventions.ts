import * as tf from "@tensorflow/tfjs";
import { allHeads, range } from "../experiments/sweep";
import { checkHeads } from "../numbers/check";
import { type Position, position } from "../prompts/dataset";
import { type ActivationCache, edit, type HeadId, type Intervention, merge, patch, type Slice } from "./hooks";
import type { Run } from "./model";
import { pick } from "./slices";

/** What a head takes in or gives out. */
export type HeadActivation = "q" | "k" | "v" | "z" | "pattern";

const byLayer = (heads: readonly HeadId[]): Map<number, number[]> => {
  const layers = new Map<number, number[]>();
  for (const { layer, head } of heads) layers.set(layer, [...(layers.get(layer) ?? []), head]);
  return layers;
};

/**
 * Takes an activation of these heads from `source`: a run's cache, or means of batch 1.
 * @param positions where (query positions for patterns); everywhere without it
 * @example patchHeads([{ layer: 8, head: 11 }], "z", corrupted.cache)
 */
export function patchHeads(
  heads: readonly HeadId[],
  activation: HeadActivation,
  source: ActivationCache,
  positions?: readonly number[],
): Intervention {
  const axis = activation === "pattern" ? "query_pos" : "pos";
  return merge(
    ...[...byLayer(heads)].map(([layer, head]) => {
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

/** The heads of a model that are not in a circuit. @throws RangeError if the circuit has heads that the model lacks, or one twice */
export function headsOutside(
  circuit: readonly HeadId[],
  config: { readonly n_layers: number; readonly n_heads: number },
): HeadId[] {
  checkHeads(config, circuit);
  return allHeads(config).filter(({ layer, head }) => !circuit.some((c) => c.layer === layer && c.head === head));
}

/** 0 … n - 1 with a and b exchanged. */
const exchanged = (n: number, a: number, b: number) => range(n).map((i) => (i === a ? b : i === b ? a : i));

/** Exchanges two positions' embeddings; the tokens stay. @see the paper's figure 12 */
export function swapPositions(a: Position, b: Position): Intervention {
  const [i, j] = [position(a), position(b)];
  return edit("hook_pos_embed", (embedding) => pick(embedding, exchanged(embedding.shape[1], i, j), 1), {
    pos: [i, j],
  });
}

/** Gives every position the mean of all positions' embeddings: what still depends on place does so through the causal mask. */
export function equalPositions(): Intervention {
  return edit(
    "hook_pos_embed",
    (embedding) => tf.mean(embedding, 1, true).tile([1, embedding.shape[1], 1]) as tf.Tensor3D,
  );
}

/**
 * Gives each head the clean run's attention to BOS, with that of queries a and b exchanged. As in the official scripts it is
 * written at every query (over several layers the two alone would be something else), and rows are not renormalised.
 * @see the paper's figures 13 and 14
 */
export function swapBosAttention(heads: readonly HeadId[], clean: Run, a: Position, b: Position): Intervention {
  const [i, j] = [position(a), position(b)];
  return merge(
    ...[...byLayer(heads)].map(([layer, head]) => {
      const at = `blocks.${layer}.attn.hook_pattern` as const;
      const pattern = clean.cache[at]; // [batch, head, query_pos, key_pos]
      const queries = range(pattern.shape[2]);
      const slice = { head, key_pos: position("BOS") };
      return merge(
        patch(at, pattern, { ...slice, query_pos: queries.filter((q) => q !== i && q !== j) }),
        patch(at, pick(pattern, exchanged(queries.length, i, j), 2), { ...slice, query_pos: [i, j] }),
      );
    }),
  );
}
