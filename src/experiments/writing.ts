/** Several letters in a row: what a model writes when each letter that it says is put where the right one stood. */
import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { edit, type Intervention, merge } from "../model/hooks";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { checkFinite, checkIndices } from "../numbers/check";
import { meanBy } from "../numbers/mean-by";
import { random } from "../numbers/random";
import { groupBy } from "../numbers/rows";
import { checkPrompts, indexOf, type LetterOf, type Prompts, readoutPositions, type Task } from "../prompts/task";
import { finiteLogits } from "./logit-difference";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";

/**
 * Other tokens at one position: one id for each prompt of a batch. As an intervention, so that only what comes after is computed anew.
 * Throws a RangeError if the model lacks a token.
 */
export function putTokens({ config, W_E }: Model, pos: number, ids: readonly number[]): Intervention {
  checkIndices("token", ids, config.d_vocab);
  // [batch, pos, d_model], of which the position is taken
  const put = (embedding: tf.Tensor3D): tf.Tensor3D =>
    tf
      .gather(W_E, ids as number[])
      .expandDims<tf.Tensor3D>(1)
      .tile([1, embedding.shape[1], 1]);
  return edit("hook_embed", put, { pos });
}

/** Where a letter is read, and the place of its own where it is then written; null: nothing is read after it. */
interface Step {
  readonly at: number;
  readonly place: number | null;
}

/** Throws a RangeError if a letter stands in the prompt that is not read directly before it. */
function writingSteps(task: Task): Step[] {
  const read = readoutPositions(task);
  const places = (task.written ?? []).map(({ at, letter }) => {
    const place = indexOf(task, at);
    const column = read.indexOf(place - 1);
    if (task.readouts[column]?.letter !== letter)
      throw new RangeError(
        `${task.name}: ${at} holds letter ${letter}, which is not read at the position before it, ${task.positions[place - 1]}; a model can write only what it says there`,
      );
    return place;
  });
  return read.map((at) => ({ at, place: places.includes(at + 1) ? at + 1 : null }));
}

/** A letter that the model wrote itself, after its own letters. */
export interface WrittenRow<L extends number = number> {
  /** Number of the prompt. */
  readonly prompt: number;
  /** 0: the likeliest letter is written; otherwise one is drawn by its probability, the logits divided by this before. */
  readonly temperature: number;
  readonly letter: L;
  readonly right: string;
  /** What it wrote. */
  readonly says: string;
  readonly correct: boolean;
  /** Whether all letters before are the right ones. Before the first there are none. */
  readonly before: "right" | "wrong";
}

export interface WritingOptions extends StreamOptions {
  /** Default [0]. */
  readonly temperatures?: readonly number[];
  /** Draws the letters, where they are drawn. Whatever `batch` is, a prompt gets the same draws. */
  readonly seed: number;
}

/**
 * Lets a model write all letters that a task reads, one forward each: what it says, of the tokens that are compared, takes the place of the
 * letter that stood there.
 * Throws a RangeError if a temperature is negative or not finite, a letter stands in the prompts that is not read directly before it, and as `measureAll`.
 * @returns a row for each temperature, prompt and letter
 */
export async function writeLetters<T extends Task>(
  model: Model,
  data: Prompts<T>,
  { temperatures = [0], seed, ...stream }: WritingOptions,
): Promise<WrittenRow<LetterOf<T>>[]> {
  checkPrompts(data);
  for (const temperature of temperatures) {
    checkFinite("temperature", temperature);
    if (temperature < 0) throw new RangeError(`temperature ${temperature} is less than 0`);
  }
  const steps = writingSteps(data.task);
  const source = random(seed, "letters");
  const draws = data.tokens.map(() => steps.map(() => source.uniform()));
  const open = ({ prompts, rows }: Batch): Measurement<number> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const measure = (temperature: number) => {
      let written: Intervention = [];
      const columns = steps.map(({ at, place }, column) => {
        const readout = { positions: [at], vocab: prompts.letters };
        const { logits } = forward(model, prompts.tokens, { from, interventions: written, readout });
        const own = rows(draws).map((row) => row[column]);
        const said = chosen(logits, temperature, { draws: own, first: prompts.first });
        const ids = said.map((index) => prompts.letters[index]);
        if (place !== null) written = merge(written, putTokens(model, place, ids));
        return said;
      });
      return prompts.tokens.map((_, p) => columns.map((said) => said[p]));
    };
    return { measure, close: () => disposeRun(from) };
  };
  const said = await measureAll(data, temperatures, open, stream);
  return temperatures.flatMap((temperature, t) => said[t].flatMap((own, p) => promptRows(data, own, p, temperature)));
}

function promptRows<T extends Task>(
  { task, letters, answerLetters }: Prompts<T>,
  said: readonly number[],
  prompt: number,
  temperature: number,
): WrittenRow<LetterOf<T>>[] {
  const text = (index: number) => task.candidates?.[index] ?? `token ${letters[index]}`;
  const right = answerLetters[prompt];
  return task.readouts.map(({ letter }, i) => ({
    prompt,
    temperature,
    letter: letter as LetterOf<T>,
    right: text(right[i]),
    says: text(said[i]),
    correct: said[i] === right[i],
    before: said.slice(0, i).every((index, j) => index === right[j]) ? "right" : "wrong",
  }));
}

/** Of logits `[batch, 1, candidates]`: the likeliest of each prompt, or one drawn: the first at which the sum of probabilities exceeds the draw. */
function chosen(
  logits: tf.Tensor3D,
  temperature: number,
  { draws, first }: { readonly draws: readonly number[]; readonly first?: number },
): number[] {
  finiteLogits(logits, { first });
  const rows = (logits.arraySync() as number[][][]).map(([row]) => row);
  return rows.map((row, p) => {
    const largest = Math.max(...row);
    if (temperature === 0) return row.indexOf(largest);
    const weights = row.map((logit) => Math.exp((logit - largest) / temperature));
    let left = draws[p] * weights.reduce((a, b) => a + b);
    const index = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return index < 0 ? row.indexOf(largest) : index; // all of it was rounding
  });
}

/** How often a letter was right, after letters that were right or wrong. */
export interface WritingSummary {
  readonly temperature: number;
  readonly letter: number;
  readonly before: WrittenRow["before"];
  readonly accuracy: number;
  readonly std: number;
  /** Prompts whose letters before were so. */
  readonly n: number;
}

/** A row for each temperature, letter and what stood before, where there was any. */
export const writingSummary = (rows: readonly WrittenRow[]): WritingSummary[] =>
  meanBy(
    rows.map((row) => ({ ...row, accuracy: Number(row.correct) })),
    ["temperature", "letter", "before"],
    "accuracy",
  );

/** The letters of each prompt in a row, right and written: "KPW", "KPC". */
export function acronymsWritten(rows: readonly WrittenRow[]): { temperature: number; right: string; writes: string }[] {
  return [...groupBy(rows, ({ temperature, prompt }) => `${temperature} ${prompt}`).values()].map((own) => ({
    temperature: own[0].temperature,
    right: own.map(({ right }) => right).join(""),
    writes: own.map(({ says }) => says).join(""),
  }));
}
