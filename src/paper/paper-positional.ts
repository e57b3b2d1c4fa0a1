import type { SwapAttentionRow } from "../experiments/swap-attention";
import { WORD_PAIRS, type WordPair } from "../experiments/word-swaps";
import { type HeadId, sameHead } from "../model/heads";
import type { Letter, Position } from "../prompts/positions";
import type { Claim } from "../show/claims";
import { figureClaims, type MeasuredCell, type MeasuredFigures } from "./compare";
import { paperFigure, paperHeads } from "./paper";

const fig12 = ({ layer, head }: HeadId, pair: WordPair) => `fig12_swap_pos_${layer}_${head}_${pair.join("_")}`;
const fig13 = (pair: WordPair) => `fig13_swap_BOS_${pair.join("_")}_attn_patching`;
const fig14 = ({ layer, head }: HeadId, pair: WordPair) => `fig14_BOS_${layer}_${head}_${pair.join("_")}`;

/** GPT-2 Small's letter movers under the four runs of each pair of words: figure 14 in the rows of `swapAttention`. */
export function paperSwapAttention(): SwapAttentionRow[] {
  return WORD_PAIRS.flatMap((pair) =>
    paperHeads().letter_movers.flatMap((head) =>
      paperFigure(fig14(head, pair)).rows.map(({ letter, x, series, value, std }) => ({
        ...head,
        pair: pair.join("↔"),
        swap: series!,
        letter: letter!,
        key: x as Position,
        attention: value!,
        std: std!,
      })),
    ),
  );
}

/** One head's exchange of attention to BOS between two words. */
export interface PairBosSwap extends HeadId {
  /** "C1↔C3". */
  readonly pair: string;
  readonly letter: Letter;
  /** Change of the letter's logit difference, in logits. */
  readonly change: number;
}

/** The same with its spread over n prompts. */
export interface MeasuredBosSwap extends PairBosSwap {
  readonly std: number;
  readonly n: number;
}

/** What the exchange of one head's attention to BOS does to GPT-2 Small: figure 13, 144 heads for each pair and letter. */
export function paperBosSwaps(): PairBosSwap[] {
  return WORD_PAIRS.flatMap((pair) =>
    paperFigure(fig13(pair)).rows.map(({ letter, x, y, value }) => ({
      pair: pair.join("↔"),
      letter: letter!,
      layer: Number(y),
      head: Number(x),
      change: value!,
    })),
  );
}

/**
 * Figures 12, 13 and 14 as measured on GPT-2 Small, from one or several draws of `n` prompts, with the paper's heads.
 * @returns cells by figure; what was not measured has none
 */
export function positionalCells(
  attention: readonly SwapAttentionRow[],
  bosSwaps: readonly MeasuredBosSwap[],
  n: number,
): MeasuredFigures {
  const figures: Record<string, MeasuredCell[]> = {};
  for (const pair of WORD_PAIRS) {
    const ofPair = <R extends { pair: string }>(rows: readonly R[]) =>
      rows.filter((row) => row.pair === pair.join("↔"));
    figures[fig13(pair)] = ofPair(bosSwaps).map(({ letter, layer, head, change, std, n }) => ({
      ...{ letter, x: head, y: layer, value: change, std, n },
    }));
    for (const mover of paperHeads().letter_movers) {
      const own = ofPair(attention).filter((row) => sameHead(row, mover));
      const cells = own.map(({ letter, key, swap, attention: value, std }) => ({
        ...{ letter, x: key, series: swap, value, std, n },
      }));
      const positions = cells.filter(({ series }) => !series.includes("BOS"));
      figures[fig12(mover, pair)] = positions.map((cell) => ({
        ...cell,
        series: cell.series.replace("Swap POS", "Swap"),
      }));
      figures[fig14(mover, pair)] = cells;
    }
  }
  return figures;
}

/** Figures 12, 13 and 14 reproduced: see `positionalCells`. */
export const positionalFigureClaims = (...measured: Parameters<typeof positionalCells>): Claim[] =>
  figureClaims(positionalCells(...measured));
