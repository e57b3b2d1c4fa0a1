import type * as tf from "@tensorflow/tfjs";
import { graphOf, type Inputs } from "./hook-graph";
import {
  axesOf,
  checkEdit,
  type Edit,
  editedPositions,
  type HookName,
  type Intervention,
  layerOf,
  shapeOf,
} from "./hooks";
import { host } from "./host";
import type { ForwardOptions, Model, ModelConfig, Run, Tokens } from "./model";

/*
 * What a forward really has to compute. An activation is a row per position, and a row follows from a few others (graph.ts).
 * Two walks say which rows are needed: down the graph, which differ from the clean run `from`; back up it, which of those reach
 * a read-out or something to keep. Every saving is this one rule; callers of `forward` see none of it.
 */

/** Positions, ascending. */
export type Rows = readonly number[];

export interface Plan {
  readonly length: number;
  readonly from: Run | undefined;
  readonly keeps: (name: HookName) => boolean;
  /** Where a hook is computed, before its edits. A hook without an entry isn't. */
  readonly computed: ReadonlyMap<HookName, Rows>;
  /** Where what is needed of it, after its edits, is not as in `from`. */
  readonly given: ReadonlyMap<HookName, Rows>;
  /** Computed past hooks that nobody looks at. */
  readonly atOnce: ReadonlySet<HookName>;
  /** The positions up to which a hook at these rows is computed from; all where an edit may have made it look ahead. */
  readonly keysOf: (name: HookName, rows: Rows) => Rows;
  /** Edits by hook and point. */
  readonly edits: ReadonlyMap<HookName, readonly (readonly Edit[])[]>;
}

/** The activations that a run must keep so that nothing which stays the same is computed again with it as `from`. */
export function reusable({ n_layers }: ModelConfig): HookName[] {
  const inLayer = (l: number): HookName[] => [
    `blocks.${l}.hook_resid_pre`,
    `blocks.${l}.attn.hook_q`,
    `blocks.${l}.attn.hook_k`,
    `blocks.${l}.attn.hook_v`,
    `blocks.${l}.attn.hook_z`,
    `blocks.${l}.hook_attn_out`,
    `blocks.${l}.hook_resid_mid`,
  ];
  const layers = Array.from({ length: n_layers }, (_, l) => inLayer(l));
  return ["hook_embed", "hook_pos_embed", ...layers.flat(), `blocks.${n_layers - 1}.hook_resid_post`];
}

/**
 * Throws if an edit doesn't fit its hook, a name to keep isn't a hook of this model, or `from` is not a clean run of the same tokens.
 * @param points one intervention, or several that are computed side by side: then the plan is enough for each of them
 */
export function makePlan(model: Model, tokens: Tokens, points: readonly Intervention[], options: ForwardOptions): Plan {
  const { config } = model;
  const { keep = [], readout = "all" } = options;
  const length = tokens[0].length;
  const all = upTo(length - 1);
  const edits = byHook(points);
  checkNames([...edits.keys(), ...(typeof keep === "function" ? [] : keep)], config);
  for (const [name, each] of edits)
    for (const edit of each.flat()) checkEdit(edit, shapeOf(name, { ...config, batch: tokens.length, length }));
  if (options.from) checkFrom(options.from, model, tokens, options);
  const off = !(options.plan ?? host().plan);
  const from = off ? undefined : options.from;
  const keeps = typeof keep === "function" ? keep : (name: HookName) => keep.includes(name);

  const isLookedAt = (name: HookName) => off || edits.has(name) || keeps(name) || (from && name in from.cache);
  const { graph, atOnce } = shortened(graphOf(config.n_layers), isLookedAt);
  const touched = new Map([...edits].map(([name, each]) => [name, touch(name, each, all, { from, config })]));
  const ownRows = (own: HookName | undefined): Rows => (own && touched.get(own)?.rows) ?? [];
  // attention is causal, unless it is replaced by attention that is not
  const hasKeys = (name: HookName) => axesOf(name).includes("key_pos");
  const looksAhead = ({ same }: Inputs): boolean =>
    same.some((name) => hasKeys(name) && (touched.has(name) || looksAhead(graph.get(name)!)));
  const isReplaced = [...touched.keys()].some(hasKeys);
  const ahead = new Set([...graph].flatMap(([name, inputs]) => (isReplaced && looksAhead(inputs) ? [name] : [])));
  const keysOf = (name: HookName, rows: Rows) => (ahead.has(name) ? all : upTo(rows.at(-1)!));
  const differs = from ? differing(graph, { touched, all, ownRows, ahead }) : undefined;
  const needed = new Map<HookName, Set<number>>();
  const need = (name: HookName, rows: Rows) => {
    const own = needed.get(name);
    if (own) for (const r of rows) own.add(r);
    else if (rows.length > 0) needed.set(name, new Set(rows));
  };
  for (const name of graph.keys()) if (off || keeps(name)) need(name, all);
  need("ln_final.hook_normalized", readout === "all" ? all : readout === "none" ? [] : readout.positions);

  const [computed, given] = [new Map<HookName, Rows>(), new Map<HookName, Rows>()];
  for (const [name, inputs] of [...graph].reverse()) {
    const edited = touched.get(name);
    if (!needed.has(name) && !edited?.wantsAll) continue;
    const known = from !== undefined && name in from.cache;
    const fresh = (rows: Rows, when: "before" | "after") =>
      known ? rows.filter((r) => differs!.get(name)![when].has(r)) : rows;
    const out = fresh([...(needed.get(name) ?? [])].sort(ascending), "after");
    const wanted = off || edited?.wantsAll ? all : out.filter((r) => edited?.old.has(r) ?? true);
    const rows = fresh(wanted, "before");
    if (out.length > 0) given.set(name, out);
    if (rows.length === 0) continue;
    computed.set(name, rows);
    for (const input of inputs.same) need(input, rows);
    const own = ownRows(inputs.own).filter((r) => rows.includes(r));
    if (own.length > 0) need(inputs.own!, own);
    for (const input of inputs.upTo) need(input, keysOf(name, rows));
  }
  return { length, from, keeps, computed, given, atOnce, keysOf, edits };
}

