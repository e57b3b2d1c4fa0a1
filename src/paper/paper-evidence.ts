import type { HeadEvidence } from "../groups/classify";
import { type HeadId, headName } from "../model/heads";
import { grid, range } from "../numbers/lists";
import type { Letter } from "../prompts/positions";
import { type PaperRow, paperBehaviour, paperFigure, paperFigureNames } from "./paper";

/** GPT-2 Small's layers and heads. */
const GPT2 = { layer: range(12), head: range(12) };

/** Share of the clean logit difference lost at one cell of a layer × head figure, of the letter that loses most. */
function lost(rows: readonly PaperRow[], { layer, head }: HeadId): number | null {
  const clean = paperBehaviour().logit_diff;
  const shares = rows
    .filter(({ x, y, value, letter }) => Number(x) === head && Number(y) === layer && value !== null && letter !== null)
    .map(({ value, letter }) => -value! / clean[letter! - 1]);
  return shares.length > 0 ? Math.max(...shares) : null;
}

/** Attention bars of figure 3, where the head has one: to `key` of the letter, the largest over these letters. */
function bar({ layer, head }: HeadId, letters: readonly Letter[], key: (letter: Letter) => string): number | null {
  const name = `fig03_hist_${layer}_${head}`;
  if (!paperFigureNames().includes(name)) return null;
  const { rows } = paperFigure(name);
  const values = letters.map(
    (letter) => rows.find((row) => row.letter === letter && row.x === key(letter))?.value ?? null,
  );
  return values.some((value) => value === null) ? null : Math.max(...(values as number[]));
}

/** Mean attention from C_1 … C_3 to the three tokens before, where the supplement shows the head's pattern. */
function previousTokens({ layer, head }: HeadId): number | null {
  const rows = paperFigure("figS_attn_patterns_fuzzy").rows.filter(({ panel }) => panel === headName({ layer, head }));
  if (rows.length === 0) return null;
  const labels = ["BOS", "The", "C1", "T1", "C2", "T2", "C3"];
  const weight = (query: string, key: string) => rows.find(({ x, y }) => x === key && y === query)?.value ?? 0;
  const words = [2, 4, 6].map((q) =>
    [1, 2, 3].filter((back) => q - back > 0).reduce((sum, back) => sum + weight(labels[q], labels[q - back]), 0),
  );
  return words.reduce((a, b) => a + b) / words.length;
}

/** What the paper's figures tell of GPT-2 Small's 144 heads; everything they don't show is `null`. */
export function paperEvidence(): HeadEvidence[] {
  const rowsOf = (name: string) => paperFigure(name).rows;
  const [total, atWord, atLastLetter] = ["fig02_attn_1", "fig05_attn_2_Ci", "fig06_attn_2_Ai_1"].map(rowsOf);
  return grid(GPT2).map((head) => ({
    ...head,
    direct: null,
    total: lost(total, head),
    attention_to_word: bar(head, [1, 2, 3], (letter) => `C${letter}`),
    attention_to_previous_end: bar(head, [2, 3], (letter) => `T${letter - 1}`),
    attention_to_previous_tokens: previousTokens(head),
    copying: null,
    at_word: lost(atWord, head),
    at_last_letter: lost(atLastLetter, head),
    ordinal: null,
  }));
}
