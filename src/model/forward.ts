import * as tf from "@tensorflow/tfjs";
import { checkIndices, checkOneOf, checkSome } from "../numbers/check";
import { formula, projectOwn } from "./formulas";
import { graphOf, hooksByLayer } from "./hook-graph";
import {
  type ActivationCache,
  applyEdit,
  axesOf,
  type Edit,
  editAt,
  editedPositions,
  type HookName,
  type Intervention,
  layerOf,
  patch,
  rowAxis,
  type Slice,
  shapeOf,
} from "./hooks";
import { checkMemory } from "./memory";
import type { ForwardOptions, Model, ModelConfig, Readout, Run, Tokens } from "./model";
import { linear, unembedding } from "./ops";
import { makePlan, type Plan, type Rows, upTo } from "./plan";
import { handle, pick, repeat, split, stretches } from "./slices";

/**
 * Runs the model once.
 * Throws before anything is computed: on ragged or empty tokens, ids outside the vocabulary, more positions than n_ctx, a read-out,
 *   offset or name to keep that isn't there, edits that don't fit their hook, a `from` of other tokens, another model or with
 *   interventions, or more prompts than there is memory for. While computing: on a change that gives something else than its hook
 *   holds, and on activations too large for float32.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const run = forward(model, data.tokens, { keep: ["blocks.2.attn.hook_pattern"] });
 * const pattern = run.cache["blocks.2.attn.hook_pattern"]; // [batch, head, query_pos, key_pos]
 * console.log(pattern.shape.slice(0, 2)); // → [ 10, 4 ]
 * disposeRun(run);
 * ```
 */
export function forward(model: Model, tokens: Tokens, options: ForwardOptions = {}): Run {
  return forwardEach(model, tokens, [options.interventions ?? []], options)[0];
}

/**
 * Runs the model on the same prompts under each of several interventions, side by side as one large batch: the same numbers as
 * one `forward` each, sooner where a single one doesn't fill the processor.
 * Throws as `forward`.
 */
export function forwardEach(
  model: Model,
  tokens: Tokens,
  points: readonly Intervention[],
  options: Omit<ForwardOptions, "interventions"> = {},
): Run[] {
  checkSome("interventions to run", points);
  checkTokens(model.config, tokens, options.offset);
  checkReadout(model.config, tokens[0].length, options.readout);
  const plan = makePlan(model, tokens, points, options);
  // a run keeps what it was made of, whatever becomes of the caller's lists: it may be asked for it later, as `from`
  const [ownTokens, offset] = [frozenRows(tokens), options.offset && frozen(options.offset)];
  checkMemory({ config: model.config, batch: tokens.length * points.length, plan, readout: options.readout });
  const results = tf.tidy(
    () => compute({ model, tokens, offset, plan, points: points.length }, options.readout) as never,
  ) as Result[];
  return points.map((edits, p) => {
    const { logits, cache } = results[p];
    const interventions = Object.freeze(edits.map(ownEdit));
    return {
      model,
      tokens: ownTokens,
      interventions,
      offset,
      logits,
      cache: strictCache(cache),
      computed: plan.computed,
    };
  });
}

const frozen = <T>(list: readonly T[]): readonly T[] => (Object.isFrozen(list) ? list : Object.freeze([...list]));
const frozenRows = (rows: Tokens): Tokens =>
  Object.isFrozen(rows) && rows.every((row) => Object.isFrozen(row)) ? rows : Object.freeze(rows.map(frozen));
const ownEdit = (edit: Edit): Edit => Object.freeze({ ...edit, slice: structuredClone(edit.slice) }) as Edit;

function checkTokens({ n_ctx, d_vocab, name }: ModelConfig, tokens: Tokens, offset?: readonly number[]): void {
  if (!Array.isArray(tokens)) throw new TypeError("tokens must be a list of prompts, each a list of token ids");
  if (!tokens[0]?.length) throw new Error("tokens are empty; give at least one prompt");
  const length = tokens[0].length;
  for (let i = 0; i < tokens.length; i++) {
    checkIndices(`${name}, prompt ${i}: token`, tokens[i], d_vocab);
    if (tokens[i].length !== length)
      throw new Error(`prompt ${i} has ${tokens[i].length} tokens, prompt 0 has ${length}; all must have one length`);
  }
  if (length > n_ctx) throw new RangeError(`${length} positions are needed, ${name} has ${n_ctx}`);
  if (!offset) return;
  checkIndices(`${name}, ${length} tokens a prompt: offset`, offset, n_ctx - length + 1);
  if (offset.length !== tokens.length)
    throw new Error(`${offset.length} offsets for ${tokens.length} prompts; give one for each`);
}

