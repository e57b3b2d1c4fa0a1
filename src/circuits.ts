import * as tf from "@tensorflow/tfjs";
import type { HeadId } from "./hooks";
import type { Model } from "./model";
import { gelu, normalize } from "./ops";
import { allHeads } from "./sweep";
import { checkProcessed, headWeights } from "./weights";

const int = (ids: readonly number[]) => tf.tensor1d(ids as number[], "int32");

/** What a head moves when it attends fully: `x @ W_V @ W_O`, without biases. */
export function moveThrough(model: Model, head: HeadId, x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const { W_V, W_O } = headWeights(model, head);
    return tf.matMul(tf.matMul(x, W_V), W_O);
  });
}

/**
 * The OV circuit of these heads together over tokens: `W_E[from] @ W_V @ W_O @ W_U[:, to]`, in logits; no layer norm, no MLP.
 * @returns `[from][to]`: what attending to one token writes for another
 * @throws if the model isn't processed
 * @see the paper's figures 9 and 10
 */
export function ovCircuit(
  model: Model,
  heads: readonly HeadId[],
  { from, to }: { from: readonly number[]; to: readonly number[] },
): number[][] {
  checkProcessed(model);
  return tf.tidy(() => {
    const x = tf.gather(model.W_E, int(from)) as tf.Tensor2D;
    const moved = tf.addN(heads.map((head) => moveThrough(model, head, x))) as tf.Tensor2D;
    return tf.matMul(moved, tf.gather(model.W_U, int(to), 1)).arraySync() as number[][];
  });
}

/** How clear the diagonal of a square matrix is. */
export function diagonalStatistics(matrix: readonly (readonly number[])[]): {
  diagonal: number;
  off_diagonal: number;
  row_maximum: number;
} {
  const n = matrix.length;
  const total = matrix.flat().reduce((a, b) => a + b, 0);
  const trace = matrix.reduce((sum, row, i) => sum + row[i], 0);
  return {
    diagonal: trace / n,
    off_diagonal: (total - trace) / (n * (n - 1)),
    /** Rows whose largest value is on the diagonal. */
    row_maximum: matrix.filter((row, i) => row[i] === Math.max(...row)).length,
  };
}

/** The embedding after the first MLP, as TransformerLens's copying scores use it: no attention, no position. */
function afterFirstMlp(model: Model, tokens: readonly number[]): tf.Tensor2D {
  const { W_in, b_in, W_out, b_out } = model.blocks[0];
  const embedded = tf.gather(model.W_E, int(tokens)) as tf.Tensor2D;
  const hidden = gelu(tf.matMul(normalize(embedded, model.config.eps), W_in).add(b_in)) as tf.Tensor2D;
  return embedded.add(tf.matMul(hidden, W_out).add(b_out));
}

/**
 * Share of input tokens among whose `top` likeliest outputs the wanted one is, when a head attends fully to the input.
 * @param options `from`: input tokens; `to`: the wanted token of each
 * @throws if the model isn't processed
 */
export function copyingScores(
  model: Model,
  { from, to, top = 5 }: { from: readonly number[]; to: readonly number[]; top?: number },
): (HeadId & { copying: number })[] {
  checkProcessed(model);
  return tf.tidy(() => {
    const resid = afterFirstMlp(model, from);
    return allHeads(model.config).map((head) => {
      const moved = normalize(moveThrough(model, head, resid), model.config.eps);
      const logits = tf.matMul(moved, model.W_U).add(model.b_U);
      const best = tf.topk(logits, top).indices.arraySync() as number[][];
      return { ...head, copying: best.filter((ids, i) => ids.includes(to[i])).length / from.length };
    }) as never;
  }) as unknown as (HeadId & { copying: number })[];
}
