import * as tf from "@tensorflow/tfjs";
import { checkIndices, shown } from "../numbers/check";
import { nearest } from "../numbers/text";
import { handle, repeat, replaceInside } from "./slices";

/** Axis names of every activation, by TransformerLens's hook names: the one table behind types, slices, errors and row labels. */
export const AXES = {
  hook_embed: ["batch", "pos", "d_model"],
  hook_pos_embed: ["batch", "pos", "d_model"],
  hook_resid_pre: ["batch", "pos", "d_model"],
  hook_q_input: ["batch", "pos", "head", "d_model"],
  hook_k_input: ["batch", "pos", "head", "d_model"],
  hook_v_input: ["batch", "pos", "head", "d_model"],
  "ln1.hook_scale": ["batch", "pos", "one"],
  "ln1.hook_normalized": ["batch", "pos", "d_model"],
  "attn.hook_q": ["batch", "pos", "head", "d_head"],
  "attn.hook_k": ["batch", "pos", "head", "d_head"],
  "attn.hook_v": ["batch", "pos", "head", "d_head"],
  "attn.hook_attn_scores": ["batch", "head", "query_pos", "key_pos"],
  "attn.hook_pattern": ["batch", "head", "query_pos", "key_pos"],
  "attn.hook_z": ["batch", "pos", "head", "d_head"],
  hook_attn_out: ["batch", "pos", "d_model"],
  hook_resid_mid: ["batch", "pos", "d_model"],
  hook_mlp_in: ["batch", "pos", "d_model"],
  "ln2.hook_scale": ["batch", "pos", "one"],
  "ln2.hook_normalized": ["batch", "pos", "d_model"],
  "mlp.hook_pre": ["batch", "pos", "d_mlp"],
  "mlp.hook_post": ["batch", "pos", "d_mlp"],
  hook_mlp_out: ["batch", "pos", "d_model"],
  hook_resid_post: ["batch", "pos", "d_model"],
  "ln_final.hook_scale": ["batch", "pos", "one"],
  "ln_final.hook_normalized": ["batch", "pos", "d_model"],
} as const;

type Axes = typeof AXES;
type GlobalHook = "hook_embed" | "hook_pos_embed" | "ln_final.hook_scale" | "ln_final.hook_normalized";
export type BlockHook = Exclude<keyof Axes, GlobalHook>;
/** A place in the model, e.g. `"hook_embed"` or `"blocks.8.attn.hook_z"`. */
export type HookName = GlobalHook | `blocks.${number}.${BlockHook}`;
type Kind<N extends HookName> = N extends `blocks.${number}.${infer K extends BlockHook}`
  ? K
  : N extends GlobalHook
    ? N
    : never;
type OfRank<R extends 3 | 4> = R extends 4 ? tf.Tensor4D : tf.Tensor3D;
/** The tensor at a hook; its rank follows from the name. */
export type Activation<N extends HookName = HookName> = N extends HookName ? OfRank<Axes[Kind<N>]["length"]> : never;
/** Kept activations by hook name. An activation that was not kept is an error on access, never `undefined`. */
export type ActivationCache = { readonly [N in HookName]: Activation<N> };

type Index = number | readonly number[];
/** Where on its axes an edit acts; a list on one axis and a list on another make an outer product, an empty list is nowhere. */
export type Slice<N extends HookName = HookName> = N extends HookName
  ? {
      readonly [A in Exclude<Axes[Kind<N>][number], "batch" | "d_model" | "d_head" | "d_mlp" | "one">]?: Index;
    }
  : never;
type Replace<N extends HookName> = {
  readonly at: N;
  readonly slice?: Slice<N>;
  readonly source: Activation<N>;
  readonly change?: never;
};
type Change<N extends HookName> = {
  readonly at: N;
  readonly slice?: Slice<N>;
  readonly source?: never;
  readonly change: (activation: Activation<N>) => Activation<N>;
};
/** One edit of one activation: replaced by `source`, or by `change` of it, inside `slice` (everywhere without one). */
export type Edit<N extends HookName = HookName> = N extends HookName ? Replace<N> | Change<N> : never;
/** What is done to a run, as a value. At the same hook later edits see, and win over, earlier ones. */
export type Intervention = readonly Edit[];

