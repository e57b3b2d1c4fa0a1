import { type HeadId, headsWithout } from "../model/heads";

export interface FewestOptions {
  /** Values of sets of heads, in their order; the more the better. */
  readonly measure: (sets: readonly (readonly HeadId[])[]) => Promise<readonly number[]>;
  /** What a set must reach. */
  readonly least: number;
}

/** With more heads than this, one after the other would take too long. */
const MANY = 24;

/**
 * Few heads that reach a level, found greedily: of all heads those that are needed least are left out, one after the other (of
 * many a quarter at once where that holds the level), until each one left is needed. Greedy: a smaller set may exist.
 * @returns the set; undefined if all heads together don't reach the level
 */
export async function fewestHeads(
  heads: readonly HeadId[],
  { measure, least }: FewestOptions,
): Promise<HeadId[] | undefined> {
  const [whole] = await measure([heads]);
  if (whole < least) return undefined;
  let left = [...heads];
  while (left.length > 1) {
    const values = await measure(left.map((head) => headsWithout(left, [head])));
    const order = left.map((_, i) => i).sort((a, b) => values[b] - values[a]);
    if (values[order[0]] < least) break;
    const quarter = order.slice(0, Math.floor(left.length / 4)).map((i) => left[i]);
    const several = left.length > MANY ? headsWithout(left, quarter) : undefined;
    left = several && (await measure([several]))[0] >= least ? several : headsWithout(left, [left[order[0]]]);
  }
  return left;
}
