import * as tf from "@tensorflow/tfjs";
import { heatmap } from "../figures/heatmap";
import type { Figure } from "../figures/panels";
import { checkProcessed, headWeights } from "../model/head-weights";
import { allHeads, checkHeads, type HeadId } from "../model/heads";
import type { Model } from "../model/model";
import { gelu, layerNorm, unembedding } from "../model/ops";
import { checkAllFinite, checkCount, checkIndices, checkOneOf, checkSome } from "../numbers/check";
import { where } from "../numbers/rows";
import type { Prompts } from "../prompts/task";
import { logitAttribution } from "./attribution";
import type { StreamOptions } from "./measure";

const int = (ids: readonly number[]) => tf.tensor1d(ids as number[], "int32");

/** What a head moves when it attends fully: `x @ W_V @ W_O`, without biases. */
export function moveThrough(model: Model, head: HeadId, x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const { W_V, W_O } = headWeights(model, head);
    return tf.matMul(tf.matMul(x, W_V), W_O);
  });
}

export interface OvOptions {
  /** Tokens that are attended to. */
  readonly from: readonly number[];
  /** Tokens whose logits are written. */
  readonly to: readonly number[];
  /** What stands for a token: its embedding (default), or that after the first MLP. */
  readonly input?: "embedding" | "first mlp";
}

/**
 * The OV circuit of these heads together over tokens: `W_E[from] @ W_V @ W_O @ W_U[:, to]`, in logits; no layer norm, no attention.
 * Throws if the model isn't processed; RangeError if there are no heads, the model lacks a head or token, `input` is none of those
 *   there are, or what is written is not finite.
 * See the paper's figures 9 and 10.
 * @returns `[from][to]`: what attending to one token writes for another
 */
export function ovCircuit(
  model: Model,
  heads: readonly HeadId[],
  { from, to, input = "embedding" }: OvOptions,
): number[][] {
  checkProcessed(model);
  checkSome("heads of an OV circuit", heads);
  checkHeads(model.config, heads);
  checkIndices("from: token", from, model.config.d_vocab);
  checkIndices("to: token", to, model.config.d_vocab);
  checkOneOf("input", input, ["embedding", "first mlp"]);
  const written = tf.tidy(() => {
    const x = input === "embedding" ? (tf.gather(model.W_E, int(from)) as tf.Tensor2D) : afterFirstMlp(model, from);
    const moved = tf.addN(heads.map((head) => moveThrough(model, head, x))) as tf.Tensor2D;
    return tf.matMul(moved, unembedding(model, to).W).arraySync() as number[][];
  });
  for (const [i, row] of written.entries()) checkAllFinite(`what token ${from[i]} writes for the wanted token`, row);
  return written;
}

/** One cell of an OV circuit over the capitals, named as the paper's figures name it. */
export interface OvRow {
  /** Input -> output; `_` is a leading space: "|_X| -> |X|". */
  readonly panel: string;
  /** The output's capital. */
  readonly x: string;
  /** The input's capital. */
  readonly y: string;
  /** In logits; `null`: not known. */
  readonly value: number | null;
}

/** Such a cell, or one of the paper's figures 9 and 10. */
export interface OvCell {
  readonly panel: string;
  readonly x: string | number;
  readonly y: string | number | null;
  readonly value: number | null;
}

/** `[input][output]` in logits; a row that is `null` is not known. */
export type OvMatrix = readonly (readonly number[] | null)[];

const CAPITALS = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");

/** A matrix `[input][output]` over the 26 capitals as rows. */
export const ovRows = (matrix: OvMatrix, panel: string): OvRow[] =>
  CAPITALS.flatMap((y, i) => CAPITALS.map((x, j) => ({ panel, x, y, value: matrix[i]?.[j] ?? null })));

/** Capitals looked at down, capitals written across, a panel each where there are several; every capital is named. */
export function ovMap(rows: readonly OvCell[]): Figure {
  const single = new Set(rows.map(({ panel }) => panel)).size === 1;
  return heatmap(rows, {
    x: "x",
    y: "y",
    value: "value",
    columns: single ? undefined : "panel",
    wrap: 2,
    cell: { width: 10, height: 10 },
    names: { x: "capital written", y: "capital looked at", value: "logits" },
  });
}

/** Rows of one panel as a matrix `[input][output]`. Throws a RangeError naming a panel that isn't there whole. */
export function ovMatrix(rows: readonly OvCell[], panel: string): number[][] {
  const cells = new Map(rows.filter((row) => row.panel === panel).map(({ x, y, value }) => [`${y}${x}`, value]));
  if (CAPITALS.some((y) => CAPITALS.some((x) => (cells.get(y + x) ?? null) === null)))
    throw new RangeError(
      `the rows have no whole panel "${panel}"; there are ${[...new Set(rows.map((r) => r.panel))]}`,
    );
  return CAPITALS.map((y) => CAPITALS.map((x) => cells.get(y + x)!));
}

/**
 * The OV circuit over the capitals, without and with a leading space, as input and as output: the four panels of figures 9 and 10.
 * @param tokens ids of "A" … "Z" and of " A" … " Z": a `Tokenizer` has them
 */
export function ovQuadrants(
  model: Model,
  heads: readonly HeadId[],
  { letters, spaceLetters }: { readonly letters: readonly number[]; readonly spaceLetters: readonly number[] },
): OvRow[] {
  const kinds = [
    ["|X|", letters],
    ["|_X|", spaceLetters],
  ] as const;
  return kinds.flatMap(([input, from]) =>
    kinds.flatMap(([output, to]) => ovRows(ovCircuit(model, heads, { from, to }), `${input} -> ${output}`)),
  );
}