/**
 * Activation patching: the activation at `at` is taken from `source`, of the same shape (or batch 1, which serves every row).
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const other = forward(model, resample(data, 0), { keep: ["blocks.2.attn.hook_z"] });
 * const interventions = patch("blocks.2.attn.hook_z", other.cache["blocks.2.attn.hook_z"], { head: 1 });
 * const run = forward(model, data.tokens, { interventions });
 * console.log(run.logits.shape[0]); // → 10
 * ```
 */
export function patch<N extends HookName>(at: N, source: Activation<N>, slice?: Slice<N>): Intervention {
  // TypeScript cannot see that a generic N yields one member of the union
  return [{ at, source, slice } as unknown as Edit];
}

/** The activation at `at` becomes `change(activation)`. `change` sees all positions and works row by row of the batch. */
export function edit<N extends HookName>(
  at: N,
  change: (activation: Activation<N>) => Activation<N>,
  slice?: Slice<N>,
): Intervention {
  return [{ at, change, slice } as unknown as Edit];
}

/** Several interventions in one run, applied left to right. */
export const merge = (...interventions: readonly Intervention[]): Intervention => interventions.flat();

/** One spelling of each layer: "01" would be another name for the same hook. */
const BLOCK = /^blocks\.(0|[1-9]\d*)\./;

/** A hook's name without its layer, e.g. `"attn.hook_z"`. */
export const kindOf = (name: HookName): string => name.replace(BLOCK, "");

/** The axis of positions: of the queries in attention scores and patterns. */
export const rowAxis = (name: HookName): number => (axesOf(name).includes("query_pos") ? 2 : 1);

/** Sizes of a run, by the names of the axes where they have one. */
export interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly n_heads: number;
  readonly d_model: number;
  readonly d_head: number;
  readonly d_mlp: number;
}

/** Shape of a hook's activation. */
export function shapeOf(name: HookName, { batch, length, n_heads, ...widths }: Sizes): number[] {
  const sizes = { batch, pos: length, query_pos: length, key_pos: length, head: n_heads, one: 1, ...widths };
  return axesOf(name).map((axis) => sizes[axis as keyof typeof sizes]);
}

/** Layer of a hook: 0 … n_layers - 1 inside a block, -1 before the first, `Infinity` after the last. */
export function layerOf(name: HookName): number {
  const block = BLOCK.exec(name);
  if (block) return Number(block[1]);
  return name.startsWith("ln_final") ? Number.POSITIVE_INFINITY : -1;
}

const isGlobal = (kind: string) => /^(hook_embed|hook_pos_embed|ln_final\.)/.test(kind);
const BLOCK_HOOKS = Object.keys(AXES).filter((kind) => !isGlobal(kind)) as BlockHook[];

/** Every hook of a model with so many layers, in the order of the forward. */
export function hookNames(n_layers: number): HookName[] {
  const blocks = Array.from({ length: n_layers }, (_, l) => BLOCK_HOOKS.map((kind) => `blocks.${l}.${kind}` as const));
  return ["hook_embed", "hook_pos_embed", ...blocks.flat(), "ln_final.hook_scale", "ln_final.hook_normalized"];
}

/**
 * Axis names of a hook.
 * Throws an Error if there is no such hook; names those that are spelled alike and all there are.
 */
export function axesOf(name: HookName): readonly string[] {
  const axes = known.get(name) ?? findAxes(name);
  known.set(name, axes);
  return axes;
}

/** It is asked for hundreds of times in a forward. */
const known = new Map<HookName, readonly string[]>();

function findAxes(name: HookName): readonly string[] {
  const kind = kindOf(`${name}` as HookName); // a list in place of an edit has no name at all
  if (Object.hasOwn(AXES, kind) && BLOCK.test(name) !== isGlobal(kind)) return AXES[kind as keyof Axes];
  const names = (block: string) => Object.keys(AXES).map((k) => (isGlobal(k) ? k : `${block}${k}`));
  const near = nearest(`${name}`, names(BLOCK.exec(name)?.[0] ?? "blocks.0."), 2);
  throw new Error(`no hook "${name}"; near names: ${near.join(", ")}; there are ${names("blocks.N.").join(", ")}`);
}

/** An axis of a slice, as its number among the hook's. Throws an Error if the hook lacks it, or it is the batch. */
export function sliceAxis(name: HookName, axis: string): number {
  const axes = axesOf(name);
  const dim = axes.indexOf(axis);
  if (dim < 1) throw new Error(`${name} has axes [${axes.join(", ")}], not "${axis}"`);
  return dim;
}

