import { type HeadId, headName } from "../model/heads";
import { groupBy, where } from "../numbers/rows";
import { mean, share } from "../numbers/statistics";
import type { FaithfulnessRow, MinimalityRow } from "./circuit-criteria";

/** A head that costs less than this share of what all heads do is not needed. */
export const NEEDED_SHARE = 0.01;

/** How much a circuit needs one of its heads. */
export interface NeededHead extends HeadId {
  /** The most that is lost without it, over letters and over the heads that are out already, as a share of what all heads do; null: they do nothing. */
  readonly most_lost: number | null;
  /** Whether that is at least a hundredth. A head whose removal only helps is not needed. */
  readonly needed: boolean;
}

/**
 * Which heads `minimality` finds needed: for some letter, alone or with others out, at least a hundredth of F(M) − F(∅) is lost.
 * @param rows of `minimality`
 * @param levels of `faithfulness`, by the same removal: F(M) and F(∅) of each letter, averaged if there are several seeds
 */
export function neededHeads(rows: readonly MinimalityRow[], levels: readonly FaithfulnessRow[]): NeededHead[] {
  const lost = ({ letter, alone, most }: MinimalityRow) =>
    share(Math.max(alone, most), mean(where(levels, { letter }).map((level) => level.model - level.none)));
  return [...groupBy(rows, headName).values()].map((own) => {
    const shares = own.map(lost).filter((one) => one !== null);
    const most_lost = shares.length > 0 ? Math.max(...shares) : null;
    return { layer: own[0].layer, head: own[0].head, most_lost, needed: (most_lost ?? 0) >= NEEDED_SHARE };
  });
}
