import type * as tf from "@tensorflow/tfjs";
import { forward, forwardEach } from "../model/forward";
import type { Intervention } from "../model/hooks";
import type { Readout, Run, Tokens } from "../model/model";
import { sideBySide } from "../model/plan";
import { checkAllFinite, checkCount } from "../numbers/check";
import { range } from "../numbers/lists";
import { bootstrapMean, type Interval, mean, meanAndStd } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { checkPrompts, type LetterOf, lettersOf, type Prompts, type Task } from "../prompts/task";
import { type ProgressOption, partOf, reporter } from "./progress";
import { sweepTogether } from "./sweep";

/** Prompts in one forward, unless said otherwise. */
export const BATCH = 50;

export interface StreamOptions {
  /** Prompts in one forward; memory grows with it, not with the number of prompts. Default 50. */
  readonly batch?: number;
  readonly progress?: ProgressOption;
}

/** Rows `start` … of a list, one batch long. */
export interface Batch {
  readonly prompts: Prompts;
  /** The same rows of another list with one row per prompt, e.g. corrupted tokens. */
  rows<T>(all: readonly T[]): readonly T[];
}

/** What one batch measures: numbers `[prompt][column]` at each point. `close` frees what was opened. */
export type Measurement<P> = { readonly close?: () => void } & (
  | { measure(point: P): PromptValues }
  /** Of the points from `start` on as many as are best done together, at least one. */
  | { measureFrom(points: readonly P[], start: number): readonly PromptValues[] }
);
type PromptValues = readonly (readonly number[])[];

/** A measurement as a value: made whole by `measureRows`, or in parts whose values are put together before rows are made of them. */
export interface Experiment<P, R> {
  readonly prompts: Prompts;
  readonly points: readonly P[];
  open(batch: Batch): Measurement<P>;
  /** Of the values of all points and prompts, `[point][prompt][column]`. */
  readonly rows: (values: readonly number[][][]) => R[];
}

/** The rows of an experiment. Throws as `measureAll`. */
export const measureRows = async <P, R>(
  { prompts, points, open, rows }: Experiment<P, R>,
  stream?: StreamOptions,
): Promise<R[]> => rows(await measureAll(prompts, points, open, stream));

/** Indices from the first on, up to the second without it. */
export type Span = readonly [number, number];

interface MeasureOptions extends StreamOptions {
  /** Measures these prompts at these points alone. Batches are those of the whole: prompts begin and end with one. Default all. */
  readonly only?: { readonly prompts?: Span; readonly points?: Span };
}

/** The first row of each batch of so many rows. Throws a RangeError if `batch` is no count. */
export function batchStarts(rows: number, batch: number): number[] {
  checkCount("batch", batch);
  return range(Math.ceil(rows / batch)).map((i) => i * batch);
}

/** Some prompts of a data set, from the first of them on. */
export function promptsFrom({ task, tokens, answerLetters, letters }: Prompts, first: number, count: number): Prompts {
  const rows = <T>(all: readonly T[]) => all.slice(first, first + count);
  return { task, tokens: rows(tokens), answerLetters: rows(answerLetters), letters, first };
}

/** Throws a RangeError if a span is empty, goes beyond what there is, or begins or ends within a batch. */
export function checkSpan(name: string, [first, end]: Span, count: number, batch = 1): void {
  const isWhole = [first, end].every(Number.isSafeInteger) && 0 <= first && first < end && end <= count;
  if (!isWhole)
    throw new RangeError(`${name} ${first}:${end}: there are ${count}, so 0 ≤ first < end ≤ ${count} is needed`);
  if (first % batch !== 0 || (end % batch !== 0 && end !== count))
    throw new RangeError(
      `${name} ${first}:${end} cut a batch of ${batch}: let them begin and end at a multiple of ${batch}, or end with the last (${count})`,
    );
}

/**
 * Measures every point on every batch of prompts. A batch is opened (its clean runs made), swept and closed before the next.
 * Throws a RangeError if there are no prompts, one doesn't fit its task, `batch` is no count, `only` has a span that isn't there or cuts a
 *   batch, or a value is not finite; what `open` and its measurements throw.
 * @returns values `[point][prompt][column]`, all finite
 */
export async function measureAll<P>(
  prompts: Prompts,
  points: readonly P[],
  open: (batch: Batch) => Measurement<P>,
  { batch: size = BATCH, progress, only = {} }: MeasureOptions = {},
): Promise<number[][][]> {
  checkPrompts(prompts);
  const n = prompts.tokens.length;
  const all = batchStarts(n, size);
  const { prompts: [from, to] = [0, n], points: [first, end] = [0, points.length] } = only;
  if (only.prompts) checkSpan("prompts", only.prompts, n, size);
  if (only.points) checkSpan("points", only.points, points.length);
  const starts = all.filter((start) => from <= start && start < to);
  const measured = points.slice(first, end);
  const report = reporter(progress);
  const values: number[][][] = measured.map(() => []);
  for (const [done, start] of starts.entries()) {
    const rows = <T>(all: readonly T[]) => all.slice(start, start + size);
    const opened = open({ prompts: promptsFrom(prompts, start, size), rows });
    const measure = (at: number) =>
      "measure" in opened ? [opened.measure(measured[at])] : opened.measureFrom(measured, at);
    try {
      const found = await sweepTogether(measured, (at) => measure(at).map((rows) => ({ rows })), {
        progress: partOf(report, done, starts.length),
      });
      for (const [index, { rows }] of found.entries())
        for (const [i, row] of rows.entries()) {
          if (!row.every(Number.isFinite))
            checkAllFinite(`prompt ${start + i}, point ${first + index}${fields(measured[index])}: value`, row);
          values[index].push([...row]);
        }
    } finally {
      opened.close?.();
    }
  }
  return values;
}

