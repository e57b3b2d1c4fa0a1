/** What a notebook needs to set evidence and attention of head groups beside the paper's. Pure. */
import type { AttentionRow } from "../experiments/attention";
import type { HeadId } from "../model/hooks";
import { paperFigure, paperFigureNames } from "../paper/paper";
import { LETTERS, type Letter, POSITIONS, type Position, position, readoutPosition } from "../prompts/dataset";
import { type CircuitHeads, headName } from "./circuit-heads";
import { type Criteria, GROUPS, type HeadEvidence } from "./classify";

export type GroupName = (typeof GROUPS)[number];

const MEMBERS = {
  "letter mover": "letter_movers",
  propagation: "propagation",
  "fuzzy previous token": "fuzzy_previous_token",
} as const;

/** The heads of one group, most effect first. */
export const membersOf = (heads: CircuitHeads, group: GroupName): HeadId[] => heads[MEMBERS[group]];

/** Whether a list has this head. */
export const hasHead = (heads: readonly HeadId[], { layer, head }: HeadId): boolean =>
  heads.some((one) => one.layer === layer && one.head === head);

/** The group in which a head is. */
export const groupOf = (heads: CircuitHeads, head: HeadId): GroupName | "none" =>
  GROUPS.find((group) => hasHead(membersOf(heads, group), head)) ?? "none";

/** Heads as they are written, "8.11, 9.9", or "none". */
export const headList = (heads: readonly HeadId[]): string => heads.map(headName).join(", ") || "none";

/** What each criterion asks, in words. */
export const CRITERION_MEANINGS: Readonly<Record<keyof Criteria, string>> = {
  mover_effect: "letter mover: direct effect (total, where that is not known), as a share of the largest",
  mover_attention: "letter mover: attention to C_i or T(i−1)",
  copying: "letter mover: copying",
  propagation_effect: "propagation: effect at A(i−1), as a share of the largest",
  propagation_direct: "propagation: direct effect, at most this share of its own effect at A(i−1)",
  fuzzy_effect: "fuzzy previous token: effect at C_i, or ordinal effect, as a share of the largest",
  fuzzy_attention: "fuzzy previous token: attention from C_1 … C_3 to the three tokens before",
  floor: "all: an effect below this share of a clean logit difference is none",
};

export const EFFECTS = ["direct", "total", "at_word", "at_last_letter", "ordinal"] as const;
export const LOOKS = [
  "attention_to_word",
  "attention_to_previous_end",
  "attention_to_previous_tokens",
  "copying",
] as const;
type Evidence = (typeof EFFECTS)[number] | (typeof LOOKS)[number];

/** One piece of evidence of one head. */
export interface EvidenceCell extends HeadId {
  /** "at last letter". */
  readonly evidence: string;
  readonly value: number | null;
}

/** Evidence as rows, a row for each head and column. Effects become changes: negative is harm, as in all figures. */
export function evidenceCells(evidence: readonly HeadEvidence[], columns: readonly Evidence[]): EvidenceCell[] {
  return columns.flatMap((column) =>
    evidence.map((row) => {
      const value = row[column];
      const isEffect = (EFFECTS as readonly string[]).includes(column);
      const name = column.replace("attention_", "").replaceAll("_", " ");
      return { layer: row.layer, head: row.head, evidence: name, value: value !== null && isEffect ? -value : value };
    }),
  );
}

/** "31%"; "–" for what is not known. */
export const percent = (share: number | null): string => (share === null ? "–" : `${Math.round(100 * share)}%`);

/** All evidence of a head in whole percents, for tables. */
export const inPercents = (row: HeadEvidence): Record<Evidence, string> =>
  Object.fromEntries([...EFFECTS, ...LOOKS].map((column) => [column, percent(row[column])])) as Record<
    Evidence,
    string
  >;

/** Attention from where a letter is predicted. */
export interface ReadoutAttention {
  /** "8.11" */
  readonly head: string;
  readonly letter: Letter;
  readonly key: Position;
  readonly attention: number;
  readonly std: number;
}

/** Attention from "(", A1 and A2 to all tokens but BOS, as in the paper's figure 3. */
export function readoutAttention(rows: readonly AttentionRow[]): ReadoutAttention[] {
  return LETTERS.flatMap((letter) =>
    rows
      .filter(({ query, key }) => position(query) === readoutPosition(letter) && key !== "BOS")
      .map(({ layer, head, key, attention, std }) => ({
        head: headName({ layer, head }),
        letter,
        key,
        attention,
        std,
      })),
  );
}

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

/** The token at which a head looks most when a letter is predicted. */
export function looksMostAt(rows: readonly ReadoutAttention[], head: string, letter: Letter): Position | undefined {
  const own = rows.filter((row) => row.head === head && row.letter === letter);
  return own.sort((a, b) => b.attention - a.attention)[0]?.key;
}

/** `attention_to_previous_tokens` of a head that looks at all tokens alike, BOS and itself among them. */
export const EVEN_PREVIOUS_TOKENS: number =
  LETTERS.map((letter) => {
    const at = position(`C${letter}`);
    return Math.min(3, at - 1) / (at + 1);
  }).reduce((a, b) => a + b) / LETTERS.length;