function checkReadout({ d_vocab }: ModelConfig, length: number, readout: ForwardOptions["readout"] = "all"): void {
  if (typeof readout === "string") {
    checkOneOf("readout", readout, ["all", "none"]);
  } else {
    checkList("readout: position", readout.positions, length);
    checkList("readout: vocab", readout.vocab, d_vocab);
  }
}

function checkList(name: string, list: readonly number[], n: number): void {
  checkIndices(name, list, n);
  if (list.length === 0) throw new RangeError(`${name}: the list is empty; to read nothing, say readout: "none"`);
}

function strictCache(kept: Record<string, tf.Tensor>): ActivationCache {
  return new Proxy(Object.freeze(kept), {
    get(target, name) {
      if (typeof name === "string" && /hook_|\./.test(name) && !(name in target)) {
        axesOf(name as HookName); // which says that there is no such hook, if so
        throw new Error(`"${name}" was not kept by this run; name it in forward's \`keep\``);
      }
      return Reflect.get(target, name);
    },
  }) as unknown as ActivationCache;
}

/** What is run: every prompt under every point's intervention, the batch point after point. */
interface Pass {
  readonly model: Model;
  readonly tokens: Tokens;
  readonly offset: readonly number[] | undefined;
  readonly plan: Plan;
  readonly points: number;
}

interface Result {
  readonly logits: tf.Tensor3D;
  readonly cache: Record<string, tf.Tensor>;
}

/** By hook: what the plan says is given, at the plan's positions. */
type Given = Partial<Record<HookName, tf.Tensor>>;

/** Layer after layer, so that what only one of them needs is freed at its end. */
function compute(pass: Pass, readout: ForwardOptions["readout"] = "all"): Result[] {
  const kept: Given = {};
  let stream: Given = {};
  for (const names of hooksByLayer(pass.model.config.n_layers)) {
    const { next, keep } = tf.tidy(() => runHooks(pass, names, stream) as never) as ReturnType<typeof runHooks>;
    Object.assign(kept, keep);
    stream = next;
  }
  const { points } = pass;
  const logits = split(unembed(pass, stream, readout), points);
  const caches = Object.entries(kept).map(([name, x]) => [name, split(x as tf.Tensor, points)] as const);
  return logits.map((own, p) => ({
    logits: own as tf.Tensor3D,
    cache: Object.fromEntries(caches.map(([name, each]) => [name, each[p]])),
  }));
}

/** What is read outside its own block. */
const READ_LATER = /^hook_|resid_post$|^ln_final/;

/** Computes these hooks, in their order; gives what the next ones read, and what is kept. */
function runHooks(pass: Pass, names: readonly HookName[], before: Given) {
  const { plan, model, tokens, offset } = pass;
  const given: Given = { ...before };
  const keep: Given = {};
  const get = (name: HookName, rows: Rows) =>
    assemble(pass, name, rows, { rows: plan.given.get(name), x: given[name] });
  for (const name of names) {
    const rows = plan.computed.get(name);
    const all =
      rows &&
      formula(name, rows, {
        get,
        model,
        tokens,
        offset,
        points: pass.points,
        keys: (at) => plan.keysOf(name, at),
        atOnce: plan.atOnce.has(name),
      });
    const x = all && withOwnInputs(pass, name, { rows, x: all }, get);
    if (plan.given.has(name)) given[name] = edited(pass, name, { rows, x });
    if (plan.keeps(name)) keep[name] = handle(get(name, upTo(plan.length - 1))); // `from` may own the tensor
  }
  const next: Given = {};
  for (const name of names) if (given[name] && READ_LATER.test(name)) next[name] = given[name];
  return { next, keep };
}

