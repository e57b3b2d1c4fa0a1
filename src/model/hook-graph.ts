import { type BlockHook, type HookName, hookNames, kindOf, layerOf } from "./hooks";

/** What a hook is computed from: of the same position and (attention) of every position up to its own. */
export interface Inputs {
  readonly same: readonly HookName[];
  readonly upTo: readonly HookName[];
  /** Of the same position, where it is edited; elsewhere it says the same as `same`, and is not looked at. */
  readonly own?: HookName;
  /** From what it can be computed without the hooks in between, where nobody looks at these. */
  readonly atOnce?: Inputs & { readonly past: readonly HookName[] };
}

type BlockInputs = {
  readonly same: readonly BlockHook[];
  readonly upTo?: readonly BlockHook[];
  readonly own?: BlockHook;
};

/** In a block. Its first hook, `hook_resid_pre`, is the stream as the layer before left it. */
const BLOCK_INPUTS: Record<Exclude<BlockHook, "hook_resid_pre">, BlockInputs> = {
  hook_q_input: { same: ["hook_resid_pre"] },
  hook_k_input: { same: ["hook_resid_pre"] },
  hook_v_input: { same: ["hook_resid_pre"] },
  "ln1.hook_scale": { same: ["hook_resid_pre"] },
  "ln1.hook_normalized": { same: ["hook_resid_pre", "ln1.hook_scale"] },
  "attn.hook_q": { same: ["ln1.hook_normalized"], own: "hook_q_input" },
  "attn.hook_k": { same: ["ln1.hook_normalized"], own: "hook_k_input" },
  "attn.hook_v": { same: ["ln1.hook_normalized"], own: "hook_v_input" },
  "attn.hook_attn_scores": { same: ["attn.hook_q"], upTo: ["attn.hook_k"] },
  "attn.hook_pattern": { same: ["attn.hook_attn_scores"] },
  "attn.hook_z": { same: ["attn.hook_pattern"], upTo: ["attn.hook_v"] },
  hook_attn_out: { same: ["attn.hook_z"] },
  hook_resid_mid: { same: ["hook_resid_pre", "hook_attn_out"] },
  hook_mlp_in: { same: ["hook_resid_mid"] },
  "ln2.hook_scale": { same: ["hook_mlp_in"] },
  "ln2.hook_normalized": { same: ["hook_mlp_in", "ln2.hook_scale"] },
  "mlp.hook_pre": { same: ["ln2.hook_normalized"] },
  "mlp.hook_post": { same: ["mlp.hook_pre"] },
  hook_mlp_out: { same: ["mlp.hook_post"] },
  hook_resid_post: { same: ["hook_resid_mid", "hook_mlp_out"] },
};

/** Hooks that can be computed at once from what others before them, `past`, are computed from. */
const AT_ONCE: Partial<Record<BlockHook, BlockInputs & { readonly past: readonly BlockHook[] }>> = {
  "ln1.hook_normalized": { past: ["ln1.hook_scale"], same: ["hook_resid_pre"] },
  "attn.hook_z": {
    past: ["attn.hook_attn_scores", "attn.hook_pattern"],
    same: ["attn.hook_q"],
    upTo: ["attn.hook_k", "attn.hook_v"],
  },
  "ln2.hook_normalized": { past: ["ln2.hook_scale"], same: ["hook_mlp_in"] },
};

/** The hooks whose sum is the stream that layer l, or the final layer norm (l = n_layers), reads. */
export const streamBefore = (layer: number): readonly HookName[] =>
  layer === 0 ? ["hook_embed", "hook_pos_embed"] : [`blocks.${layer - 1}.hook_resid_post`];

function inputsOf(name: HookName, n_layers: number): Inputs {
  const stream = streamBefore(n_layers);
  if (name === "ln_final.hook_scale") return { same: stream, upTo: [] };
  if (name === "ln_final.hook_normalized") return { same: [...stream, "ln_final.hook_scale"], upTo: [] };
  const [layer, kind] = [layerOf(name), kindOf(name)];
  if (layer < 0) return { same: [], upTo: [] };
  if (kind === "hook_resid_pre") return { same: streamBefore(layer), upTo: [] };
  const here = (kind: BlockHook) => `blocks.${layer}.${kind}` as const;
  const inputs = ({ same, upTo = [], own }: BlockInputs) => ({
    same: same.map(here),
    upTo: upTo.map(here),
    own: own && here(own),
  });
  const atOnce = AT_ONCE[kind as BlockHook];
  return {
    ...inputs(BLOCK_INPUTS[kind as keyof typeof BLOCK_INPUTS]),
    atOnce: atOnce && { ...inputs(atOnce), past: atOnce.past.map(here) },
  };
}

/** What depends on the number of layers alone is made once for each: it is asked for at every forward. */
function once<T>(make: (n_layers: number) => T): (n_layers: number) => T {
  const known = new Map<number, T>();
  return (n_layers) => {
    const made = known.get(n_layers) ?? make(n_layers);
    known.set(n_layers, made);
    return made;
  };
}

/** Every hook of a model with so many layers with its inputs, in the order of the forward. */
export const graphOf = once(
  (n_layers): ReadonlyMap<HookName, Inputs> =>
    new Map(hookNames(n_layers).map((name) => [name, inputsOf(name, n_layers)])),
);

/** The hooks layer by layer: those before the blocks, each block's, those after. */
export const hooksByLayer = once((n_layers): readonly (readonly HookName[])[] =>
  [-1, ...Array(n_layers).keys(), Number.POSITIVE_INFINITY].map((layer) =>
    hookNames(n_layers).filter((name) => layerOf(name) === layer),
  ),
);
