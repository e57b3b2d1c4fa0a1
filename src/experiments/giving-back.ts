import { allHeads, type HeadId, headName } from "../model/heads";
import type { Model } from "../model/model";
import { range } from "../numbers/lists";
import { where } from "../numbers/rows";
import { share } from "../numbers/statistics";
import type { AcronymDataset } from "../prompts/acronyms";
import { resample } from "../prompts/corruption";
import { LETTERS, type Letter } from "../prompts/positions";
import { type Ablation, type EvaluateOptions, evaluateCircuits } from "./circuit-evaluation";
import { partOf, reporter } from "./progress";

/** A letter's level once some heads are given back, the rest removed. */
export interface GivenBackRow {
  /** The head given back last, "8.11", after all before it; "None" at the start. */
  readonly given_back: string;
  readonly letter: Letter;
  /** In logits. */
  readonly logit_diff: number;
  /** Over prompts. */
  readonly std: number;
  /** The whole model's logit difference. */
  readonly clean: number;
}

/** The same as measured with one permutation of the prompts. */
export interface MeasuredGivenBackRow extends GivenBackRow {
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
export async function givingBack(
  model: Model,
  data: AcronymDataset,
  circuit: readonly HeadId[],
  { seeds, ablation = "mean", progress, ...stream }: GivingBackOptions,
): Promise<MeasuredGivenBackRow[]> {
  const steps = ["None", ...circuit.map(headName)];
  const circuits = [...growing(circuit), allHeads(model.config)];
  const report = reporter(progress);
  const rows: MeasuredGivenBackRow[] = [];
  for (const [i, seed] of seeds.entries()) {
    const options = { ...stream, ablation, corrupted: resample(data, seed), progress: partOf(report, i, seeds.length) };
    const levels = await evaluateCircuits(model, data, circuits, options);
    const whole = where(levels, { circuit: steps.length });
    for (const { circuit: step, ...level } of levels.slice(0, -LETTERS.length))
      rows.push({ given_back: steps[step], ...level, clean: whole[level.letter - 1].logit_diff, seed, ablation });
  }
  return rows;
}

/** What some heads did, as a share of what all heads of the model do. */
export interface BroughtBack {
  readonly letter: Letter;
  /** null: all heads together do nothing. */
  readonly share: number | null;
}

/**
 * What it brought to give these heads back, by letter: the sum of their steps / (F(M) − F(∅)). Of all heads of the circuit this is its
 * faithfulness.
 * Throws a RangeError if one of the heads was not given back.
 * @param rows of one seed, in the order of the steps
 */
export function broughtBack(rows: readonly GivenBackRow[], heads: readonly HeadId[]): BroughtBack[] {
  return LETTERS.map((letter) => {
    const own = where(rows, { letter });
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
