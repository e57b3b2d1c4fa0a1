import * as tf from "@tensorflow/tfjs";
import type { Tokenizer } from "../load/tokenizer";
import { forward } from "../model/forward";
import type { Intervention } from "../model/hooks";
import type { Model, Tokens } from "../model/model";
import { checkCount, checkSome } from "../numbers/check";
import { grid, range } from "../numbers/lists";
import { mean, meanAndStd } from "../numbers/statistics";
import type { AcronymDataset } from "../prompts/acronyms";
import { CORRUPTIONS, type Corruption, corrupt, resample } from "../prompts/corruption";
import { LETTERS, type Letter, readoutPosition } from "../prompts/positions";
import { finiteLogits, letterLogitDiff } from "./logit-difference";
import { type ProgressOption, reporter } from "./progress";
import { sweep } from "./sweep";

/** What a model says at one letter of one prompt. */
export interface LetterRow {
  readonly prompt: string;
  readonly acronym: string;
  readonly letter: Letter;
  /** Right letter − largest of the 25 others, in logits. */
  readonly logit_diff: number;
  /** Right letter − mean of the 25 others, in logits. */
  readonly mean_logit_diff: number;
  /** The vocabulary's likeliest token, as text. */
  readonly predicted: string;
  /** Whether that is the right letter. */
  readonly correct: boolean;
  /** Logits of A … Z. */
  readonly letter_logits: readonly number[];
}

export interface BehaviourOptions {
  /** Corrupted tokens to read instead of the data's own; the right letters stay the data's. */
  readonly tokens?: Tokens;
  /** What is done to the runs that are read. Default: nothing. */
  readonly interventions?: Intervention;
  /** Prompts in one forward. Default 50. */
  readonly batch?: number;
  readonly progress?: ProgressOption;
}

/**
 * How a model does the task: three rows for each prompt, read at "(", A1 and A2.
 * @throws if there are no prompts, not as many token rows as prompts, or `batch` is no count; RangeError if a logit is not finite
 */
export async function behaviour(
  model: Model,
  data: AcronymDataset,
  tokenizer: Tokenizer,
  { tokens = data.tokens, interventions = [], batch = 50, progress }: BehaviourOptions = {},
): Promise<LetterRow[]> {
  if (tokens.length !== data.prompts.length)
    throw new Error(`${tokens.length} rows of tokens for ${data.prompts.length} prompts; give one for each`);
  checkSome("prompts", tokens);
  checkCount("batch", batch);
  const starts = range(Math.ceil(tokens.length / batch)).map((i) => ({ start: i * batch }));
  const measured = await sweep(
    starts,
    ({ start }) => ({ rows: letterRows(model, data, tokenizer, { tokens, interventions, start, batch }) }),
    {
      progress,
    },
  );
  return measured.flatMap(({ rows }) => rows);
}

interface Part {
  readonly tokens: Tokens;
  readonly interventions: Intervention;
  /** The first row that is read. */
  readonly start: number;
  readonly batch: number;
}

function letterRows(
  model: Model,
  data: AcronymDataset,
  tokenizer: Tokenizer,
  { tokens, interventions, start, batch }: Part,
): LetterRow[] {
  const positions = LETTERS.map(readoutPosition);
  const part = tokens.slice(start, start + batch);
  const { logits } = forward(model, part, {
    interventions,
    readout: { positions, vocab: range(model.config.d_vocab) },
  });
  finiteLogits(logits, { first: start }); // the likeliest of numbers and NaN would be any
  const capitals = tf.gather(logits, tokenizer.letters as number[], 2) as tf.Tensor3D; // [batch, letter, 26]
  const answers = data.answerLetters.slice(start, start + batch);
  const against = { max: letterLogitDiff(capitals, answers), mean: letterLogitDiff(capitals, answers, "mean") };
  const likeliest = logits.argMax(-1).arraySync() as number[][];
  const letterLogits = capitals.arraySync();
  return part.flatMap((_, i) =>
    LETTERS.map((letter, j) => ({
      prompt: data.prompts[start + i],
      acronym: data.acronyms[start + i],
      letter,
      logit_diff: against.max[i][j],
      mean_logit_diff: against.mean[i][j],
      predicted: tokenizer.decode([likeliest[i][j]]),
      correct: likeliest[i][j] === data.answers[start + i][j],
      letter_logits: letterLogits[i][j],
    })),
  );
}