/** What a slice takes on an axis, as a list, which may still hold what is no index. Throws a TypeError on texts, such as "C1". */
export function indexList(name: HookName, axis: string, index: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(index) ? index : [index];
  if (list.some((one) => typeof one === "string")) {
    const labels = axis === "head" ? "" : '; position("C1") is the number of position C1';
    const given = Array.isArray(index) ? `[${list.map(shown).join(", ")}]` : shown(index);
    throw new TypeError(`${name}: ${axis} takes a number or a plain list of numbers, not ${given}${labels}`);
  }
  return typeof index === "number" ? [index] : (index as number[]);
}

/** The slice's indices by axis. Throws on an axis the hook lacks, an index out of range, or a list that isn't a plain one. */
function indices(name: HookName, shape: readonly number[], slice: object): Map<number, number[]> {
  axesOf(name); // an empty slice needs a hook, too
  const out = new Map<number, number[]>();
  for (const [axis, index] of Object.entries(slice) as [string, Index | undefined][]) {
    if (index === undefined) continue;
    const dim = sliceAxis(name, axis);
    const list = indexList(name, axis, index);
    checkIndices(`${name}: ${axis}`, list, shape[dim]);
    out.set(dim, [...list]);
  }
  return out;
}

/** The positions (query positions for attention) on which an edit acts; undefined: all. */
export function editedPositions({ at, slice }: Edit): readonly number[] | undefined {
  const index = (slice as Record<string, Index | undefined> | undefined)?.[axesOf(at)[rowAxis(at)]];
  return typeof index === "number" ? [index] : index;
}

/** Throws if an edit's slice or source doesn't fit its hook, whose activation has this shape. */
export function checkEdit({ at, slice, source, change }: Edit, shape: readonly number[]): void {
  indices(at, shape, slice ?? {});
  if ((source === undefined) === (change === undefined))
    throw new TypeError(`an edit at ${at} needs either a source (a tensor) or a change (a function)`);
  if (change === undefined) checkValue(at, shape, source, "patched-in");
  else if (typeof change !== "function") throw new TypeError(`the change at ${at} must be a function`);
}

/** A backend may read other types as if they were float32: int32 and bool become NaN without a word. */
function checkValue(at: HookName, shape: readonly number[], value: unknown, what: string): void {
  if (!(value instanceof tf.Tensor)) throw new TypeError(`the ${what} value at ${at} must be a tensor`);
  const given: number[] = value.shape;
  if (given.length !== shape.length || given.some((n, d) => n !== shape[d] && (d !== 0 || n !== 1)))
    throw new Error(`${at} is [${axesOf(at).join(", ")}] = [${shape}]; the ${what} value is [${given}]`);
  if (value.dtype !== "float32")
    throw new TypeError(`${at} is float32; the ${what} value is ${value.dtype}: make it so with toFloat()`);
}

/** An edit of a whole activation as one of only these positions of it; `pick` takes them from its source. */
export function editAt(edit: Edit, rows: readonly number[], pick: (source: tf.Tensor) => tf.Tensor): Edit {
  const [axis, on] = [axesOf(edit.at)[rowAxis(edit.at)], editedPositions(edit)];
  const inside = on && rows.flatMap((position, index) => (on.includes(position) ? [index] : []));
  const slice = { ...edit.slice, [axis]: inside?.length === rows.length ? undefined : inside };
  // same hook, fewer positions: the types don't carry sizes
  return { ...edit, slice, ...(edit.source && { source: pick(edit.source) }) } as Edit;
}

/** `activation` after one edit. Nothing is changed in place. Throws if slice or source don't fit the hook. */
export function applyEdit(activation: tf.Tensor, { at, slice, source, change }: Edit): tf.Tensor {
  return tf.tidy(() => {
    const { shape } = activation;
    const inside = indices(at, shape, slice ?? {});
    // the hook's name fixed both types when the edit was made
    const value: tf.Tensor = change ? (change as (a: tf.Tensor) => tf.Tensor)(activation) : source;
    checkValue(at, shape, value, change ? "changed" : "patched-in");
    return handle(replaceInside(activation, repeat(value, shape[0] / value.shape[0]), [...inside]));
  });
}
