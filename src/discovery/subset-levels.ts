/** What the levels of all subsets of heads say: the best of each size, what each head is worth, and how any list of heads does. */
import { allHeads, type HeadId, headList, headName } from "../model/heads";
import type { ModelConfig } from "../model/model";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { mean, share } from "../numbers/statistics";
import { headsOf, subsetOf } from "./head-subsets";

type Counts = Pick<ModelConfig, "n_layers" | "n_heads">;
/** By the subset's number: see `everySubset`. */
type Levels = readonly number[];

/** Heads in a subset. Asked for half a million times. */
function sizeOf(subset: number): number {
  let size = 0;
  for (let left = subset; left > 0; left >>= 1) size += left & 1;
  return size;
}

/** How much of what heads do at all a subset does: 0 as without heads, 1 as all of them; null: heads do nothing. */
export const shareOfHeads = (levels: Levels, subset: number): number | null =>
  share(levels[subset] - levels[0], levels[levels.length - 1] - levels[0]);

/** All subsets of one size. */
export interface SizeRow {
  /** Heads in them. */
  readonly heads: number;
  /** How many there are. */
  readonly subsets: number;
  /** The best of them, and its logit difference in logits. */
  readonly best: string;
  readonly logit_diff: number;
  /** Faithfulness of the best, on average, and of one subset in twenty from below and above; null: heads do nothing. */
  readonly faithfulness: number | null;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** The exact front: the best circuit of each size, and where circuits of that size lie. */
export function bestBySize(levels: Levels, config: Counts): SizeRow[] {
  const bySize = groupBy(range(levels.length), sizeOf);
  return [...bySize]
    .sort(([a], [b]) => a - b)
    .map(([heads, subsets]) => {
      const sorted = [...subsets].sort((a, b) => levels[b] - levels[a]);
      const shares = sorted.map((subset) => shareOfHeads(levels, subset));
      const at = (part: number) => shares[Math.round(part * (shares.length - 1))];
      return {
        heads,
        subsets: subsets.length,
        best: headList(headsOf(config, sorted[0])),
        logit_diff: levels[sorted[0]],
        faithfulness: shares[0],
        mean: shares.includes(null) ? null : mean(shares as number[]),
        low: at(0.95),
        high: at(0.05),
      };
    });
}

/** What a head is worth in the mean over all orders in which heads can be given back, in logits. */
export interface ShapleyRow extends HeadId {
  readonly shapley: number;
}

/** Exact Shapley values: they add up to what all heads do together. Model-wide, from every subset. */
export function shapleyValues(levels: Levels, config: Counts): ShapleyRow[] {
  const count = config.n_layers * config.n_heads;
  const orders = weights(count);
  return allHeads(config).map((head, i) => {
    const without = range(levels.length).filter((subset) => !((subset >> i) & 1));
    const shapley = without.reduce(
      (sum, subset) => sum + orders[sizeOf(subset)] * (levels[subset + 2 ** i] - levels[subset]),
      0,
    );
    return { ...head, shapley };
  });
}

/** Share of all orders in which a given head comes just after a given set of k others: k! (n − 1 − k)! / n! */
function weights(n: number): number[] {
  const all = [1 / n];
  for (let k = 1; k < n; k++) all.push((all[k - 1] * k) / (n - k));
  return all;
}

/** A list of heads, given back one by one. */
export interface GrowthRow {
  /** How the order was found. */
  readonly method: string;
  /** Given back so far. */
  readonly heads: number;
  readonly faithfulness: number | null;
}

/** How faithful circuits are. */
export const faithfulnessOf = (
  levels: Levels,
  config: Counts,
  method: string,
  circuits: readonly (readonly HeadId[])[],
): GrowthRow[] =>
  circuits.map((heads) => ({
    method,
    heads: heads.length,
    faithfulness: shareOfHeads(levels, subsetOf(config, heads)),
  }));

/** How faithful the first 1, 2 … heads of a list are. */
export const faithfulnessAlong = (
  levels: Levels,
  config: Counts,
  method: string,
  order: readonly HeadId[],
): GrowthRow[] =>
  faithfulnessOf(
    levels,
    config,
    method,
    order.map((_, i) => order.slice(0, i + 1)),
  );

/** The front and the mean of all circuits of each size, as rows beside those of other methods. */
export const frontRows = (front: readonly SizeRow[]): GrowthRow[] => [
  ...front.map(({ heads, faithfulness }) => ({ method: "best of all", heads, faithfulness })),
  ...front.map(({ heads, mean }) => ({ method: "random (mean of all)", heads, faithfulness: mean })),
];

/** Heads one by one, from the first that are told to be worth most. */
export const orderBy = <R extends HeadId>(rows: readonly R[], worth: (row: R) => number): HeadId[] =>
  [...rows].sort((a, b) => worth(b) - worth(a)).map(({ layer, head }) => ({ layer, head }));

/** A head by three measures, in logits. */
export interface HeadWorth {
  readonly head: string;
  readonly shapley: number;
  /** What is lost if it alone is taken out of the model. */
  readonly alone: number;
  /** The same as the gradient has it. */
  readonly by_gradient: number;
}

/** Every head by its Shapley value, by what its ablation costs and by what the gradient says of that; most worth first. */
export function headWorth(
  levels: Levels,
  config: Counts,
  attributed: readonly (HeadId & { readonly change: number })[],
): HeadWorth[] {
  const all = levels.length - 1;
  const rows = shapleyValues(levels, config).map(({ layer, head, shapley }, i) => ({
    head: headName({ layer, head }),
    shapley,
    alone: levels[all] - levels[all - 2 ** i],
    by_gradient: -attributed[i].change,
  }));
  return rows.sort((a, b) => b.shapley - a.shapley);
}

/** Heads in the order in which one would give them back who each time takes the one that helps most. */
export function greedyOrder(levels: Levels, config: Counts): HeadId[] {
  const heads = allHeads(config);
  const order: number[] = [];
  let subset = 0;
  while (order.length < heads.length) {
    const left = range(heads.length).filter((i) => !order.includes(i));
    const best = left.reduce((a, b) => (levels[subset + 2 ** b] > levels[subset + 2 ** a] ? b : a));
    order.push(best);
    subset += 2 ** best;
  }
  return order.map((i) => heads[i]);
}
