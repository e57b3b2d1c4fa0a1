import { type SelectivityRow, selectivityBy } from "../experiments/query-key";
import { headName } from "../model/heads";
import { share } from "../numbers/statistics";
import type { CircuitHeads } from "./classify";
import { groupOf } from "./group-tables";

/** One head's selectivity, and which parts it comes from most. */
export interface SelectivitySummary {
  /** "8.11" */
  readonly head: string;
  /** In attention score, and *e* to its power. */
  readonly selectivity: number;
  readonly "times more attention": number;
  /** The two strongest parts with their shares: "mlp 0 53%, 1.2 (propagation) 40%". */
  readonly "strongest in the query": string;
  readonly "strongest in the key": string;
}

/** `standIns`: the letter movers are none, they only stand in (see `chooseHeads`). */
type NamedGroups = CircuitHeads & { readonly standIns?: boolean };

/**
 * A row for each head of which `wordSelectivity` was measured. A part that is a head of a group is named with it.
 * @param selectivity `wordSelectivity`'s rows by the head's name
 */
export function selectivityTable(
  selectivity: ReadonlyMap<string, readonly SelectivityRow[]>,
  groups: NamedGroups,
): SelectivitySummary[] {
  return [...selectivity].map(([head, rows]) => {
    const total = rows.reduce((sum, { score }) => sum + score, 0);
    const strongest = (side: "query" | "key") =>
      selectivityBy(rows, { side, top: 2 })
        .map(({ component, score }) => `${withGroup(component, groups)} ${percent(share(score, total))}`)
        .join(", ");
    return {
      head,
      selectivity: total,
      "times more attention": Math.exp(total),
      "strongest in the query": strongest("query"),
      "strongest in the key": strongest("key"),
    };
  });
}

const percent = (part: number | null) => (part === null ? "of nothing" : `${(100 * part).toFixed(0)}%`);

/** "1.2 (propagation)"; as it is, if it is no head of a group. */
function withGroup(component: string, groups: NamedGroups): string {
  const head = groups.circuit.find((one) => headName(one) === component);
  if (head === undefined) return component;
  const group = groupOf(groups, head);
  return `${component} (${group === "letter mover" && groups.standIns ? "strong writer" : group})`;
}
