import { type HeadId, headName } from "../model/heads";
import { checkFinite } from "../numbers/check";

/**
 * What is known of one head. Effects are shares of the clean logit difference that are lost (positive = harm), of the letter
 * that loses most; attention is a mean probability over prompts. `null`: not known.
 */
export interface HeadEvidence extends HeadId {
  /** Lost when its output changes on the direct path to the logits only (path patching, heads and MLPs frozen). */
  readonly direct: number | null;
  /** Lost when the current word is another one, through this head at all positions (figure 2). */
  readonly total: number | null;
  /** Attention from where letter i is read to C_i, of the letter with most (figure 3). */
  readonly attention_to_word: number | null;
  /** The same to T(i−1), the end of the word before. */
  readonly attention_to_previous_end: number | null;
  /** Attention from C_1 … C_3 to the three tokens before. */
  readonly attention_to_previous_tokens: number | null;
  /** Share of words whose own capital is what the head writes most for, of the 26, when it attends to C_i. */
  readonly copying: number | null;
  /** Lost when the words before are others, through this head at C_i (figure 5). */
  readonly at_word: number | null;
  /** Lost when the words before are others, through this head at A(i−1), where letter i is read (figure 6). */
  readonly at_last_letter: number | null;
  /** Lost when its output at C_1 … C_3 can no longer tell which word is which: replaced by its mean over prompts and words. */
  readonly ordinal: number | null;
}

/** What a head must show. Relative thresholds are shares of the largest value of any head, so that they serve every model. */
export interface Criteria {
  /** Of the largest direct effect (total effect, where the direct one is not known). */
  readonly mover_effect: number;
  /** Attention to C_i or T(i−1). */
  readonly mover_attention: number;
  readonly copying: number;
  /** Of the largest effect at A(i−1). */
  readonly propagation_effect: number;
  /** Its direct effect is at most this share of its effect at A(i−1). */
  readonly propagation_direct: number;
  /** Of the largest effect at C_i, or of the largest ordinal effect. */
  readonly fuzzy_effect: number;
  readonly fuzzy_attention: number;
  /** Effects below this share of the clean logit difference count as none. */
  readonly floor: number;
}

/** Calibrated on the paper's digitised figures: the relative thresholds lie between its heads and the next ones. */
export const CRITERIA: Criteria = {
  mover_effect: 0.1,
  mover_attention: 0.1,
  copying: 0.4,
  propagation_effect: 0.25,
  propagation_direct: 0.5,
  fuzzy_effect: 0.2,
  fuzzy_attention: 0.3,
  floor: 0.01,
};

/** In the order in which a head is asked whether it belongs. */
export const GROUPS = ["letter mover", "propagation", "fuzzy previous token"] as const;

export type HeadGroup = (typeof GROUPS)[number] | "none";

export interface Classified extends HeadEvidence {
  readonly group: HeadGroup;
  /** Criteria of that group that could not be checked because the evidence is `null`. */
  readonly unknown: readonly string[];
}

/** Whether a criterion holds; `null`: cannot be told. */
type Verdict = boolean | null;
const atLeast = (value: number | null, threshold: number): Verdict => (value === null ? null : value >= threshold);
const either = (a: Verdict, b: Verdict): Verdict => (a || b ? true : a === null || b === null ? null : false);

/** Columns of the evidence that hold an effect. */
export const EFFECTS = ["direct", "total", "at_word", "at_last_letter", "ordinal"] as const;
type EffectColumn = (typeof EFFECTS)[number];

/** Whether a head's effect is at least this share of the largest of any head. */
function effectsShown(evidence: readonly HeadEvidence[], { floor }: Criteria) {
  const largestOf = (column: EffectColumn) => Math.max(0, ...evidence.map((head) => head[column] ?? 0));
  const largest = new Map(EFFECTS.map((column) => [column, largestOf(column)]));
  return (head: HeadEvidence, column: EffectColumn, share: number): Verdict =>
    atLeast(head[column], Math.max(floor, share * largest.get(column)!));
}

/** For which effect a head is among the fuzzy previous token heads: of other words before, of order, or both; null: for neither. */
export type FuzzyEffect = "words before" | "order" | "both";

/** See `FuzzyEffect`; in the order of the evidence. The paper's heads show the first. One that shows order alone is an order head. */
export function fuzzyEffects(evidence: readonly HeadEvidence[], criteria: Criteria = CRITERIA): (FuzzyEffect | null)[] {
  const shows = effectsShown(evidence, criteria);
  return evidence.map((head) => {
    const [words, order] = (["at_word", "ordinal"] as const).map((column) =>
      shows(head, column, criteria.fuzzy_effect),
    );
    if (words && order) return "both";
    return words ? "words before" : order ? "order" : null;
  });
}

