import * as tf from "@tensorflow/tfjs";
import { range } from "../numbers/lists";
import { type HeadId, headsByLayer, headsOutside } from "./heads";
import { type ActivationCache, edit, type Intervention, merge, patch, type Slice } from "./hooks";
import type { Run } from "./model";

/** What a head takes in or gives out. */
export type HeadActivation = "q" | "k" | "v" | "z" | "pattern";

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

/** Gives every position the mean of all positions' embeddings: what still depends on place does so through the causal mask. */
export function equalPositions(): Intervention {
  return edit(
    "hook_pos_embed",
    (embedding) => tf.mean(embedding, 1, true).tile([1, embedding.shape[1], 1]) as tf.Tensor3D,
  );
}
