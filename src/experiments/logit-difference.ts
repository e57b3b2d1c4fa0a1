import type * as tf from "@tensorflow/tfjs";
import type { Readout, Run } from "../model/model";
import { checkIndices, checkOneOf } from "../numbers/check";
import { mean } from "../numbers/statistics";
import { columnOf, type LetterOf, lettersOf, type Prompts, readoutPositions, type Task } from "../prompts/task";

/** What the right letter is compared with: the largest wrong one (the paper's figures) or the mean of them (path patching). */
export type Against = "max" | "mean";

const AGAINST: readonly Against[] = ["max", "mean"];

/** What rows and read-outs of logits are, for messages. */
export interface LogitNames {
  /** Index of the first prompt in the whole data, of which these may be one batch. Default 0. */
  readonly first?: number;
  /** The letter of each read-out. Default 1, 2, 3. */
  readonly letters?: readonly number[];
  /** What the tokens are called. Default: by their number. */
  readonly candidates?: readonly string[];
}

/**
 * The values of logits `[batch, letters, tokens]`, all of them finite.
 * Throws a RangeError naming prompt, letter and token of the first that is not, and what may have caused it.
 */
export function finiteLogits(logits: tf.Tensor3D, { first = 0, letters, candidates }: LogitNames = {}): Float32Array {
  const values = logits.dataSync<"float32">();
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) {
      const [, readouts, tokens] = logits.shape;
      const [prompt, readout, token] = [
        Math.floor(i / tokens / readouts),
        Math.floor(i / tokens) % readouts,
        i % tokens,
      ];
      const name = candidates?.length === tokens ? `"${candidates[token]}"` : `token ${token}`;
      throw new RangeError(
        `prompt ${first + prompt}, letter ${letters?.[readout] ?? readout + 1}: the logit of ${name} is ${values[i]}, not a finite number. ` +
          "Either something that is not finite was put in (a head whose scores are all −∞ attends to nothing), or weights or activations are too large for float32.",
      );
    }
  return values;
}

/**
 * Logit difference per prompt and letter: right letter − largest (or mean) wrong one, in logits.
 * Throws a RangeError if a logit is not finite, an answer is no letter, or `against` is neither; Error if the shapes don't fit.
 * @param logits `[batch, letters, candidates]`: one read-out per letter, of the tokens that are compared
 * @param answers `[batch][letters]`, the right one of these tokens, by its place
 * @returns `[batch][letters]`
 */
export function letterLogitDiff(
  logits: tf.Tensor3D,
  answers: readonly (readonly number[])[],
  against: Against = "max",
  names: LogitNames = {},
): number[][] {
  checkOneOf("against", against, AGAINST);
  const [batch, letters, alphabet] = logits.shape;
  if (alphabet < 2 || answers.length !== batch || answers.some((row) => row.length !== letters))
    throw new Error(
      `letter logits are [${logits.shape}] for ${answers.length} answers of ${answers[0]?.length} letters; expected [batch, letters, at least 2 tokens]`,
    );
  for (const row of answers) checkIndices("answer", row, alphabet);
  const values = finiteLogits(logits, names);
  return answers.map((row, i) =>
    row.map((right, j) => {
      const start = (i * letters + j) * alphabet;
      const wrong = Array.from(values.subarray(start, start + alphabet)).filter((_, letter) => letter !== right);
      const reference = against === "max" ? Math.max(...wrong) : mean(wrong);
      return values[start + right] - reference;
    }),
  );
}

/** The logits of A … Z, or what else the answers are compared with, where these letters are read. */
export const letterReadout = <T extends Task>(
  { task, letters }: Prompts<T>,
  which: readonly LetterOf<T>[] = lettersOf(task),
): Readout => ({
  positions: readoutPositions(task, which),
  vocab: letters,
});

/** Logit differences `[prompt][letter]` of a run with `letterReadout`. Throws as `letterLogitDiff` does. */
export function logitDiffs<T extends Task>(
  { logits }: Pick<Run, "logits">,
  { task, answerLetters, first }: Prompts<T>,
  which: readonly LetterOf<T>[] = lettersOf(task),
  against: Against = "max",
): number[][] {
  const columns = which.map((letter) => columnOf(task, letter));
  const answers = answerLetters.map((row) => columns.map((column) => row[column]));
  return letterLogitDiff(logits, answers, against, { first, letters: which, candidates: task.candidates });
}
