/** Evidence and groups of heads as rows for tables and figures. Pure. */
import { type HeadId, hasHead, headList, headName, sameHead } from "../model/heads";
import { LETTERS, position } from "../prompts/positions";
import { type CircuitHeads, type Criteria, EFFECTS, fuzzyEffects, GROUPS, type HeadEvidence } from "./classify";
import { criterionMargins, nearMisses } from "./thresholds";

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

/** A row a group, and in a column for each of these circuits its heads, most effect first. */
export const groupsOf = (circuits: Readonly<Record<string, CircuitHeads>>): Readonly<Record<string, string>>[] =>
  GROUPS.map((group) => {
    const columns = Object.entries(circuits).map(([name, heads]) => [name, headList(membersOf(heads, group))]);
    return { group, ...Object.fromEntries(columns) };
  });

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

/** Criteria, a row each, with their meaning. */
export const criteriaTable = (criteria: Criteria) =>
  (Object.keys(criteria) as (keyof Criteria)[]).map((criterion) => ({
    criterion,
    threshold: criteria[criterion],
    "what it asks": CRITERION_MEANINGS[criterion],
  }));

/** How far each threshold can go before a head changes its group, and which one that is. */
export const marginTable = (evidence: readonly HeadEvidence[]) =>
  criterionMargins(evidence).map(({ criterion, threshold, from, to, below, above }) => ({
    criterion,
    threshold,
    "same groups from": from,
    to,
    "moves below": headList(below),
    "moves above": headList(above),
  }));

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

const evidenceOf = (evidence: readonly HeadEvidence[], head: HeadId): HeadEvidence => {
  const found = evidence.find((one) => hasHead([one], head));
  if (!found) throw new RangeError(`there is no evidence of head ${headName(head)}; there is of ${headList(evidence)}`);
  return found;
};

/** The heads of a circuit with their group and evidence. Throws a RangeError if there is none of a head. */
export const memberTable = (heads: CircuitHeads, evidence: readonly HeadEvidence[]) =>
  heads.circuit.map((head) => ({
    head: headName(head),
    group: groupOf(heads, head),
    ...inPercents(evidenceOf(evidence, head)),
  }));

/** The heads that have the effect of a group and fail something else, with their evidence. */
export const nearMissTable = (evidence: readonly HeadEvidence[]) =>
  nearMisses(evidence).map(({ layer, head, group, fails }) => ({
    head: headName({ layer, head }),
    "effect of a": group,
    "but fails": fails.join(", "),
    ...inPercents(evidenceOf(evidence, { layer, head })),
  }));

/** `attention_to_previous_tokens` of a head that looks at all tokens alike, BOS and itself among them. */
export const EVEN_PREVIOUS_TOKENS: number =
  LETTERS.map((letter) => {
    const at = position(`C${letter}`);
    return Math.min(3, at - 1) / (at + 1);
  }).reduce((a, b) => a + b) / LETTERS.length;

/** The heads among these that are in the group for order alone. */
export function orderHeads(evidence: readonly HeadEvidence[], heads: readonly HeadId[]): HeadId[] {
  const effects = fuzzyEffects(evidence);
  return heads.filter((head) => evidence.some((one, e) => sameHead(one, head) && effects[e] === "order"));
}

/**
 * How much these heads look at the three tokens before, beside what a head would that looks at all alike, and for which effect they are
 * in the group. Throws a RangeError as `memberTable`.
 */
export const previousTokenTable = (model: string, evidence: readonly HeadEvidence[], heads: readonly HeadId[]) =>
  heads.map((head) => ({
    model,
    head: headName(head),
    "has an effect by": fuzzyEffects(evidence)[evidence.indexOf(evidenceOf(evidence, head))] ?? "–",
    "to the three tokens before": percent(evidenceOf(evidence, head).attention_to_previous_tokens),
    "if it looked at all tokens alike": percent(EVEN_PREVIOUS_TOKENS),
  }));
