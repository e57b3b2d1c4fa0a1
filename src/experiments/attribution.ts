import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { checkProcessed, headWeights } from "../model/head-weights";
import { checkHeads, type HeadId, headName } from "../model/heads";
import type { HookName } from "../model/hooks";
import { disposeRun, type Model, type Run } from "../model/model";
import { unembedding } from "../model/ops";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { meanAndStd } from "../numbers/statistics";
import type { Letter, Position } from "../prompts/acronym-task";
import { type LetterOf, lettersOf, type PositionOf, type Prompts, readoutPositions, type Task } from "../prompts/task";
import { letterReadout } from "./logit-difference";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";

/** What adds to the final residual stream. */
export interface Component {
  readonly kind: "embedding" | "position" | "head" | "attention bias" | "mlp" | "unembedding bias";
  readonly layer: number | null;
  readonly head: number | null;
  /** "embedding", "2.3", "mlp 0" … */
  readonly component: string;
}

export interface AttributionRow<L extends number = Letter> extends Component {
  readonly letter: L;
  /** Mean direct contribution to the logit of the right letter, in logits. */
  readonly logit: number;
  /** The same to right letter − largest wrong letter (of the whole model's logits). */
  readonly logit_diff: number;
  /** Of `logit_diff`, over prompts (n − 1). */
  readonly std: number;
}

/** Every component, in the order of the forward. */
export function components({ config }: Model): Component[] {
  const plain = (kind: Component["kind"], layer: number | null, component: string = kind): Component => ({
    kind,
    layer,
    head: null,
    component,
  });
  const layers = range(config.n_layers).flatMap((layer): Component[] => [
    ...range(config.n_heads).map((head) => ({
      kind: "head" as const,
      layer,
      head,
      component: headName({ layer, head }),
    })),
    plain("attention bias", layer, `attention bias ${layer}`),
    plain("mlp", layer, `mlp ${layer}`),
  ]);
  return [plain("embedding", null), plain("position", null), ...layers, plain("unembedding bias", null)];
}

/** The right letter's, and right − largest wrong letter's, unembedding: `[batch * letters, d_model]`, with their biases `[batch * letters]`. */
function directions(model: Model, run: Run, { answerLetters, letters }: Prompts) {
  const n = answerLetters.flat().length;
  const right = tf.oneHot(tf.tensor1d(answerLetters.flat(), "int32"), letters.length).toFloat() as tf.Tensor2D;
  const wrong = tf
    .oneHot(run.logits.reshape([n, letters.length]).sub(right.mul(1e9)).argMax(-1), letters.length)
    .toFloat();
  const { W, b } = unembedding(model, letters);
  const columns = W.transpose(); // [candidates, d_model]
  return [right, right.sub(wrong) as tf.Tensor2D].map((choice) => ({
    direction: tf.matMul(choice, columns),
    bias: choice.mul(b).sum(1),
  }));
}

/** An activation at these positions, `[batch, positions, …]`. */
export const atPositions = (run: Run, name: HookName, positions: readonly number[]): tf.Tensor =>
  tf.gather(run.cache[name] as tf.Tensor, tf.tensor1d(positions as number[], "int32"), 1);

/** What is written in one direction for each letter of each prompt, with what the biases write. */
type Direction = ReturnType<typeof directions>[number];

/** Dot products of every component with a direction, `[component][batch * letters]`, in the order of `components`. */
function contributions(model: Model, run: Run, positions: readonly number[], { direction, bias }: Direction) {
  const atReadouts = (name: HookName) => atPositions(run, name, positions);
  const { n_layers, n_heads, d_head } = model.config;
  const n = direction.shape[0]!;
  const scaled = direction.div(atReadouts("ln_final.hook_scale").reshape([n, 1])) as tf.Tensor2D;
  const dot = (x: tf.Tensor) => x.reshape([-1, scaled.shape[1]]).mul(scaled).sum(1);
  const layers = range(n_layers).flatMap((layer) => {
    const { W_O, b_O } = model.blocks[layer];
    const z = atReadouts(`blocks.${layer}.attn.hook_z`).reshape([n, n_heads, d_head]);
    const heads = z.mul(tf.matMul(scaled, W_O.transpose()).reshape([n, n_heads, d_head])).sum(2); // [n, head]
    return [...tf.unstack(heads, 1), dot(b_O.expandDims(0)), dot(atReadouts(`blocks.${layer}.hook_mlp_out`))];
  });
  return [dot(atReadouts("hook_embed")), dot(atReadouts("hook_pos_embed")), ...layers, bias];
}

