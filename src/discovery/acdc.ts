import { checkCorrupted } from "../experiments/measure";
import { sweep } from "../experiments/sweep";
import type { Model } from "../model/model";
import { checkFinite } from "../numbers/check";
import { range } from "../numbers/lists";
import { mean } from "../numbers/statistics";
import type { Prompts } from "../prompts/task";
import { type EdgeOptions, openEdges, withoutEdges } from "./edge-circuits";

export interface AcdcOptions extends Omit<EdgeOptions, "batch"> {
  /** An edge is taken out if the logit difference falls by less than that, in logits. */
  readonly threshold: number;
}

/**
 * Automatic circuit discovery: edges are tried one by one, from the logits backwards, and stay out where the logit difference (mean over
 * prompts and letters) falls by less than the threshold. As many forwards as there are edges, one after the other; all prompts at once.
 * @returns the edges that are left, by their index in `edgeGraph(config).edges`
 * Throws a RangeError if there are not as many corrupted rows as prompts, or the threshold is not finite; SweepInterrupted
 * See Conmy et al. (2023)
 */
export async function acdc(
  model: Model,
  data: Prompts,
  { corrupted, threshold, progress }: AcdcOptions,
): Promise<number[]> {
  checkCorrupted(data, corrupted);
  checkFinite("threshold", threshold);
  const { runs, close } = openEdges(model, data, corrupted);
  const { edges } = runs.graph;
  const level = (removed: readonly number[]) =>
    mean(
      withoutEdges(
        runs,
        data,
        removed.map((edge) => edges[edge]),
      ),
    );
  const removed: number[] = [];
  let current = level([]);
  const tried = range(edges.length).reverse();
  try {
    const rows = await sweep(
      tried.map((edge) => ({ edge })),
      ({ edge }) => {
        const without = level([...removed, edge]);
        const stays = current - without >= threshold;
        if (!stays) {
          removed.push(edge);
          current = without;
        }
        return { stays };
      },
      { progress },
    );
    return rows
      .filter(({ stays }) => stays)
      .map(({ edge }) => edge)
      .reverse();
  } finally {
    close();
  }
}
