import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { checkProcessed, headWeights } from "../model/head-weights";
import { checkHead, type HeadId } from "../model/heads";
import type { HookName } from "../model/hooks";
import { disposeRun, type Model, type Run } from "../model/model";
import { checkCount, checkOneOf } from "../numbers/check";
import { where } from "../numbers/rows";
import { mean, meanAndStd } from "../numbers/statistics";
import { lettersOfWords, type Prompts, readoutPositions, type Task, wordPositions, wordStart } from "../prompts/task";
import { type Component, components } from "./attribution";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";

/** One product of a head's selectivity: of a part of its queries with a part of its keys. */
export interface SelectivityRow {
  /** The component of the stream that the query is made from: "position", "1.2", "mlp 0" … */
  readonly query: string;
  /** The same of the key. */
  readonly key: string;
  /** Mean over prompts, in attention score: the logarithm of a ratio of attentions. */
  readonly score: number;
  /** Over prompts (n − 1). */
  readonly std: number;
}

/**
 * Which parts of query and key make a head prefer the right word. Its **selectivity** is the attention score from where letter i
 * is read to C_i, less that to the other words, averaged over the letters: e to its power is how many times more attention
 * the right word gets. Layer norm's scale as it was, scores are products of sums, so every pair of components has a share and
 * the shares add up to the selectivity. What is the same for all letters, or for all words, cancels out.
 * Throws if the model isn't processed, or has no such head, or the task has not two words whose letters are read.
 * @returns a row per component of the query and of the key, in the order of the forward
 */
export async function wordSelectivity(
  model: Model,
  data: Prompts,
  head: HeadId,
  stream: StreamOptions = {},
): Promise<SelectivityRow[]> {
  checkProcessed(model);
  checkHead(model.config, head);
  const letters = lettersToTell(data.task);
  const [reads, words] = [readoutPositions(data.task, letters), wordPositions(data.task)];
  const before = components(model).filter(
    ({ kind, layer }) => kind !== "unembedding bias" && (layer ?? -1) < head.layer,
  );
  const keep = (name: HookName) => /^hook_|hook_z$|hook_mlp_out$|ln1\.hook_scale$/.test(name);
  const open = ({ prompts }: Batch): Measurement<"all"> => {
    const run = forward(model, prompts.tokens, { keep, readout: "none" });
    const measure = () => {
      const { W_Q, W_K } = headWeights(model, head);
      const queries = projected(run, before, head.layer, reads, W_Q);
      const keys = projected(run, before, head.layer, words, W_K);
      // of n words: 1/n Σ_i q_i · (k_i − mean of the other k) is 1/(n − 1) Σ_i (q_i − mean q) · (k_i − mean k)
      const share = 1 / (letters.length - 1);
      const scores = tf.matMul(queries, keys, false, true).mul(share / Math.sqrt(model.config.d_head));
      return scores.reshape([prompts.tokens.length, -1]).arraySync() as number[][];
    };
    return { measure, close: () => disposeRun(run) };
  };
  const [values] = await measureAll(data, ["all"] as const, open, stream);
  return before.flatMap((query, q) =>
    before.map((key, k) => {
      const { mean, std } = meanAndStd(values.map((row) => row[q * before.length + k]));
      return { query: query.component, key: key.component, score: mean, std };
    }),
  );
}

/** Letters whose words a head can tell apart. Throws a RangeError if there are less than two. */
function lettersToTell(task: Task): number[] {
  const letters = lettersOfWords(task);
  if (letters.length < 2) throw new RangeError(`${task.name}: the letter of one word alone is read; give at least two`);
  return letters;
}

/**
 * A head's selectivity as it attends: the logarithm of its attention to the right word, less the mean logarithm of that to the others,
 * averaged over letters and prompts. Read off its attention scores: softmax makes their differences those of the logarithms, and does so
 * where a word gets so little attention that its probability is 0. The products of `wordSelectivity` add up to it.
 * Throws a RangeError if the model has no such head.
 */
export async function seenSelectivity(
  model: Model,
  data: Prompts,
  head: HeadId,
  stream: StreamOptions = {},
): Promise<number> {
  checkHead(model.config, head);
  const letters = lettersToTell(data.task);
  const hook = `blocks.${head.layer}.attn.hook_attn_scores` as const;
  const open = ({ prompts }: Batch): Measurement<"all"> => {
    const run = forward(model, prompts.tokens, { keep: [hook], readout: "none" });
    const scores = () => run.cache[hook].slice([0, head.head], [-1, 1]).squeeze([1]).arraySync() as number[][][];
    const measure = () => scores().map((one) => letters.map((letter) => preference(one, letter, data.task)));
    return { measure, close: () => disposeRun(run) };
  };
  const [values] = await measureAll(data, ["all"] as const, open, stream);
  return mean(values.flat());
}

