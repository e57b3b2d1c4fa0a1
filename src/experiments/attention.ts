import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { headWeights } from "../model/head-weights";
import { allHeads, checkHead, checkHeads, type HeadId } from "../model/heads";
import type { HookName, Intervention } from "../model/hooks";
import { disposeRun, type Model, type Run } from "../model/model";
import { unembedding } from "../model/ops";
import { reusable } from "../model/plan";
import { checkIndex, checkIndices, checkOneOf, checkSome } from "../numbers/check";
import { meanAndStd } from "../numbers/statistics";
import type { Letter, Position } from "../prompts/acronym-task";
import {
  columnOf,
  type LetterOf,
  lettersOf,
  lettersOfWords,
  type PositionOf,
  type Prompts,
  readoutPositions,
  type Task,
  wordStart,
} from "../prompts/task";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";

const patternHook = (layer: number) => `blocks.${layer}.attn.hook_pattern` as const;
const hooksOf = (heads: readonly HeadId[]): HookName[] => [...new Set(heads.map(({ layer }) => patternHook(layer)))];

/** A head's pattern in a run, `[prompt][query][key]`. Throws a RangeError if the model has no such head. */
export function headPattern(run: Run, { layer, head }: HeadId): number[][][] {
  checkHead(run.model.config, { layer, head });
  return tf.tidy(() => {
    const pattern = run.cache[patternHook(layer)];
    return pattern.slice([0, head], [-1, 1]).squeeze([1]).arraySync() as number[][][];
  });
}

/** What is done to the runs that are looked at; made for each batch from a clean run of its prompts that kept the patterns. */
export type FromClean = (clean: Run) => Intervention;

export interface AttentionRowsOptions extends StreamOptions {
  readonly intervene?: FromClean;
}

export interface HeadsOptions extends StreamOptions {
  /** Which heads are looked at; all if not given. */
  readonly heads?: readonly HeadId[];
}

export interface AttentionRow<P extends string = Position> extends HeadId {
  readonly query: P;
  readonly key: P;
  /** Mean attention probability over prompts. */
  readonly attention: number;
  /** Over prompts (n − 1). */
  readonly std: number;
}

/**
 * Mean attention of heads from every position to every position at or before it.
 * See the paper's figure 3 (queries "(", A1, A2) and the supplement's mean patterns
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const rows = await attentionRows(model, data, [{ layer: 2, head: 1 }]);
 * console.log(strongest(where(rows, { query: "A1" }), "attention").key); // → C2
 * ```
 */
export async function attentionRows<T extends Task>(
  model: Model,
  data: Prompts<T>,
  heads: readonly HeadId[],
  { intervene = () => [], ...stream }: AttentionRowsOptions = {},
): Promise<AttentionRow<PositionOf<T>>[]> {
  return (await attentionRowsUnder(model, data, [intervene], { heads, ...stream }))[0];
}

/** `attentionRows` under each of several interventions, all from one clean run. */
export async function attentionRowsUnder<T extends Task>(
  model: Model,
  data: Prompts<T>,
  interventions: readonly FromClean[],
  { heads = allHeads(model.config), ...stream }: HeadsOptions = {},
): Promise<AttentionRow<PositionOf<T>>[][]> {
  checkHeads(model.config, heads);
  const reuse = new Set<HookName>(reusable(model.config));
  const keep = (name: HookName) => name.endsWith("hook_pattern") || reuse.has(name);
  const open = ({ prompts: { tokens } }: Batch): Measurement<FromClean> => {
    const clean = forward(model, tokens, { keep, readout: "none" });
    const measure = (intervene: FromClean) => {
      const options = { interventions: intervene(clean), from: clean, keep: hooksOf(heads), readout: "none" } as const;
      const run = forward(model, tokens, options);
      const patterns = heads.map((head) => headPattern(run, head)); // [head][prompt][query][key]
      return tokens.map((_, prompt) => patterns.flatMap((pattern) => pattern[prompt].flat()));
    };
    return { measure, close: () => disposeRun(clean) };
  };
  const values = await measureAll(data, interventions, open, stream);
  return values.map((prompts) => meanRows(data.task, heads, prompts));
}

/** One head's rows as a table: a row for each of these queries, a column for each key that one of them can see. */
export function attentionTable<P extends string>(
  rows: readonly AttentionRow<P>[],
  queries: readonly P[],
): Readonly<Record<string, string | number | null>>[] {
  const own = rows.filter(({ query }) => queries.includes(query));
  const keys = [...new Set(own.map(({ key }) => key))];
  return queries.map((query) => {
    const weight = (key: P) => own.find((row) => row.query === query && row.key === key)?.attention ?? null;
    return { from: query, ...Object.fromEntries(keys.map((key) => [key, weight(key)])) };
  });
}

/** `patterns`: `[prompt][head · query · key]` */
function meanRows<T extends Task>(
  { positions }: T,
  heads: readonly HeadId[],
  patterns: readonly (readonly number[])[],
): AttentionRow<PositionOf<T>>[] {
  const length = positions.length;
  return heads.flatMap((head, h) =>
    positions.flatMap((query, q) =>
      positions.slice(0, q + 1).map((key, k) => {
        const { mean, std } = meanAndStd(patterns.map((pattern) => pattern[(h * length + q) * length + k]));
        return { ...head, query, key, attention: mean, std };
      }),
    ),
  );
}

