import type { HeadId } from "../model/heads";
import type { Model } from "../model/model";
import { groupBy } from "../numbers/rows";
import { mean } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import type { LetterOf, Prompts, Task } from "../prompts/task";
import { type CircuitRow, type EvaluateOptions, evaluateCircuits } from "./circuit-evaluation";
import { type Among, otherCircuits } from "./random-circuits";

const RIVALS = ["any heads", "same layers"] as const;
const AMONG: Readonly<Record<(typeof RIVALS)[number], Among>> = { "any heads": "all", "same layers": "same layers" };

/** The level of one circuit: of the one that is asked about, or of one that it is compared with. */
export interface RivalRow<L extends number = Letter> extends CircuitRow<L> {
  readonly heads: "the circuit" | (typeof RIVALS)[number];
  /** How many such circuits there are, without the one that is asked about. */
  readonly there_are: number;
  /** Whether those that are measured were drawn; else they are all. */
  readonly drawn: boolean;
}

export interface RivalOptions extends EvaluateOptions {
  /** Circuits that are drawn of each kind, where there are too many to take all. */
  readonly draws: number;
  readonly seed: number;
}

/**
 * A circuit and others of its size: of any heads, and with as many heads in each layer. Of each kind all are measured where there are
 * at most 50, else some, drawn at random.
 * Throws as `evaluateCircuits` and `randomCircuits`.
 */
export async function compareCircuits<T extends Task>(
  model: Model,
  data: Prompts<T>,
  circuit: readonly HeadId[],
  { draws, seed, ...options }: RivalOptions,
): Promise<RivalRow<LetterOf<T>>[]> {
  const kinds = [
    ...RIVALS.map((heads) => ({
      heads,
      ...otherCircuits(model.config, circuit, { draws, seed, among: AMONG[heads] }),
    })),
    { heads: "the circuit" as const, circuits: [circuit], there_are: 0, drawn: false },
  ];
  const all = kinds.flatMap(({ circuits, ...kind }) => circuits.map((heads) => ({ kind, heads })));
  const levels = await evaluateCircuits(
    model,
    data,
    all.map(({ heads }) => heads),
    options,
  );
  return levels.map((row) => ({ ...row, ...all[row.circuit].kind }));
}

/** How a circuit does among others of its size, by the mean over the letters. */
export interface CircuitRank {
  readonly heads: (typeof RIVALS)[number];
  /** Others there are, and how many of them were measured. */
  readonly there_are: number;
  readonly measured: number;
  readonly drawn: boolean;
  /** Of the others' logit differences; null if there are none. */
  readonly mean: number | null;
  readonly best: number | null;
  /** The circuit's own, in logits. */
  readonly circuit: number;
  /** How many of those measured do worse than the circuit. */
  readonly beaten: number;
}

/** A row for each kind of `compareCircuits`. */
export function circuitRanks<L extends number = Letter>(rows: readonly RivalRow<L>[]): CircuitRank[] {
  const [own] = levelsOf(rows.filter((row) => row.heads === "the circuit"));
  return RIVALS.map((heads) => {
    const rivals = rows.filter((row) => row.heads === heads);
    const levels = levelsOf(rivals);
    const none = levels.length === 0;
    return {
      heads,
      there_are: none ? 0 : rivals[0].there_are,
      measured: levels.length,
      drawn: !none && rivals[0].drawn,
      mean: none ? null : mean(levels),
      best: none ? null : Math.max(...levels),
      circuit: own,
      beaten: levels.filter((level) => level < own).length,
    };
  });
}

/** The mean over letters of each circuit. */
const levelsOf = (rows: readonly Pick<RivalRow, "circuit" | "logit_diff">[]): number[] =>
  [...groupBy(rows, ({ circuit }) => circuit).values()].map((same) => mean(same.map(({ logit_diff }) => logit_diff)));