/** What a point is, for messages: ` {"layer":1,"head":0}`; nothing for a function. */
const fields = (point: unknown): string => (typeof point === "function" ? "" : ` ${JSON.stringify(point)}`);

/** Points that are interventions into one clean run. */
interface Intervened<P> {
  /** Kept what is `reusable`. */
  readonly from: Run;
  readonly readout: Readout;
  /** An empty intervention is the clean run itself. */
  readonly intervene: (point: P) => Intervention;
  readonly read: (logits: tf.Tensor3D) => PromptValues;
}

/** The measurement of such points, several side by side where that is sooner. */
export function measureIntervened<P>({ from, readout, intervene, read }: Intervened<P>) {
  const { model, tokens } = from;
  let clean: PromptValues | undefined;
  return (points: readonly P[], start: number): readonly PromptValues[] => {
    const first = intervene(points[start]);
    if (first.length === 0) {
      clean ??= read(forward(model, tokens, { from, readout }).logits);
      return [clean]; // exactly: a point that does nothing has no effect
    }
    const together = sideBySide(model, tokens, {
      points: (index) => (index === 0 ? first : intervene(points[start + index])),
      count: points.length - start,
      from,
      readout,
    });
    return forwardEach(model, tokens, together, { from, readout }).map(({ logits }) => read(logits));
  };
}

/** A mean over prompts with its spread; `low` … `high` is its 95% bootstrap interval over prompts. */
export interface Effect extends Interval {
  /** Change of the logit difference, in logits: negative is harm. */
  readonly change: number;
  /** Standard deviation of the change over prompts (n − 1). */
  readonly std: number;
  readonly n: number;
}

/** The mean change of a column against a baseline of the same prompts. */
export function effect(
  values: readonly (readonly number[])[],
  baseline: readonly (readonly number[])[],
  column: number,
): Effect {
  const changes = values.map((row, i) => row[column] - baseline[i][column]);
  const { mean: change, std } = meanAndStd(changes);
  return { change, std, n: changes.length, ...bootstrapMean(changes, { seed: 0 }) };
}

/** "-5.98 [-6.41, -5.56]": a mean with its bootstrap interval, for evidence. */
export const withInterval = ({ change, low, high }: Effect, digits = 2): string =>
  `${change.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

/** First position at which any row differs; the length if none does. */
export function firstDifference(a: Tokens, b: Tokens): number {
  const length = a[0].length;
  return a.reduce((first, row, i) => {
    const at = row.findIndex((id, p) => id !== b[i][p]);
    return at < 0 ? first : Math.min(first, at);
  }, length);
}

/** Throws if a prompt doesn't fit its task, there are not as many corrupted rows as prompts, or one is longer or shorter than its prompt. */
export function checkCorrupted(prompts: Prompts, corrupted: Tokens): void {
  checkPrompts(prompts);
  const { tokens } = prompts;
  if (corrupted.length !== tokens.length)
    throw new Error(`${corrupted.length} corrupted prompts for ${tokens.length} clean ones; give one for each`);
  for (let i = 0; i < tokens.length; i++)
    if (corrupted[i]?.length !== tokens[i].length)
      throw new RangeError(
        `corrupted prompt ${i} has ${corrupted[i]?.length} tokens, the clean one ${tokens[i].length}; they must be as long`,
      );
}

export const columnMean = (values: readonly (readonly number[])[], column: number): number =>
  mean(values.map((row) => row[column])); // a column that isn't there is not finite

/** An effect on one letter's logit difference. */
export interface LetterEffect<L extends number = Letter> extends Effect {
  readonly letter: L;
}

/**
 * Measures every point and the unchanged run (point `null`); gives a row per letter and point, of a measurement with a column per letter.
 */
export async function letterEffects<P extends object, T extends Task>(
  prompts: Prompts<T>,
  points: readonly P[],
  open: (batch: Batch) => Measurement<P | null>,
  stream: StreamOptions = {},
): Promise<(P & LetterEffect<LetterOf<T>>)[]> {
  const values = await measureAll<P | null>(prompts, [null, ...points], open, stream);
  return effectRows(prompts.task, points, values);
}

/** A row per letter and point, of the values of the unchanged run and then of the points. */
export function effectRows<P extends object, T extends Task>(
  task: T,
  points: readonly P[],
  [base, ...values]: readonly number[][][],
): (P & LetterEffect<LetterOf<T>>)[] {
  return lettersOf(task).flatMap((letter, i) =>
    points.map((point, p) => ({ ...point, letter, ...effect(values[p], base, i) })),
  );
}