/** Queries, keys or values, as all heads have them of the stream, with those of heads whose own input is edited, where it is. */
function withOwnInputs(
  { plan, points, model }: Pass,
  name: HookName,
  { rows, x }: Required<Part>,
  get: (name: HookName, rows: Rows) => tf.Tensor,
): tf.Tensor {
  const { own } = graphOf(model.config.n_layers).get(name)!;
  const edits = own && plan.edits.get(own);
  if (!edits) return x;
  const kind = own.at(-"q_input".length) as "q" | "k" | "v";
  const made = projectOwn(kind, get(own, rows), model.blocks[layerOf(name)], model.config);
  const [all, others] = [x, made].map((each) => split(each, points));
  const joined = all.map((base, p) =>
    edits[p].reduce((sum, { slice }) => {
      const source = patch(
        name as "blocks.0.attn.hook_q",
        others[p] as tf.Tensor4D,
        slice as Slice<"blocks.0.attn.hook_q">,
      );
      return applyEdit(sum, editAt(source[0], rows, handle));
    }, base),
  );
  return joined.length === 1 ? joined[0] : tf.concat(joined, 0);
}

/** What is known of an activation: these positions of it, or nothing. */
interface Part {
  readonly rows?: Rows;
  readonly x?: tf.Tensor;
}

/** An activation at these positions: from `part`, else from the clean run, else (an edit will replace it) zeros. */
function assemble(pass: Pass, name: HookName, rows: Rows, { rows: known = [], x }: Part): tf.Tensor {
  const axis = rowAxis(name);
  const parts = stretches(rows.length, (i) => known.includes(rows[i])).map(({ first, count, isIn }) => {
    const some = rows.slice(first, first + count);
    if (!isIn) return elsewhere(pass, name, some);
    const at = some.map((r) => known.indexOf(r));
    return pick(x!, at, axis);
  });
  return parts.length === 1 ? parts[0] : tf.concat(parts, axis);
}

function elsewhere({ plan, model, tokens, points }: Pass, name: HookName, rows: Rows): tf.Tensor {
  if (plan.from && name in plan.from.cache) {
    const clean: tf.Tensor = pick(plan.from.cache[name], rows, rowAxis(name));
    return repeat(clean, points);
  }
  const shape = shapeOf(name, { ...model.config, batch: tokens.length * points, length: plan.length });
  return tf.zeros(shape.map((n, d) => (d === rowAxis(name) ? rows.length : n)));
}

/** A hook's activation after its edits, at the positions that the plan asks for. */
function edited(pass: Pass, name: HookName, computed: Part): tf.Tensor {
  const { plan, points } = pass;
  const rows = plan.given.get(name)!;
  const edits = plan.edits.get(name);
  if (!edits) return assemble(pass, name, rows, computed);
  // a change sees every position
  const seen = edits.flat().some(({ change }) => change) ? upTo(plan.length - 1) : rows;
  const axis = rowAxis(name);
  const base = assemble(pass, name, seen, computed);
  const each = split(base, points).map((own, p) =>
    edits[p].reduce((x, edit) => {
      const on = editedPositions(edit);
      if (on && !on.some((r) => seen.includes(r))) return x;
      return applyEdit(
        x,
        editAt(edit, seen, (source) => pick(source, seen, axis)),
      );
    }, own),
  );
  const whole = each.length === 1 ? each[0] : tf.concat(each, 0);
  return pick(
    whole,
    rows.map((r) => seen.indexOf(r)),
    axis,
  );
}

function unembed(pass: Pass, stream: Given, readout: "all" | "none" | Readout): tf.Tensor {
  const { model, tokens, points, plan } = pass;
  if (readout === "none") return tf.zeros([tokens.length * points, 0, 0]);
  const name = "ln_final.hook_normalized";
  const read = readout === "all" ? upTo(plan.length - 1) : readout.positions;
  const normalized = assemble(pass, name, read, { rows: plan.given.get(name), x: stream[name] });
  if (readout === "all") return linear(normalized, model.W_U, model.b_U);
  const { W, b } = unembedding(model, readout.vocab);
  return linear(normalized, W, b);
}
