import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { checkSome } from "../numbers/check";
import { bootstrapMean, type Interval, mean } from "../numbers/statistics";
import { randomSubspace } from "../numbers/subspace";
import type { AcronymTask } from "../prompts/acronym-task";
import { LETTERS } from "../prompts/positions";
import type { Prompts } from "../prompts/task";
import { finiteLogits, letterReadout } from "./logit-difference";
import { type Batch, type Measurement, measureAll, measureIntervened, type StreamOptions } from "./measure";
import { EXCHANGES, nextWords, type Places, type Prediction, placesName } from "./order-model";
import { activationSite, type OrderPoint, type OrderSite } from "./order-sites";

/** What a model says after an exchange, against what the causal model predicts. */
export interface InterchangeRow extends Interval {
  readonly site: string;
  readonly part: string;
  /** See `placesName`. */
  readonly exchange: string;
  /** What was exchanged. Two words can't tell a place from the word's content that moved the other way; three in turn can. */
  readonly moved: "two words" | "three in turn";
  /**
   * Interchange-intervention accuracy: the share of prompts in which every letter that the causal model predicts is said. `low` … `high` is
   * its 95% bootstrap interval over prompts.
   */
  readonly iia: number;
  /** The same for each letter alone; null where nothing is predicted. */
  readonly letter_1: number | null;
  readonly letter_2: number | null;
  readonly letter_3: number | null;
  /** Prompts. */
  readonly n: number;
}

export interface InterchangeOptions extends StreamOptions {
  /** Default: words two by two. */
  readonly exchanges?: readonly Places[];
  /** The causal model. Default `nextWords`. */
  readonly predict?: (places: Places) => Prediction;
}

/**
 * Exchanges each site's activation between words and counts in how many prompts exactly the predicted letters are said, of A … Z.
 * Prompts of three different letters are meant: with equal ones some predictions say nothing (see `distinctLetters`).
 * Throws a RangeError if there are no sites or exchanges, and as `measureAll`.
 * @returns a row for each site and exchange
 */
export async function interchangeAccuracy(
  model: Model,
  data: Prompts<AcronymTask>,
  sites: readonly OrderSite[],
  { exchanges = EXCHANGES, predict = nextWords, ...stream }: InterchangeOptions = {},
): Promise<InterchangeRow[]> {
  checkSome("sites", sites);
  checkSome("exchanges", exchanges);
  const points = sites.flatMap((site) => exchanges.map((places) => ({ site, places })));
  const said = await lettersSaid(model, data, points, stream);
  return points.map(({ site: { site, part }, places }, p) => {
    const predicted = predict(places);
    const fits = said[p].map((says, i) =>
      predicted.map((word, l) => word && says[l] === data.answerLetters[i][word - 1]),
    );
    const whole = fits.map((row) => Number(row.every((fit) => fit !== false)));
    const [letter_1, letter_2, letter_3] = predicted.map((word, l) => word && mean(fits.map((row) => Number(row[l]))));
    const interval = bootstrapMean(whole, { seed: 0 });
    return {
      site,
      part,
      exchange: placesName(places),
      moved: LETTERS.every((word) => places[word - 1] !== word) ? "three in turn" : "two words",
      iia: mean(whole),
      ...interval,
      letter_1,
      letter_2,
      letter_3,
      n: said[p].length,
    };
  });
}

/** The capital said at each letter, 0 … 25, `[point][prompt][letter]`. */
function lettersSaid(
  model: Model,
  data: Prompts<AcronymTask>,
  points: readonly { site: OrderSite; places: Places }[],
  stream: StreamOptions,
): Promise<number[][][]> {
  const readout = letterReadout(data);
  const keep = [...new Set([...reusable(model.config), ...points.flatMap(({ site }) => site.keep)])];
  const open = ({ prompts }: Batch): Measurement<(typeof points)[number]> => {
    const from = forward(model, prompts.tokens, { keep, readout: "none" });
    const read = (logits: tf.Tensor3D) => likeliest(logits, prompts.first);
    const measureFrom = measureIntervened<(typeof points)[number]>({
      from,
      readout,
      intervene: ({ site, places }) => site.exchange(from, places),
      read,
    });
    return { measureFrom, close: () => disposeRun(from) };
  };
  return measureAll(data, points, open, stream);
}

/** The likeliest capital at each read-out, `[prompt][letter]`, of logits `[batch, letters, 26]`. */
function likeliest(logits: tf.Tensor3D, first?: number): number[][] {
  finiteLogits(logits, { first }); // the largest of numbers and NaN would be any
  return logits.argMax(-1).arraySync() as number[][];
}

/**
 * How far the logits after an exchange of the whole activation are from those after one along as many directions as there are, drawn at
 * random; relative to the largest logit. It is rounding, in every model. Throws as `forward`.
 */
export function gapOfAllDirections(model: Model, data: Prompts<AcronymTask>, point: OrderPoint, seed: number): number {
  return tf.tidy(() => {
    const readout = letterReadout(data);
    const clean = forward(model, data.tokens, { keep: [point.at], readout });
    const d = clean.cache[point.at].shape.at(-1)!;
    const [whole, along] = [undefined, randomSubspace(d, d, seed)].map((subspace) => {
      const interventions = activationSite(point, "", subspace).exchange(clean, EXCHANGES[0]);
      return forward(model, data.tokens, { interventions, readout }).logits;
    });
    const largest = (x: tf.Tensor) => x.abs().max().dataSync()[0];
    return largest(along.sub(whole)) / Math.max(1, largest(whole));
  });
}