/** Accuracy and logit difference per letter, with standard deviations over prompts (n − 1). */
export function summarise(rows: readonly LetterRow[]): LetterSummary[] {
  return LETTERS.map((letter) => {
    const mine = rows.filter((row) => row.letter === letter);
    const { mean, std } = meanAndStd(mine.map((row) => row.logit_diff));
    const correct = mine.filter((row) => row.correct).length;
    return { letter, n: mine.length, accuracy: correct / mine.length, logit_diff: mean, std };
  });
}

export interface LetterSummary {
  readonly letter: Letter;
  readonly n: number;
  readonly accuracy: number;
  readonly logit_diff: number;
  readonly std: number;
}

/** What a model says at one letter of a prompt of which a part comes from another prompt. */
export interface CorruptedRow extends LetterRow {
  readonly corruption: Corruption;
  readonly seed: number;
  /** Logit difference now − that of the same letter of the clean prompt. */
  readonly change: number;
}

/**
 * How a model does under each corruption: of every prompt the letter that the corruption is about.
 * @param clean what `behaviour` gave for the same data
 * @param options seed: which prompts are mixed; progress counts the 9 pairs of corruption and letter
 * @throws if `clean` is not three rows for each prompt
 */
export async function corruptedBehaviour(
  model: Model,
  data: AcronymDataset,
  tokenizer: Tokenizer,
  {
    clean,
    seed,
    batch,
    progress,
  }: { clean: readonly LetterRow[]; seed: number } & Omit<BehaviourOptions, "tokens" | "interventions">,
): Promise<CorruptedRow[]> {
  if (clean.length !== LETTERS.length * data.prompts.length)
    throw new Error(`${clean.length} clean rows for ${data.prompts.length} prompts; give three for each`);
  const others = resample(data, seed);
  const report = reporter(progress);
  const kinds = grid({ corruption: CORRUPTIONS, letter: LETTERS });
  const rows: CorruptedRow[] = [];
  for (const [index, { corruption, letter }] of kinds.entries()) {
    const tokens = corrupt(data.tokens, others, corruption, letter);
    const measured = await behaviour(model, data, tokenizer, { tokens, batch });
    measured.forEach((row, i) => {
      const change = row.logit_diff - clean[i].logit_diff;
      if (row.letter === letter) rows.push({ ...row, corruption, seed, change });
    });
    report?.(index + 1, kinds.length);
  }
  return rows;
}

/** What a capital is in a prompt, seen from one of the acronym's letters. */
export type CapitalRole = "right letter" | "letter already written" | "letter still to come" | "not in the acronym";

/** One capital's logit at one letter of one prompt. */
export interface CapitalRow {
  readonly prompt: string;
  readonly letter: Letter;
  /** The right letter, "K". */
  readonly right: string;
  readonly capital: string;
  readonly role: CapitalRole;
  /** Logit − mean over the 26 capitals. */
  readonly relative_logit: number;
}

/** The 26 capitals of every row, each with its part in the prompt. */
export function capitalRows(rows: readonly LetterRow[]): CapitalRow[] {
  return rows.flatMap(({ prompt, acronym, letter, letter_logits }) => {
    const middle = mean(letter_logits);
    return letter_logits.map((logit, i) => {
      const capital = String.fromCharCode("A".charCodeAt(0) + i);
      const role = roleOf(capital, acronym, letter);
      return { prompt, letter, right: acronym[letter - 1], capital, role, relative_logit: logit - middle };
    });
  });
}

function roleOf(capital: string, acronym: string, letter: Letter): CapitalRole {
  if (capital === acronym[letter - 1]) return "right letter";
  if (acronym.slice(0, letter - 1).includes(capital)) return "letter already written";
  return acronym.slice(letter).includes(capital) ? "letter still to come" : "not in the acronym";
}
