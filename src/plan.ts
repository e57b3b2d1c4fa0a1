import type * as tf from "@tensorflow/tfjs";
import { axesOf, type Edit, firstPosition, type HookName, hookNames, layerOf } from "./hooks";
import type { ForwardOptions, Model, ModelConfig, Run, Tokens } from "./model";

/** What a forward really has to compute, given what `from` holds. Callers of `forward` see none of it. */
export interface Plan {
  /** First layer to compute; -1 starts at the embedding, n_layers at the final layer norm. */
  readonly layer: number;
  /** First layer that need not be computed: the ones after it reach neither a read-out nor a kept activation. */
  readonly end: number;
  /** First position to compute. The mask is causal, so what comes before is as in `from`. */
  readonly pos: number;
  /** The residual stream that the first layer reads; undefined when it starts at the embedding. */
  readonly start: HookName | undefined;
  readonly from: Run | undefined;
  readonly edits: ReadonlyMap<HookName, readonly Edit[]>;
  readonly keeps: (name: HookName) => boolean;
  /** Kept activations that come before the start, so from `from`. */
  readonly keptBefore: readonly HookName[];
}

/** The activations that a run must keep so that `forward` can start anywhere with it as `from`. */
export function reusable({ n_layers }: ModelConfig): HookName[] {
  const layers = Array.from({ length: n_layers }, (_, l) => l);
  const inBlocks = layers.flatMap(
    (l) => [`blocks.${l}.hook_resid_pre`, `blocks.${l}.attn.hook_k`, `blocks.${l}.attn.hook_v`] as const,
  );
  return ["hook_pos_embed", ...inBlocks, `blocks.${n_layers - 1}.hook_resid_post`];
}

/** @throws if an edit or a name to keep isn't a hook of this model, or `from` is not a clean run of the same tokens. */
export function makePlan(model: Model, tokens: Tokens, options: ForwardOptions): Plan {
  const { interventions = [], keep = [], from } = options;
  const edits = new Map<HookName, Edit[]>();
  for (const edit of interventions) edits.set(edit.at, [...(edits.get(edit.at) ?? []), edit]);
  checkNames([...edits.keys(), ...(typeof keep === "function" ? [] : keep)], model.config);
  const keeps = typeof keep === "function" ? keep : (name: HookName) => keep.includes(name);
  const { n_layers } = model.config;
  const kept = hookNames(n_layers).filter(keeps);
  const lastKept = Math.max(-1, ...kept.map(layerOf));
  const end = options.readout === "none" ? Math.min(lastKept + 1, n_layers) : n_layers;
  const plain: Plan = { layer: -1, end, pos: 0, start: undefined, from: undefined, edits, keeps, keptBefore: [] };
  if (!from) return plain;
  checkFrom(from, model, tokens, options);
  if (process.env.ACRONYM_PLAN === "off") return plain; // to compare: everything is computed, nothing is taken from `from`
  return interventions.length === 0 ? plain : shorten(plain, from, kept, options);
}

/** `plain`, begun as late as its edits, its read-out and what `from` kept allow. */
function shorten(
  plain: Plan,
  from: Run,
  kept: readonly HookName[],
  { readout = "all", interventions = [] }: ForwardOptions,
): Plan {
  const { n_layers } = from.model.config;
  const length = from.tokens[0].length;
  const has = (name: HookName) => name in from.cache;
  const layer = Math.min(n_layers, ...interventions.map(({ at }) => layerOf(at)));
  const start: HookName =
    layer < n_layers ? `blocks.${layer}.hook_resid_pre` : `blocks.${n_layers - 1}.hook_resid_post`;
  const keptBefore = kept.filter((name) => layerOf(name) < layer);
  const late = layer >= 0 && has(start) && keptBefore.every(has);
  const first = late ? layer : -1;

  const readAt = readout === "all" ? [0] : readout === "none" ? [length - 1] : readout.positions;
  const pos = Math.min(...readAt, length - 1, ...interventions.map((edit) => firstPosition(edit, length)));
  const layers = Array.from({ length: n_layers }, (_, l) => l).filter((l) => l >= first);
  const needed: HookName[] = [
    ...layers.flatMap((l) => [`blocks.${l}.attn.hook_k`, `blocks.${l}.attn.hook_v`] as const),
    ...interventions.filter((edit) => edit.change).map(({ at }) => at),
    ...kept.filter((name) => layerOf(name) >= first),
  ];
  return {
    ...plain,
    from,
    layer: first,
    start: late ? start : undefined,
    keptBefore: late ? keptBefore : [],
    pos: needed.every(has) ? pos : 0,
  };
}

function checkNames(used: readonly HookName[], { name, n_layers }: ModelConfig): void {
  for (const hook of used) {
    axesOf(hook);
    const layer = layerOf(hook);
    if (layer >= n_layers && Number.isFinite(layer))
      throw new RangeError(`${hook}: ${name} has layers 0 … ${n_layers - 1}`);
  }
}

function checkFrom(from: Run, model: Model, tokens: Tokens, { offset }: ForwardOptions): void {
  if (from.model !== model) throw new Error("`from` is a run of another model; give a run of this one");
  if (from.interventions.length > 0) throw new Error("`from` has interventions; give a run without any");
  if (offset || from.offset) throw new Error("`from` and `offset` don't go together");
  const same =
    from.tokens === tokens ||
    (from.tokens.length === tokens.length &&
      from.tokens.every((row, i) => row.length === tokens[i].length && row.every((id, j) => id === tokens[i][j])));
  if (!same) throw new Error("`from` is a run of other tokens; give a run of the same ones");
}

/** A replacing edit of a whole activation, as one of the part that starts at position `pos` on `axis`. */
export function shiftEdit(edit: Edit, pos: number, axis: number): Edit {
  if (pos === 0 || edit.change) return edit;
  const source: tf.Tensor = edit.source;
  const begin = source.shape.map((_, d) => (d === axis ? pos : 0));
  const slice = Object.fromEntries(
    Object.entries(edit.slice ?? {}).map(([name, index]) => {
      if (name !== "pos" && name !== "query_pos") return [name, index];
      return [name, [index as number | number[]].flat().map((i) => i - pos)];
    }),
  );
  // same hook, fewer positions: the types don't carry sizes
  return { at: edit.at, slice, source: source.slice(begin) } as Edit;
}
