import * as tf from "@tensorflow/tfjs";
import { type AcronymDataset, LETTERS, type Letter, readoutPosition } from "./dataset";
import { forward } from "./forward";
import { letterLogitDiff, meanAndStd } from "./metrics";
import type { Model, Tokens } from "./model";
import { range, sweep } from "./sweep";
import type { Tokenizer } from "./tokenizer";

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
  /** Prompts in one forward. Default 100. */
  readonly batch?: number;
  readonly progress?: (done: number, total: number) => void;
}

/**
 * How a model does the task: three rows for each prompt, read at "(", A1 and A2.
 * @throws if there are not as many token rows as prompts
 */
export async function behaviour(
  model: Model,
  data: AcronymDataset,
  tokenizer: Tokenizer,
  { tokens = data.tokens, batch = 100, progress }: BehaviourOptions = {},
): Promise<LetterRow[]> {
  if (tokens.length !== data.prompts.length)
    throw new Error(`${tokens.length} rows of tokens for ${data.prompts.length} prompts; give one for each`);
  const starts = range(Math.ceil(tokens.length / batch)).map((i) => ({ start: i * batch }));
  const measured = await sweep(
    starts,
    ({ start }) => ({ rows: letterRows(model, data, tokenizer, tokens, start, batch) }),
    {
      progress,
    },
  );
  return measured.flatMap(({ rows }) => rows);
}

function letterRows(
  model: Model,
  data: AcronymDataset,
  tokenizer: Tokenizer,
  tokens: Tokens,
  start: number,
  batch: number,
): LetterRow[] {
  const positions = LETTERS.map(readoutPosition);
  const part = tokens.slice(start, start + batch);
  const { logits } = forward(model, part, { readout: { positions, vocab: range(model.config.d_vocab) } });
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