/**
 * Direct logit attribution: what each component writes straight to each letter's logit, with the final layer norm's scale
 * as it was. The rows of a letter add up to its logit (less the unembedding's centring) and logit difference.
 * Throws if the model isn't processed.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const rows = await logitAttribution(model, data);
 * const [first] = sumOfParts(rows); // all parts add up to what the model says
 * const direct = summarise(await behaviour(model, data, tokenizer));
 * console.log(Math.abs(first.logit_diff - direct[0].logit_diff) < 1e-3); // → true
 * ```
 */
export async function logitAttribution<T extends Task>(
  model: Model,
  data: Prompts<T>,
  stream: StreamOptions = {},
): Promise<AttributionRow<LetterOf<T>>[]> {
  checkProcessed(model);
  const letters = lettersOf(data.task);
  const positions = readoutPositions(data.task);
  const parts = components(model);
  const keep = (name: HookName) => /^hook_|hook_z$|hook_mlp_out$|^ln_final\.hook_scale/.test(name);
  const open = ({ prompts }: Batch): Measurement<"all"> => {
    const run = forward(model, prompts.tokens, { keep, readout: letterReadout(prompts) });
    const measure = () => {
      const all = directions(model, run, prompts).map((one) => contributions(model, run, positions, one));
      const flat = tf.stack(all.flat()).reshape([2 * parts.length, -1, letters.length]); // [part, batch, letter]
      return flat.transpose([1, 0, 2]).reshape([prompts.tokens.length, -1]).arraySync() as number[][];
    };
    return { measure, close: () => disposeRun(run) };
  };
  const [values] = await measureAll(data, ["all"] as const, open, stream);
  const column = (which: number, part: number, i: number) =>
    values.map((row) => row[(which * parts.length + part) * letters.length + i]);
  return letters.flatMap((letter, i) =>
    parts.map((part, p) => {
      const { mean: logit_diff, std } = meanAndStd(column(1, p, i));
      return { ...part, letter, logit: meanAndStd(column(0, p, i)).mean, logit_diff, std };
    }),
  );
}

/** What a letter's parts add up to. */
export interface LetterSum<L extends number = Letter> {
  readonly letter: L;
  readonly logit: number;
  readonly logit_diff: number;
}

/** The sum of all parts for each letter: the model's own mean logit of the right letter, and its logit difference. */
export function sumOfParts<L extends number = Letter>(rows: readonly AttributionRow<L>[]): LetterSum<L>[] {
  return [...groupBy(rows, ({ letter }) => letter)].map(([letter, parts]) => {
    const sum = (column: "logit" | "logit_diff") => parts.reduce((total, row) => total + row[column], 0);
    return { letter, logit: sum("logit"), logit_diff: sum("logit_diff") };
  });
}

/** A head's row with its place among all heads of the letter, from 1: what writes most for the logit difference. */
export type RankedHead<L extends number = Letter> = Omit<AttributionRow<L>, keyof HeadId> &
  HeadId & { readonly rank: number };

/**
 * The heads of `logitAttribution`'s rows, letter by letter, the one that writes most first.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const ranked = rankHeads(await logitAttribution(model, data));
 * const most = ranked.filter(({ rank }) => rank === 1);
 * console.log(most.map(({ letter, layer }) => `letter ${letter}: layer ${layer}`).join(", ")); // → letter 1: layer 2, letter 2: layer 2, letter 3: layer 2
 * ```
 */
