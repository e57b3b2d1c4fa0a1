import type { Letter, Position } from "./dataset";
import type { HeadId } from "./hooks";
import { paperFigure, paperHeads } from "./paper";
import { type SwapAttentionRow, WORD_PAIRS } from "./positional";

/** GPT-2 Small's letter movers under the four runs of each pair of words: figure 14 in the rows of `swapAttention`. */
export function paperSwapAttention(): SwapAttentionRow[] {
  return WORD_PAIRS.flatMap((pair) =>
    paperHeads().letter_movers.flatMap((head) =>
      paperFigure(`fig14_BOS_${head.layer}_${head.head}_${pair.join("_")}`).rows.map(
        ({ letter, x, series, value, std }) => ({
          ...head,
          pair: pair.join("↔"),
          swap: series!,
          letter: letter!,
          key: x as Position,
          attention: value!,
          std: std!,
        }),
      ),
    ),
  );
}

export interface PaperBosSwap extends HeadId {
  readonly pair: string;
  readonly letter: Letter;
  /** Change of the letter's logit difference, in logits. */
  readonly logit_diff: number;
}

/** What the exchange of one head's attention to BOS does to GPT-2 Small: figure 13, 144 heads for each pair and letter. */
export function paperBosSwaps(): PaperBosSwap[] {
  return WORD_PAIRS.flatMap((pair) =>
    paperFigure(`fig13_swap_BOS_${pair.join("_")}_attn_patching`).rows.map(({ letter, x, y, value }) => ({
      pair: pair.join("↔"),
      letter: letter!,
      layer: Number(y),
      head: Number(x),
      logit_diff: value!,
    })),
  );
}