/** For one letter of one prompt, of scores `[query][key]`. */
function preference(scores: readonly (readonly number[])[], letter: number, task: Task): number {
  const to = (word: number) => scores[readoutPositions(task, [letter])[0]][wordStart(task, word)];
  const others = lettersOfWords(task).filter((word) => word !== letter);
  return to(letter) - mean(others.map(to));
}

/** What each component gives to a head's queries or keys at these positions, less its mean over them: `[batch, component, pos * d_head]`. */
function projected(
  run: Run,
  parts: readonly Component[],
  layer: number,
  positions: readonly number[],
  W: tf.Tensor2D,
): tf.Tensor3D {
  const at = (name: HookName) => tf.gather(run.cache[name] as tf.Tensor, positions as number[], 1);
  const scale = at(`blocks.${layer}.ln1.hook_scale`); // [batch, pos, 1]
  const [batch, pos] = scale.shape;
  const each = parts.map((part) => {
    const x = written(run, part, at).div(scale); // [batch, pos, d_model]
    const y = tf.matMul(x.reshape([-1, W.shape[0]]) as tf.Tensor2D, W).reshape([batch, pos!, -1]);
    return y.sub(y.mean(1, true)).reshape([batch, -1]);
  });
  return tf.stack(each, 1) as tf.Tensor3D;
}

/** What a component adds to the stream at the positions that `at` chooses, `[batch, pos, d_model]` (or broadcast to it). */
function written(run: Run, { kind, layer, head }: Component, at: (name: HookName) => tf.Tensor): tf.Tensor {
  const { model } = run;
  switch (kind) {
    case "embedding":
      return at("hook_embed");
    case "position":
      return at("hook_pos_embed");
    case "mlp":
      return at(`blocks.${layer!}.hook_mlp_out`);
    case "attention bias":
      return model.blocks[layer!].b_O.reshape([1, 1, -1]);
    case "head": {
      const z = at(`blocks.${layer!}.attn.hook_z`);
      const one = z.slice([0, 0, head!], [-1, -1, 1]).squeeze([2]); // [batch, pos, d_head]
      const { W_O } = headWeights(model, { layer: layer!, head: head! });
      const flat = one.reshape([-1, W_O.shape[0]]) as tf.Tensor2D;
      return tf.matMul(flat, W_O).reshape([one.shape[0], one.shape[1]!, -1]);
    }
    default:
      throw new RangeError(`"${kind}" does not add to the residual stream`);
  }
}

/**
 * The strongest components of a selectivity on one side: its rows summed over the other side.
 * Throws a RangeError if the side is none, or `top` is not a whole number.
 * @param options `side`; `top`: how many, by absolute value (default all)
 */
export function selectivityBy(
  rows: readonly SelectivityRow[],
  { side, top = rows.length }: { side: "query" | "key"; top?: number },
): { component: string; score: number }[] {
  checkOneOf("side", side, ["query", "key"]);
  checkCount("top", top, 0);
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(row[side], (sums.get(row[side]) ?? 0) + row.score);
  return [...sums]
    .map(([component, score]) => ({ component, score }))
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
    .slice(0, top);
}

/** A product of `wordSelectivity` with its number as text, for the cells of a heat map. */
export type ProductRow = SelectivityRow & {
  /** "−0.31"; "" for what rounds to nothing beside the others. */
  readonly text: string;
};

/** Products below this are not written into their cells. */
const TOO_SMALL = 0.05;

/** The products of the `top` strongest parts of the query with the `top` strongest of the key. Throws a RangeError as `selectivityBy`. */
export function strongestProducts(rows: readonly SelectivityRow[], { top }: { top: number }): ProductRow[] {
  const parts = (side: "query" | "key") => selectivityBy(rows, { side, top }).map(({ component }) => component);
  const keys = parts("key");
  const products = parts("query").flatMap((query) => keys.flatMap((key) => where(rows, { query, key })));
  return products.map((row) => ({
    ...row,
    text: Math.abs(row.score) < TOO_SMALL ? "" : row.score.toFixed(2).replace("-", "−"),
  }));
}
