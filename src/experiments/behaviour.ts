import * as tf from "@tensorflow/tfjs";
import type { Tokenizer } from "../load/tokenizer";
import { forward } from "../model/forward";
import type { Intervention } from "../model/hooks";
import type { Model, Tokens } from "../model/model";
import { grid, range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { meanAndStd, softmax } from "../numbers/statistics";
import { type Corruption, capitalAt, type Letter } from "../prompts/acronym-task";
import type { AcronymDataset } from "../prompts/acronyms";
import { corrupt, resample } from "../prompts/corruption";
import {
  type CorruptionOf,
  checkLength,
  checkPrompts,
  type LetterOf,
  lettersOf,
  readoutPositions,
  type Task,
} from "../prompts/task";
import { finiteLogits, letterLogitDiff } from "./logit-difference";
import { BATCH, batchStarts } from "./measure";
import { type ProgressOption, reporter } from "./progress";
import { sweep } from "./sweep";

/** What a model says at one letter of one prompt. */
export interface LetterRow<L extends number = Letter> {
  readonly prompt: string;
  readonly acronym: string;
  readonly letter: L;
  /** The right letter, "K". */
  readonly right: string;
  /** The likeliest of the 26 capitals (and ")", where it is asked for). */
  readonly says: string;
  /** Of that capital, among those compared. */
  readonly probability: number;
  /** Of the right letter. */
  readonly logit: number;
  /** Right letter − largest of the 25 others, in logits. */
  readonly logit_diff: number;
  /** Right letter − mean of the 25 others, in logits. */
  readonly mean_logit_diff: number;
  /** The vocabulary's likeliest token, as text. */
  readonly predicted: string;
  /** Whether that is the right letter. */
  readonly correct: boolean;
  /** Logits of A … Z (and ")"). */
  readonly letter_logits: readonly number[];
}

export interface BehaviourOptions {
  /** Corrupted tokens to read instead of the data's own; the right letters stay the data's. */
  readonly tokens?: Tokens;
  /** What is done to every forward. An activation that is put in has a row for each prompt of a batch, or one for all. */
  readonly interventions?: Intervention;
  /** Prompts in one forward. Default 50. */
  readonly batch?: number;
  readonly progress?: ProgressOption;
}

/**
 * How a model does the task, as it is or under interventions: a row for each prompt and letter, read at "(", A1 and A2.
 * Throws if there are no prompts, one or its tokens don't fit the task, not as many token rows as prompts, `batch` is no count, or an intervention doesn't fit;
 *   RangeError if a logit is not finite.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = buildAcronyms([["Kite", "Pint", "Wren"]], tokenizer);
 * const rows = await behaviour(model, data, tokenizer);
 * for (const { letter, says, correct } of rows) console.log(letter, says, correct);
 * // → 1 K true
 * // → 2 P true
 * // → 3 W true
 * ```
 */
export async function behaviour<T extends Task>(
  model: Model,
  data: AcronymDataset<T>,
  tokenizer: Tokenizer,
  { tokens = data.tokens, interventions = [], batch = BATCH, progress }: BehaviourOptions = {},
): Promise<LetterRow<LetterOf<T>>[]> {
  if (tokens.length !== data.prompts.length)
    throw new Error(`${tokens.length} rows of tokens for ${data.prompts.length} prompts; give one for each`);
  checkPrompts(data);
  for (const [index, row] of tokens.entries()) checkLength(data.task, index, row);
  const starts = batchStarts(tokens.length, batch).map((start) => ({ start }));
  const readout = { positions: readoutPositions(data.task), vocab: range(model.config.d_vocab) };
  const read = ({ start }: { start: number }) => {
    const { logits } = forward(model, tokens.slice(start, start + batch), { interventions, readout });
    return { rows: letterRows<T>(logits, data, tokenizer, start) };
  };
  const measured = await sweep(starts, read, { progress });
  return measured.flatMap(({ rows }) => rows);
}

/** @param logits `[batch, letter, token]`, of the prompts from `start` on */
function letterRows<T extends Task>(
  logits: tf.Tensor3D,
  data: AcronymDataset<T>,
  tokenizer: Tokenizer,
  start: number,
): LetterRow<LetterOf<T>>[] {
  const letters = lettersOf(data.task);
  finiteLogits(logits, { first: start, letters }); // the likeliest of numbers and NaN would be any
  const capitals = tf.gather(logits, data.letters as number[], 2) as tf.Tensor3D; // [batch, letter, candidate]
  const answers = data.answerLetters.slice(start, start + logits.shape[0]);
  const against = { max: letterLogitDiff(capitals, answers), mean: letterLogitDiff(capitals, answers, "mean") };
  const likeliest = logits.argMax(-1).arraySync() as number[][];
  const letterLogits = capitals.arraySync();
  return answers.flatMap((right, i) =>
    letters.map((letter, j) => ({
      prompt: data.prompts[start + i],
      acronym: data.acronyms[start + i],
      letter,
      right: capitalAt(right[j]),
      ...likeliestCapital(letterLogits[i][j]),
      logit: letterLogits[i][j][right[j]],
      logit_diff: against.max[i][j],
      mean_logit_diff: against.mean[i][j],
      predicted: tokenizer.decode([likeliest[i][j]]),
      correct: likeliest[i][j] === data.answers[start + i][j],
      letter_logits: letterLogits[i][j],
    })),
  );
}

/** @param logits of A … Z */
function likeliestCapital(logits: readonly number[]): Pick<LetterRow, "says" | "probability"> {
  const probability = Math.max(...softmax(logits));
  return { says: capitalAt(logits.indexOf(Math.max(...logits))), probability };
}

/** Accuracy and logit difference per letter, with standard deviations over prompts (n − 1). */
export function summarise<L extends number = Letter>(rows: readonly LetterRow<L>[]): LetterSummary<L>[] {
  return [...groupBy(rows, (row) => row.letter)].map(([letter, mine]) => {
    const { mean, std } = meanAndStd(mine.map((row) => row.logit_diff));
    const correct = mine.filter((row) => row.correct).length;
    return { letter, n: mine.length, accuracy: correct / mine.length, logit_diff: mean, std };
  });
}

export interface LetterSummary<L extends number = Letter> {
  readonly letter: L;
  readonly n: number;
  readonly accuracy: number;
  readonly logit_diff: number;
  readonly std: number;
}

/**
 * What a model says as it is and after something was done to it, side by side: `after`'s columns are called "says, heads off" and
 * "logit_diff, heads off", if that is `what` was done.
 * Throws if there are not as many rows after as before.
 */
export function beforeAndAfter<L extends number = Letter>(
  before: readonly LetterRow<L>[],
  after: readonly LetterRow<L>[],
  what: string,
): BeforeAndAfter<L>[] {
  if (before.length !== after.length)
    throw new Error(`${before.length} rows before, ${after.length} after; give those of the same prompts`);
  return before.map(({ letter, right, says, logit_diff }, i) => ({
    ...{ letter, right, says, [`says, ${what}`]: after[i].says },
    ...{ logit_diff, [`logit_diff, ${what}`]: after[i].logit_diff },
  }));
}

type BeforeAndAfter<L extends number = Letter> = Pick<LetterRow<L>, "letter" | "right" | "says" | "logit_diff">;

/** What a model says at one letter of a prompt of which a part comes from another prompt. */
export interface CorruptedRow<L extends number = Letter, C extends string = Corruption> extends LetterRow<L> {
  readonly corruption: C;
  readonly seed: number;
  /** Logit difference now − that of the same letter of the clean prompt. */
  readonly change: number;
}

/**
 * How a model does under each corruption: of every prompt the letter that the corruption is about.
 * Throws if `clean` is not a row for each prompt and letter.
 * @param clean what `behaviour` gave for the same data
 * @param options seed: which prompts are mixed; progress counts the pairs of corruption and letter
 */
export async function corruptedBehaviour<T extends Task>(
  model: Model,
  data: AcronymDataset<T>,
  tokenizer: Tokenizer,
  {
    clean,
    seed,
    batch,
    progress,
  }: { clean: readonly LetterRow<LetterOf<T>>[]; seed: number } & Omit<BehaviourOptions, "tokens" | "interventions">,
): Promise<CorruptedRow<LetterOf<T>, CorruptionOf<T>>[]> {
  const letters = lettersOf(data.task);
  if (clean.length !== letters.length * data.prompts.length)
    throw new Error(`${clean.length} clean rows for ${data.prompts.length} prompts; give ${letters.length} for each`);
  const others = resample(data, seed);
  const report = reporter(progress);
  const corruptions = Object.keys(data.task.corruptions) as CorruptionOf<T>[];
  const kinds = grid({ corruption: corruptions, letter: letters });
  const rows: CorruptedRow<LetterOf<T>, CorruptionOf<T>>[] = [];
  for (const [index, { corruption, letter }] of kinds.entries()) {
    const tokens = corrupt(data.tokens, others, corruption, letter, data.task);
    const measured = await behaviour(model, data, tokenizer, { tokens, batch });
    measured.forEach((row, i) => {
      const change = row.logit_diff - clean[i].logit_diff;
      if (row.letter === letter) rows.push({ ...row, corruption, seed, change });
    });
    report?.(index + 1, kinds.length);
  }
  return rows;
}

/** Rows whose right letter is above the mean of the wrong ones, though another capital beats it: errors that the mean hides. */
export const hiddenByMean = <R extends Pick<LetterRow, "logit_diff" | "mean_logit_diff">>(rows: readonly R[]): R[] =>
  rows.filter(({ logit_diff, mean_logit_diff }) => mean_logit_diff > 0 && logit_diff < 0);