type Graph = ReadonlyMap<HookName, Inputs>;

/** The graph, with the ways past hooks that nobody looks at in place of those through them. */
function shortened(graph: Graph, isLookedAt: (name: HookName) => boolean | undefined) {
  const short = new Map(
    [...graph].flatMap(([name, { atOnce }]) => (atOnce && !atOnce.past.some(isLookedAt) ? [[name, atOnce]] : [])),
  );
  return { graph: new Map([...graph, ...short]), atOnce: new Set(short.keys()) };
}

/** 0, 1, … last */
export const upTo = (last: number): Rows => Array.from({ length: last + 1 }, (_, r) => r);
const ascending = (a: number, b: number) => a - b;

function byHook(points: readonly Intervention[]): Map<HookName, Edit[][]> {
  const edits = new Map<HookName, Edit[][]>();
  for (const [p, edit] of points.flatMap((intervention, p) => intervention.map((edit) => [p, edit] as const))) {
    if (Array.isArray(edit))
      throw new TypeError("an intervention is inside another one; merge(…) makes one of several");
    if (!edits.has(edit.at))
      edits.set(
        edit.at,
        points.map(() => []),
      );
    edits.get(edit.at)![p].push(edit);
  }
  return edits;
}

/** What the edits of one hook do to its rows, at any of the points. */
interface Touched {
  /** Rows that get something else than `from` has there. */
  readonly added: ReadonlySet<number>;
  /** Rows of which something stays as it was computed. */
  readonly old: ReadonlySet<number>;
  /** Rows on which an edit acts. */
  readonly rows: Rows;
  /** An edit sees all rows. */
  readonly wantsAll: boolean;
}

function touch(name: HookName, points: readonly (readonly Edit[])[], all: Rows, { from, config }: Clean): Touched {
  const clean = from && name in from.cache ? from.cache[name] : undefined;
  const heads = upTo(axesOf(name).includes("head") ? config.n_heads - 1 : 0);
  const [added, old, rows] = [new Set<number>(), new Set<number>(), new Set<number>()];
  for (const edits of points) {
    const positions = edits.map(editedPositions);
    const named = new Set(positions.flatMap((own) => own ?? []));
    const at = (actsHere: (own: Rows | undefined) => boolean) => {
      const here = edits.filter((_, i) => actsHere(positions[i]));
      return { acts: here.length > 0, ...outcome(here, heads, clean) };
    };
    const elsewhere = at((own) => own === undefined);
    for (const r of all) {
      const { acts, isAdded, isOld } = named.has(r) ? at((own) => own?.includes(r) ?? true) : elsewhere;
      if (isAdded) added.add(r);
      if (isOld) old.add(r);
      if (acts) rows.add(r);
    }
  }
  const wantsAll = points.some((edits) => edits.some((edit) => edit.change !== undefined));
  return { added, old, rows: all.filter((r) => rows.has(r)), wantsAll };
}

/** What edits of one row leave of it: of any of its heads. */
function outcome(edits: readonly Edit[], heads: readonly number[], clean: tf.Tensor | undefined) {
  let [isAdded, isOld] = [false, false];
  for (const head of heads) {
    const own = ofHead(edits, head, clean);
    isAdded ||= own.isAdded;
    isOld ||= own.isOld;
    if (isAdded && isOld) break;
  }
  return { isAdded, isOld };
}