export function rankHeads<L extends number = Letter>(rows: readonly AttributionRow<L>[]): RankedHead<L>[] {
  const heads = rows.filter(({ kind }) => kind === "head") as (AttributionRow<L> & HeadId)[]; // a head has a layer and a number
  return [...groupBy(heads, ({ letter }) => letter).values()].flatMap((own) => {
    const order = [...own].sort((a, b) => b.logit_diff - a.logit_diff);
    return order.map((row, i) => ({ ...row, rank: i + 1 }));
  });
}

/** A part of the model and what all of it adds. */
export interface PartRow<L extends number = Letter> {
  /** "embedding", "position", "attention 0" (heads and bias), "mlp 0", … "unembedding bias". */
  readonly part: string;
  readonly letter: L;
  readonly logit: number;
  readonly logit_diff: number;
}

/** `logitAttribution`'s rows with each layer's heads and their bias as one. */
export function attributionByPart<L extends number = Letter>(rows: readonly AttributionRow<L>[]): PartRow<L>[] {
  const sums = new Map<string, PartRow<L>>();
  for (const { kind, layer, component, letter, logit, logit_diff } of rows) {
    const part = kind === "head" || kind === "attention bias" ? `attention ${layer}` : component;
    const before = sums.get(`${part} ${letter}`) ?? { part, letter, logit: 0, logit_diff: 0 };
    const sum = { part, letter, logit: before.logit + logit, logit_diff: before.logit_diff + logit_diff };
    sums.set(`${part} ${letter}`, sum);
  }
  return [...sums.values()];
}

export interface PositionAttributionRow<L extends number = Letter, P extends string = Position> extends HeadId {
  readonly letter: L;
  readonly key: P;
  /** Mean contribution to right − largest wrong letter of what the head moves from this position, in logits. */
  readonly logit_diff: number;
  readonly std: number;
}

/** Direct logit attribution of heads by the position they move from; over all keys a head's rows add up to its row in `logitAttribution`. */
export async function attributionByPosition<T extends Task>(
  model: Model,
  data: Prompts<T>,
  heads: readonly HeadId[],
  stream: StreamOptions = {},
): Promise<PositionAttributionRow<LetterOf<T>, PositionOf<T>>[]> {
  checkProcessed(model);
  checkHeads(model.config, heads);
  const letters = lettersOf(data.task);
  const positions = readoutPositions(data.task);
  const keys: readonly PositionOf<T>[] = data.task.positions;
  const keep = (name: HookName) => /hook_v$|hook_pattern$|^ln_final\.hook_scale/.test(name);
  const open = ({ prompts }: Batch): Measurement<HeadId> => {
    const run = forward(model, prompts.tokens, { keep, readout: letterReadout(prompts) });
    const batch = prompts.tokens.length;
    const measure = ({ layer, head }: HeadId) => {
      const [, { direction }] = directions(model, run, prompts);
      const { W_O } = headWeights(model, { layer, head });
      const scale = atPositions(run, "ln_final.hook_scale", positions).reshape([-1, 1]);
      const wanted = tf
        .matMul(direction.div(scale) as tf.Tensor2D, W_O.transpose())
        .reshape([batch, letters.length, -1]);
      const v = run.cache[`blocks.${layer}.attn.hook_v`].slice([0, 0, head], [-1, -1, 1]).squeeze([2]); // [batch, key, d_head]
      const pattern = run.cache[`blocks.${layer}.attn.hook_pattern`].slice([0, head], [-1, 1]).squeeze([1]);
      const attention = tf.gather(pattern, tf.tensor1d(positions, "int32"), 1); // [batch, letter, key]
      return attention
        .mul(tf.matMul(wanted, v, false, true))
        .reshape([batch, -1])
        .arraySync() as number[][];
    };
    return { measure, close: () => disposeRun(run) };
  };
  const values = await measureAll(data, heads, open, stream);
  return heads.flatMap((head, h) =>
    letters.flatMap((letter, i) =>
      keys.map((key, k) => {
        const { mean, std } = meanAndStd(values[h].map((row) => row[i * keys.length + k]));
        return { ...head, letter, key, logit_diff: mean, std };
      }),
    ),
  );
}