/** Whether a head meets the criteria of each group; `null`: the evidence is not known. */
export type Verdicts = Readonly<Record<Exclude<HeadGroup, "none">, Readonly<Record<string, Verdict>>>>;

/** What is asked of each head and whether it holds, in the order of the evidence. Throws a RangeError if evidence or a criterion is not finite. */
export function headVerdicts(evidence: readonly HeadEvidence[], criteria: Criteria = CRITERIA): Verdicts[] {
  for (const name of Object.keys(CRITERIA) as (keyof Criteria)[]) checkFinite(`criterion ${name}`, criteria[name]);
  for (const { layer, head, ...known } of evidence)
    for (const [name, value] of Object.entries(known))
      if (value !== null && !Number.isFinite(value))
        // a table of margins asks for verdicts hundreds of times: no name where it is not said
        checkFinite(`${name} of head ${headName({ layer, head })}`, value);
  const shows = effectsShown(evidence, criteria);
  return evidence.map((head) => ({
    "letter mover": {
      effect: shows(head, head.direct === null ? "total" : "direct", criteria.mover_effect),
      attention: either(
        atLeast(head.attention_to_word, criteria.mover_attention),
        atLeast(head.attention_to_previous_end, criteria.mover_attention),
      ),
      copying: atLeast(head.copying, criteria.copying),
    },
    propagation: {
      effect: shows(head, "at_last_letter", criteria.propagation_effect),
      // A(i−1) is where letter i is read: a head that writes to the logits acts there too, but that is not passing on
      indirect: head.direct === null ? null : head.direct <= criteria.propagation_direct * (head.at_last_letter ?? 0),
    },
    "fuzzy previous token": {
      effect: either(shows(head, "at_word", criteria.fuzzy_effect), shows(head, "ordinal", criteria.fuzzy_effect)),
      attention: atLeast(head.attention_to_previous_tokens, criteria.fuzzy_attention),
    },
  }));
}

/**
 * Puts each head in one group. The first that fits, in the order letter mover, propagation, fuzzy previous token: every group's
 * effect must be shown; of its other criteria none may fail, but some may be unknown.
 * Throws a RangeError as `headVerdicts`.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const evidence = await headEvidence(model, data, { corrupted: resample(data, 0) });
 * const heads = circuitHeads(classifyHeads(evidence));
 * console.log(heads.letter_movers.length > 0); // → true
 * ```
 */
export function classifyHeads(evidence: readonly HeadEvidence[], criteria: Criteria = CRITERIA): Classified[] {
  const verdicts = headVerdicts(evidence, criteria);
  return evidence.map((head, h) => {
    const group = GROUPS.find((name) => {
      const own = verdicts[h][name];
      return own.effect === true && !Object.values(own).includes(false);
    });
    if (group === undefined) return { ...head, group: "none", unknown: [] };
    const unknown = Object.entries(verdicts[h][group]).filter(([, verdict]) => verdict === null);
    return { ...head, group, unknown: unknown.map(([name]) => name) };
  });
}

/** The heads of one group, or of all three ("circuit"), most effect first. */
export function headsOf(classified: readonly Classified[], group: Exclude<HeadGroup, "none"> | "circuit"): HeadId[] {
  const order: readonly HeadGroup[] = GROUPS;
  const rank = ({ group }: Classified) => order.indexOf(group);
  const effect = (head: Classified) =>
    head.group === "letter mover"
      ? (head.direct ?? head.total ?? 0)
      : head.group === "propagation"
        ? (head.at_last_letter ?? 0)
        : Math.max(head.at_word ?? 0, head.ordinal ?? 0);
  return classified
    .filter((head) => (group === "circuit" ? head.group !== "none" : head.group === group))
    .sort((a, b) => rank(a) - rank(b) || effect(b) - effect(a))
    .map(({ layer, head }) => ({ layer, head }));
}

/** The three groups of a circuit, most effect first, and all of them. A group may be empty. */
export interface CircuitHeads {
  readonly letter_movers: HeadId[];
  readonly propagation: HeadId[];
  readonly fuzzy_previous_token: HeadId[];
  readonly circuit: HeadId[];
}

/** Classified heads by group. */
export function circuitHeads(classified: Parameters<typeof headsOf>[0]): CircuitHeads {
  return {
    letter_movers: headsOf(classified, "letter mover"),
    propagation: headsOf(classified, "propagation"),
    fuzzy_previous_token: headsOf(classified, "fuzzy previous token"),
    circuit: headsOf(classified, "circuit"),
  };
}