/**
 * How clear the diagonal of a square matrix is. Rows that are `null` (not known) don't count.
 * Throws a RangeError if no row is known, or a value is not finite.
 */
export function diagonalStatistics(matrix: OvMatrix): {
  rows: number;
  diagonal: number;
  off_diagonal: number;
  row_maximum: number;
  copied: number;
} {
  const known = matrix.flatMap((row, i) => (row === null ? [] : [{ row, own: row[i] }]));
  checkSome("known rows", known);
  for (const [i, { row }] of known.entries()) checkAllFinite(`row ${i} of the matrix: value`, row);
  const total = known.flatMap(({ row }) => row).reduce((a, b) => a + b, 0);
  const trace = known.reduce((sum, { own }) => sum + own, 0);
  const row_maximum = known.filter(({ row, own }) => own === Math.max(...row)).length;
  return {
    /** Rows that are known. */
    rows: known.length,
    diagonal: trace / known.length,
    off_diagonal: (total - trace) / (known.length * (matrix.length - 1)),
    /** Rows whose largest value is on the diagonal. */
    row_maximum,
    /** Their share of the rows that are known. */
    copied: row_maximum / known.length,
  };
}

/** Every panel as a matrix, by its name. Throws a RangeError as `ovMatrix`. */
export function ovPanels(rows: readonly OvCell[]): Record<string, number[][]> {
  const names = [...new Set(rows.map(({ panel }) => panel))];
  return Object.fromEntries(names.map((panel) => [panel, ovMatrix(rows, panel)]));
}

/**
 * How clear the diagonal of each matrix is, in words for `table`.
 * Throws a RangeError as `diagonalStatistics`.
 * @param name the column of the matrices' names
 */
export function diagonalTable(
  matrices: Readonly<Record<string, OvMatrix>>,
  name: string,
): Record<string, string | number>[] {
  return Object.entries(matrices).map(([own, matrix]) => {
    const { rows, diagonal, off_diagonal, row_maximum } = diagonalStatistics(matrix);
    const onTop = `${row_maximum} of ${rows}`;
    return { [name]: own, diagonal, "off the diagonal": off_diagonal, "own capital on top": onTop };
  });
}

/** The embedding after the first MLP, as TransformerLens's copying scores use it: no attention, no position. */
function afterFirstMlp(model: Model, tokens: readonly number[]): tf.Tensor2D {
  const { W_in, b_in, W_out, b_out } = model.blocks[0];
  const embedded = tf.gather(model.W_E, int(tokens)) as tf.Tensor2D;
  const hidden = gelu(tf.matMul(layerNorm(embedded, model.config.eps), W_in).add(b_in)) as tf.Tensor2D;
  return embedded.add(tf.matMul(hidden, W_out).add(b_out));
}

/**
 * Share of input tokens among whose `top` likeliest outputs the wanted one is, when a head attends fully to the input.
 * Throws if the model isn't processed; RangeError if there are no input tokens, not one wanted token for each, the vocabulary lacks
 *   one, or `top` is not 1 … d_vocab.
 * @param options `from`: input tokens; `to`: the wanted token of each
 */
export function copyingScores(
  model: Model,
  { from, to, top = 5 }: { from: readonly number[]; to: readonly number[]; top?: number },
): (HeadId & { copying: number })[] {
  checkProcessed(model);
  const { d_vocab } = model.config;
  checkSome("input tokens", from);
  checkIndices("from: token", from, d_vocab);
  checkIndices("to: token", to, d_vocab);
  if (to.length !== from.length)
    throw new RangeError(`${to.length} wanted tokens for ${from.length} input tokens; give one for each`);
  checkCount("top", top);
  if (top > d_vocab) throw new RangeError(`top ${top} is more than the vocabulary's ${d_vocab} tokens`);
  const resid = tf.tidy(() => afterFirstMlp(model, from));
  try {
    return allHeads(model.config).map((head) => {
      const best = likeliest(model, { head, resid, top });
      return { ...head, copying: best.filter((ids, i) => ids.includes(to[i])).length / from.length };
    });
  } finally {
    resid.dispose();
  }
}

/** The likeliest tokens when a head moves these rows to the logits. One head at a time: the logits of all are gigabytes. */
function likeliest(
  model: Model,
  { head, resid, top }: { head: HeadId; resid: tf.Tensor2D; top: number },
): readonly number[][] {
  return tf.tidy(() => {
    const moved = layerNorm(moveThrough(model, head, resid), model.config.eps);
    const logits = tf.matMul(moved, model.W_U).add(model.b_U);
    return tf.topk(logits, top).indices.arraySync() as number[][];
  });
}

/**
 * The heads that write most for the right letter against the best wrong one, straight to the logits, averaged over the letters.
 * Throws a RangeError if `top` is not a whole number from 1 on.
 */
export async function strongestWriters(
  model: Model,
  data: Prompts,
  { top, ...stream }: StreamOptions & { top: number },
): Promise<HeadId[]> {
  checkCount("top", top);
  const rows = await logitAttribution(model, data, stream);
  const written = ({ layer, head }: HeadId) =>
    where(rows, { layer, head }).reduce((sum, row) => sum + row.logit_diff, 0);
  const sorted = allHeads(model.config).sort((a, b) => written(b) - written(a));
  return sorted.slice(0, top);
}