function ofHead(edits: readonly Edit[], head: number, clean: tf.Tensor | undefined) {
  let [isAdded, isOld] = [false, true];
  for (const { slice = {}, source } of edits) {
    const { head: heads, key_pos } = slice as { head?: number | readonly number[]; key_pos?: unknown };
    if (typeof heads === "number" ? heads !== head : heads && !heads.includes(head)) continue;
    const isClean = source !== undefined && source === clean;
    const hidesOld = source !== undefined && key_pos === undefined;
    isAdded = !isClean || (isAdded && !hidesOld);
    isOld &&= !hidesOld;
  }
  return { isAdded, isOld };
}

interface Clean {
  readonly from: Run | undefined;
  readonly config: ModelConfig;
}

/** What edits reach beside the graph's own ways. */
interface Reach {
  readonly touched: ReadonlyMap<HookName, Touched>;
  readonly all: Rows;
  readonly ownRows: (own: HookName | undefined) => Rows;
  /** Hooks that see later positions, too. */
  readonly ahead: ReadonlySet<HookName>;
}

const NONE: ReadonlySet<number> = new Set();

/** The rows of each hook, before and after its edits, that are not as in the clean run. */
function differing(graph: Graph, { touched, all, ownRows, ahead }: Reach) {
  const rows = new Map<HookName, { before: ReadonlySet<number>; after: ReadonlySet<number> }>();
  const after = (input: HookName) => rows.get(input)!.after;
  for (const [name, inputs] of graph) {
    let before = NONE; // most hooks have the rows of one of their inputs
    const add = (more: ReadonlySet<number>) => {
      if (before.size === 0) before = more;
      else if (more.size > 0) before = new Set([...before, ...more]);
    };
    for (const input of inputs.same) add(after(input));
    const own = ownRows(inputs.own).filter((r) => after(inputs.own!).has(r));
    if (own.length > 0) add(new Set(own));
    const differ = inputs.upTo.filter((input) => after(input).size > 0);
    if (differ.length > 0) {
      const first = Math.min(...differ.flatMap((input) => [...after(input)]));
      add(new Set(ahead.has(name) ? all : all.slice(first)));
    }
    const edited = touched.get(name);
    const left = edited && all.filter((r) => edited.added.has(r) || (edited.old.has(r) && before.has(r)));
    rows.set(name, { before, after: left ? new Set(left) : before });
  }
  return rows;
}

/** Of a float32. */
export const BYTES = 4;

/** Bytes of what is computed and kept, of so many prompts. */
export function keptBytes({ computed, keeps, length }: Plan, config: ModelConfig, batch: number): number {
  const sizes = [...computed.keys()]
    .filter(keeps)
    .map((name) => shapeOf(name, { ...config, batch, length }).reduce((a, b) => a * b));
  return BYTES * sizes.reduce((a, b) => a + b, 0);
}

/** Rows of one matrix product beyond which a larger one is hardly any faster. */
const ENOUGH_ROWS = 1024;
/** Points that keep more than this together cost more memory than they save time. */
const MOST_KEPT = 2 ** 27;

/**
 * How many of these points, from the first on, are best computed side by side: those that need the same, as many as fill the
 * processor and don't keep too much. Each is asked for only when the ones before it are in.
 */
export function sideBySide(
  model: Model,
  tokens: Tokens,
  { points, count, ...options }: ForwardOptions & { points: (index: number) => Intervention; count: number },
): Intervention[] {
  const planOf = (point: Intervention) => makePlan(model, tokens, [point], options);
  const found = [points(0)];
  const plan = planOf(found[0]);
  const widest = Math.max(1, ...[...plan.computed.values()].map((rows) => rows.length));
  const kept = keptBytes(plan, model.config, tokens.length);
  const most = Math.min(count, Math.floor(ENOUGH_ROWS / (widest * tokens.length)), Math.floor(MOST_KEPT / kept));
  while (found.length < most) {
    const next = points(found.length);
    if (!samePlan(plan, planOf(next))) break;
    found.push(next);
  }
  return found;
}

const sameRows = (a: Rows, b?: Rows): boolean => a.length === b?.length && a.every((r, i) => r === b[i]);

function samePlan(a: Plan, b: Plan): boolean {
  const same = (x: ReadonlyMap<HookName, Rows>, y: ReadonlyMap<HookName, Rows>) =>
    x.size === y.size && [...x].every(([name, rows]) => sameRows(rows, y.get(name)));
  return same(a.computed, b.computed) && same(a.given, b.given);
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
