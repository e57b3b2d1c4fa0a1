import { randomSubsets } from "../experiments/random-circuits";
import type { HeadId } from "../model/heads";
import { type CircuitHeads, GROUPS } from "./classify";
import { membersOf } from "./group-tables";

/** What the random halves of a circuit are called. */
export const RANDOM_HALF = "without a random half";

/** Heads that are taken out together. */
export interface RemovedSet {
  /** "without letter movers" */
  readonly K: string;
  readonly heads: readonly HeadId[];
}

/** What `completeness` and `minimality` take out: each group that has a head, then random halves of the circuit. */
export function setsToRemove(
  groups: CircuitHeads,
  { halves, seed }: { readonly halves: number; readonly seed: number },
): RemovedSet[] {
  const own = GROUPS.map((group) => ({ K: `without ${plural(group)}`, heads: membersOf(groups, group) }));
  const random = randomSubsets(groups.circuit, { draws: halves, seed });
  return [...own.filter(({ heads }) => heads.length > 0), ...random.map((heads) => ({ K: RANDOM_HALF, heads }))];
}

const plural = (group: (typeof GROUPS)[number]) => (group === "letter mover" ? "letter movers" : `${group} heads`);
