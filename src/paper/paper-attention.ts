import type { ReadoutAttention } from "../groups/readout-attention";
import { type Letter, POSITIONS, type Position, position, readoutPosition } from "../prompts/positions";
import { paperFigure, paperFigureNames } from "./paper";

/** The same of GPT-2 Small, for the heads that the paper's figure 3 shows. */
export function paperReadoutAttention(): ReadoutAttention[] {
  const names = paperFigureNames().filter((name) => name.startsWith("fig03_hist_"));
  return names.flatMap((name) => {
    const head = name.replace("fig03_hist_", "").replace("_", ".");
    const seen = paperFigure(name).rows.filter(
      ({ x, letter }) => POSITIONS.indexOf(x as Position) <= readoutPosition(letter!),
    );
    return seen.map(({ letter, x, value, std }) => ({
      head,
      letter: letter!,
      key: x as Position,
      attention: value!,
      std: std!,
    }));
  });
}

/** GPT-2 Small's mean attention patterns in the paper's supplement, for `attentionPattern`. */
export function paperPatterns(): { head: string; query: Position; key: Position; attention: number }[] {
  return paperFigure("figS_attn_patterns_fuzzy")
    .rows.map(({ panel, x, y, value }) => ({
      head: panel,
      query: y as Position,
      key: x as Position,
      attention: value!,
    }))
    .filter(({ query, key }) => position(key) <= position(query));
}

/** Markers of GPT-2 Small's head 8.11 in the paper's figure 11: those few that lie apart and so could be read. */
export function paperAttentionLogits(): { letter: Letter; word: Letter; attention: number; logit: number }[] {
  return paperFigure("fig11_scatter_8_11").rows.map(({ letter, x, series, value }) => ({
    letter: letter!,
    word: Number(series!.slice(1)) as Letter, // "C1", "C2" or "C3"
    attention: x as number,
    logit: value!,
  }));
}
