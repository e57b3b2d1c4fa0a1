import { allHeads, type HeadId, headName } from "../model/heads";
import type { Model } from "../model/model";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { share } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { resample } from "../prompts/corruption";
import { columnOf, type LetterOf, type Prompts, type Task } from "../prompts/task";
import { type Ablation, type EvaluateOptions, evaluateCircuits } from "./circuit-evaluation";
import { partOf, reporter } from "./progress";

/** A letter's level once some heads are given back, the rest removed. */
export interface GivenBackRow<L extends number = Letter> {
  /** The head given back last, "8.11", after all before it; "None" at the start. */
  readonly given_back: string;
  readonly letter: L;
  /** In logits. */
  readonly logit_diff: number;
  /** Over prompts. */
  readonly std: number;
  /** The whole model's logit difference. */
  readonly clean: number;
}

/** The same as measured with one permutation of the prompts. */
export interface MeasuredGivenBackRow<L extends number = Letter> extends GivenBackRow<L> {
  readonly n: number;
  readonly seed: number;
  readonly ablation: Ablation;
}

export interface GivingBackOptions extends Omit<EvaluateOptions, "corrupted"> {
  /** One permutation of the prompts for each. */
  readonly seeds: readonly number[];
}

/** No head, the first one, the first two … all of a list: the x axis of the paper's figure 8. */
export const growing = (heads: readonly HeadId[]): HeadId[][] => range(heads.length + 1).map((n) => heads.slice(0, n));

/**
 * All heads are removed, then the circuit's given back one by one, in its order.
 * Throws as `evaluateCircuits`.
 * See the paper's figure 8.
 * @returns a row for each seed, step and letter
 */
export async function givingBack<T extends Task>(
  model: Model,
  data: Prompts<T>,
  circuit: readonly HeadId[],
  { seeds, ablation = "mean", progress, ...stream }: GivingBackOptions,
): Promise<MeasuredGivenBackRow<LetterOf<T>>[]> {
  const steps = ["None", ...circuit.map(headName)];
  const circuits = [...growing(circuit), allHeads(model.config)];
  const report = reporter(progress);
  const rows: MeasuredGivenBackRow<LetterOf<T>>[] = [];
  for (const [i, seed] of seeds.entries()) {
    const options = { ...stream, ablation, corrupted: resample(data, seed), progress: partOf(report, i, seeds.length) };
    const levels = await evaluateCircuits(model, data, circuits, options);
    const whole = levels.filter((row) => row.circuit === steps.length);
    for (const { circuit: step, ...level } of levels.slice(0, -whole.length)) {
      const clean = whole[columnOf(data.task, level.letter)].logit_diff;
      rows.push({ given_back: steps[step], ...level, clean, seed, ablation });
    }
  }
  return rows;
}

/** What some heads did, as a share of what all heads of the model do. */
export interface BroughtBack<L extends number = Letter> {
  readonly letter: L;
  /** null: all heads together do nothing. */
  readonly share: number | null;
}

/**
 * What it brought to give these heads back, by letter: the sum of their steps / (F(M) − F(∅)). Of all heads of the circuit this is its
 * faithfulness.
 * Throws a RangeError if one of the heads was not given back.
 * @param rows of one seed, in the order of the steps
 */
export function broughtBack<L extends number = Letter>(
  rows: readonly GivenBackRow<L>[],
  heads: readonly HeadId[],
): BroughtBack<L>[] {
  return [...groupBy(rows, ({ letter }) => letter)].map(([letter, own]) => {
    const steps = own.map((row) => row.given_back);
    const gained = heads.map(headName).map((name) => {
      const at = steps.indexOf(name);
      if (at < 1) throw new RangeError(`head ${name} was not given back; those that were are ${steps.slice(1)}`);
      return own[at].logit_diff - own[at - 1].logit_diff;
    });
    const all = own[0].clean - own[0].logit_diff;
    const sum = gained.reduce((a, b) => a + b, 0);
    return { letter, share: share(sum, all) };
  });
}
