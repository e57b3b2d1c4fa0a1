import type { InterchangeRow } from "../../experiments/interchange";
import { PARTS, WHOLE } from "../../experiments/order-sites";
import { checkSome } from "../../numbers/check";
import { groupBy, where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import { type Claim, claim } from "../../show/claims";
import type { CheckpointRow } from "../order-table";

/** Interchange accuracies by site, part and exchange, as far as they are needed here. */
export type Accuracy = Pick<InterchangeRow, "site" | "part" | "exchange" | "iia">;

/** What notebook 10 measures on one model. */
export interface OrderEvidence {
  /** The two sources of notebook 08, and both at once. */
  readonly sources: readonly Accuracy[];
  /** Every part of the site at which the plane of means does most, words two by two. */
  readonly best: readonly Accuracy[];
  /** The plane of means there, and the words' own tokens (the whole before layer 0), all three words in turn. */
  readonly turns: { readonly plane: readonly Accuracy[]; readonly tokens: readonly Accuracy[] };
  /** One site further on: the plane of means, a trained plane, and one that was trained for wrong words. */
  readonly next: {
    readonly means: readonly Accuracy[];
    readonly trained: readonly Accuracy[];
    readonly wrong: readonly Accuracy[];
  };
  /** The plane of means two sites further on, words two by two. */
  readonly later: readonly Accuracy[];
}

const accuracy = (rows: readonly Pick<Accuracy, "iia">[]): number => {
  checkSome("rows of accuracies", rows);
  return mean(rows.map(({ iia }) => iia));
};
const written = (value: number) => value.toFixed(3);

/** What the notebook says of the embedded model. Each compares, so that a model in which nothing follows the exchanges fails it. */
export function orderClaims({ sources, best, turns, next, later }: OrderEvidence): Claim[] {
  const [plane, random, whole] = [PARTS.plane, PARTS.random, WHOLE].map((part) => accuracy(where(best, { part })));
  const source = Math.max(...[...groupBy(sources, ({ site }) => site).values()].map(accuracy));
  const [turned, tokens] = [accuracy(turns.plane), accuracy(turns.tokens)];
  const [means, trained, wrong] = [accuracy(next.means), accuracy(next.trained), accuracy(next.wrong)];
  const [apart, together] = [["C1↔C3", "C2↔C3"], ["C1↔C2"]].map((exchange) => accuracy(where(later, { exchange })));
  return [
    claim(
      "Exchanged in a plane that averages alone define, the place of a word takes the predicted letters with it in more than 85% of the cases",
      plane > 0.85,
      `accuracy ${written(plane)}`,
    ),
    claim(
      "That is more than twice what position embeddings, attention to BOS or both do",
      plane > 2 * source,
      `${written(plane)} against ${written(source)} at most`,
    ),
    claim(
      "It is more than twenty times what a random plane or the whole activation does at the same place",
      plane > 20 * Math.max(random, whole),
      `${written(plane)} against ${written(random)} and ${written(whole)}`,
    ),
    claim(
      "All three words in turn follow the plane, too, in 60% of the cases more than they follow the tokens, by which place and content differ",
      turned - tokens > 0.6,
      `${written(turned)} against ${written(tokens)}`,
    ),
    claim(
      "One step on, two trained directions do what the plane of means does there, in 20% of the cases more",
      trained - means > 0.2,
      `${written(trained)} against ${written(means)}`,
    ),
    claim(
      "The same search for wrong words finds no such plane: it reaches less than a fifth of that",
      trained > 5 * wrong,
      `${written(trained)} against ${written(wrong)}`,
    ),
    claim(
      "A layer later only exchanges work that leave the last letter's word alone: 40% of the cases more than C1↔C2",
      apart - together > 0.4,
      `${written(apart)} against ${written(together)}`,
    ),
  ];
}

/** The best trained plane of a checkpoint, and what it is compared with. */
export interface CheckpointBest {
  readonly checkpoint: string;
  readonly site: string;
  /** Interchange accuracies there: of the trained plane, two by two and all three in turn; of the plane of means; of wrong words. */
  readonly trained: number;
  readonly turns: number;
  readonly means: number | null;
  /** null where no such search was made. */
  readonly wrong_words: number | null;
}

export const TRAINED = "trained, k = 2";
export const WRONG = "wrong words, k = 2";

/** For each checkpoint the site whose trained plane moves letters in turn most: turns, because only they tell places from contents. */
export function bestOfCheckpoints(rows: readonly CheckpointRow[]): CheckpointBest[] {
  return [...groupBy(rows, ({ checkpoint }) => checkpoint)].map(([checkpoint, own]) => {
    const trained = where(own, { found: TRAINED }).reduce((best, row) => (score(row) > score(best) ? row : best));
    const { site, iia, turns } = trained;
    const at = (found: string) => where(own, { site, found })[0]?.iia ?? null;
    return { checkpoint, site, trained: iia, turns, means: at(PARTS.plane), wrong_words: at(WRONG) };
  });
}

/** What holds of words two by two and in turn. */
const score = ({ iia, turns }: CheckpointRow): number => Math.min(iia, turns);

/** What the table of checkpoints says: three that were trained, and one that wasn't ("untrained"). */
export function checkpointClaims(rows: readonly CheckpointRow[]): Claim[] {
  const best = bestOfCheckpoints(rows);
  const trained = best.filter(({ checkpoint }) => checkpoint !== "untrained");
  const untrained = where(best, { checkpoint: "untrained" })[0];
  const least = Math.min(...trained.map((row) => row.trained));
  return [
    claim(
      "In each of three trained checkpoints some trained plane does more than five times what any does in an untrained one",
      least > 5 * untrained.trained,
      trained.map((row) => `${row.checkpoint} ${written(row.trained)} at ${row.site}`).join(", ") +
        `; untrained ${written(untrained.trained)}`,
    ),
  ];
}
