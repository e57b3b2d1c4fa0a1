/** What a notebook needs to set evidence and attention of head groups beside the paper's. Pure. */
import type { AttentionRow } from "../experiments/attention";
import { type HeadId, hasHead, headName } from "../model/heads";
import { LETTERS, type Letter, type Position, position, readoutPosition } from "../prompts/positions";
import { type CircuitHeads, type Criteria, GROUPS, type HeadEvidence } from "./classify";

export type GroupName = (typeof GROUPS)[number];

const MEMBERS = {
  "letter mover": "letter_movers",
  propagation: "propagation",
  "fuzzy previous token": "fuzzy_previous_token",
} as const;

/** The heads of one group, most effect first. */
export const membersOf = (heads: CircuitHeads, group: GroupName): HeadId[] => heads[MEMBERS[group]];

/** The group in which a head is. */
export const groupOf = (heads: CircuitHeads, head: HeadId): GroupName | "none" =>
  GROUPS.find((group) => hasHead(membersOf(heads, group), head)) ?? "none";

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
