/** Where heads look when words have exchanged places. */
import { type HeadId, headName } from "../model/heads";
import type { Model } from "../model/model";
import { meanBy } from "../numbers/mean-by";
import { where } from "../numbers/rows";
import { LETTERS, type Letter, type Position } from "../prompts/acronym-task";
import {
  type LetterOf,
  lettersOf,
  type PositionOf,
  type Prompts,
  readoutPositions,
  type Task,
  wordPositions,
} from "../prompts/task";
import { attentionRowsUnder, type HeadsOptions } from "./attention";
import { CLEAN, checkSwaps, pairName, type Swap, swap, swapName } from "./word-swaps";

export interface SwapAttentionRow<L extends number = Letter, P extends string = Position> extends HeadId {
  readonly pair: string;
  /** See `swapName`. */
  readonly swap: string;
  /** Where it is read, the query is. */
  readonly letter: L;
  /** C_1, C_2 or C_3. */
  readonly key: P;
  /** Mean attention probability over prompts. */
  readonly attention: number;
  /** Over prompts (n − 1). */
  readonly std: number;
}

/** Attention of heads to the three words, from where each letter is read, under each swap. See the paper's figures 12 and 14 */
export async function swapAttention<T extends Task>(
  model: Model,
  data: Prompts<T>,
  swaps: readonly Swap<T["positions"][number]>[],
  options: HeadsOptions = {},
): Promise<SwapAttentionRow<LetterOf<T>, PositionOf<T>>[]> {
  const { task } = data;
  checkSwaps(model, swaps, task);
  const capitals = wordPositions(task).map((pos) => task.positions[pos]);
  const under = swaps.map((one) => swap(one, task));
  const seen = await attentionRowsUnder(model, data, under, options);
  return swaps.flatMap((one, s) => {
    const [pair, name] = [pairName(one.pair), swapName(one)];
    const words = seen[s].filter(({ key }) => capitals.includes(key));
    return lettersOf(task).flatMap((letter) =>
      words
        .filter(({ query }) => query === task.positions[readoutPositions(task, [letter])[0]])
        .map(({ query: _, ...row }) => ({ ...row, pair, swap: name, letter })),
    );
  });
}

/**
 * Each row with the change of its attention against the clean run (probability), which is left out.
 * Throws if a pair has no clean run
 */
export function attentionMoves(rows: readonly SwapAttentionRow[]): (SwapAttentionRow & { moved: number })[] {
  const clean = new Map(rows.filter(({ swap }) => swap === CLEAN).map((row) => [cell(row), row.attention]));
  return rows
    .filter(({ swap }) => swap !== CLEAN)
    .map((row) => {
      const before = clean.get(cell(row));
      if (before === undefined) throw new Error(`${row.pair} has no clean run to compare "${row.swap}" with`);
      return { ...row, moved: row.attention - before };
    });
}

/** How far each swap moves attention: the mean absolute change over heads, letters and words. Throws as `attentionMoves` */
export function attentionShift(rows: readonly SwapAttentionRow[]): { pair: string; swap: string; shift: number }[] {
  const shifts = attentionMoves(rows).map((row) => ({ ...row, shift: Math.abs(row.moved) }));
  return meanBy(shifts, ["pair", "swap"], "shift").map(({ pair, swap, shift }) => ({ pair, swap, shift }));
}

/**
 * Of `attentionMoves` those to the word whose letter is to come, letter by letter.
 * `from`: which head looks from where; `exchanged`: what is exchanged, "POS", "BOS" or both
 */
export const ownWordMoves = (rows: readonly SwapAttentionRow[]) =>
  LETTERS.flatMap((letter) => where(attentionMoves(rows), { letter, key: `C${letter}` as const })).map((row) => ({
    ...row,
    from: `letter ${row.letter}, head ${headName(row)}`,
    exchanged: row.swap.replace("Swap ", ""),
  }));

const cell = ({ pair, layer, head, letter, key }: SwapAttentionRow) => [pair, layer, head, letter, key].join(" ");