export interface ScatterRow<L extends number = Letter> extends HeadId {
  readonly prompt: number;
  readonly letter: L;
  /** The word attended to, 1–3. */
  readonly word: L;
  /** Attention from where `letter` is read to C_word. */
  readonly attention: number;
  /** What the head writes there for the capital of that word: z @ W_O @ W_U, without layer norm or bias, in logits. */
  readonly logit: number;
}

/** Attention to each word against what is written for its capital. Throws a RangeError if the task has no words. See the paper's figure 11 */
export async function attentionAgainstLogits<T extends Task>(
  model: Model,
  data: Prompts<T>,
  heads: readonly HeadId[],
  stream: StreamOptions = {},
): Promise<ScatterRow<LetterOf<T>>[]> {
  checkHeads(model.config, heads);
  const { task } = data;
  const words = lettersOfWords(task);
  const points = heads.flatMap((head) =>
    lettersOf(task).flatMap((letter) => words.map((word) => ({ ...head, letter, word }))),
  );
  const open = ({ prompts }: Batch): Measurement<(typeof points)[number]> => {
    const keep: HookName[] = [...hooksOf(heads), ...heads.map(({ layer }) => `blocks.${layer}.attn.hook_z` as const)];
    const run = forward(model, prompts.tokens, { keep, readout: "none" });
    const measure = ({ layer, head, letter, word }: (typeof points)[number]) => {
      const [[query], key] = [readoutPositions(task, [letter]), wordStart(task, word)];
      const attention = headPattern(run, { layer, head }).map((pattern) => pattern[query][key]);
      const written = writtenBy(model, run, { layer, head }, { activation: "z", pos: query, vocab: prompts.letters });
      return attention.map((weight, i) => [weight, written[i][prompts.answerLetters[i][columnOf(task, word)]]]);
    };
    return { measure, close: () => disposeRun(run) };
  };
  const values = await measureAll(data, points, open, stream);
  return points.flatMap((point, p) =>
    values[p].map(([attention, logit], prompt) => ({ ...point, prompt, attention, logit })),
  );
}

export interface WrittenOptions {
  /** `"z"`: what the head writes at `pos`; `"v"`: what it would write if it attended to `pos` alone. */
  readonly activation: "z" | "v";
  readonly pos: number;
  readonly vocab: readonly number[];
}

/**
 * What one head writes, as logits of these tokens: activation @ W_O @ W_U without layer norm or bias, `[prompt][token]`.
 * Throws a RangeError if the model has no such head, position or token.
 */
export function writtenBy(
  model: Model,
  run: Run,
  { layer, head }: HeadId,
  { activation, pos, vocab }: WrittenOptions,
): number[][] {
  checkHead(model.config, { layer, head });
  checkOneOf("activation", activation, ["z", "v"]);
  checkIndex("position", pos, run.tokens[0].length);
  checkIndices("vocab", vocab, model.config.d_vocab);
  return tf.tidy(() => {
    const one = run.cache[`blocks.${layer}.attn.hook_${activation}`].slice([0, pos, head, 0], [-1, 1, 1, -1]);
    const { W_O } = headWeights(model, { layer, head });
    const written = tf.matMul(one.reshape([one.shape[0], -1]), W_O);
    return tf.matMul(written, unembedding(model, vocab).W).arraySync() as number[][];
  });
}

/**
 * The OV circuit as the model itself meets it: what these heads together would write for each capital if they attended to a
 * word's C alone, from the values that they really have there. Averaged over all words that begin with the same capital.
 * See `ovCircuit`, which starts from embeddings.
 * @returns `[from][to]` over the 26 capitals, in logits without layer norm; `null` rows for capitals that begin no word
 */
export async function ovInPrompts(
  model: Model,
  data: Prompts,
  heads: readonly HeadId[],
  stream: StreamOptions = {},
): Promise<(number[] | null)[]> {
  checkSome("heads of an OV circuit", heads);
  checkHeads(model.config, heads);
  const keep: HookName[] = [...new Set(heads.map(({ layer }) => `blocks.${layer}.attn.hook_v` as const))];
  const open = ({ prompts }: Batch): Measurement<{ pos: number; head: HeadId }> => {
    const run = forward(model, prompts.tokens, { keep, readout: "none" });
    const measure = ({ pos, head }: { pos: number; head: HeadId }) =>
      writtenBy(model, run, head, { activation: "v", pos, vocab: prompts.letters });
    return { measure, close: () => disposeRun(run) };
  };
  const { task } = data;
  const points = lettersOfWords(task).flatMap((word) =>
    heads.map((head) => ({ column: columnOf(task, word), pos: wordStart(task, word), head })),
  );
  const values = await measureAll(data, points, open, stream);
  return data.letters.map((_, capital) => {
    const written = points.flatMap(({ column }, p) =>
      values[p].filter((_, prompt) => data.answerLetters[prompt][column] === capital),
    );
    const words = written.length / heads.length;
    return words === 0 ? null : data.letters.map((_, to) => written.reduce((sum, row) => sum + row[to], 0) / words);
  });
}
