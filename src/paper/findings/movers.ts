/** What notebook 06 says of letter movers, decided from rows. No number here is about one model. */

import type { AveragedRow } from "../../experiments/averaged-inputs";
import type { AttentionLogit } from "../../experiments/copying";
import { diagonalStatistics, type OvMatrix } from "../../experiments/ov-circuit";
import { groupBy, where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import type { Corruption } from "../../prompts/corruption";
import { LETTERS, type Letter } from "../../prompts/positions";
import { type Claim, claim, given } from "../../show/claims";

const INPUTS = ["q", "k", "v"] as const;
type Input = (typeof INPUTS)[number];

/** A change of one letter's logit difference when the movers' queries, keys, values or outputs come from a corrupted prompt. */
export interface PatchedInput {
  readonly input: string;
  readonly corruption: Corruption;
  readonly letter: Letter;
  readonly seed: number;
  /** In logits; negative is harm. */
  readonly change: number;
}

const percent = (share: number) => `${(100 * share).toFixed(0)}%`;

/** For any weights: what `wordSelectivity` divides is what the patterns show. @param seen `seenSelectivity` of the same head */
export function productsAddUp(parts: number, seen: number): Claim {
  const evidence = `${parts.toFixed(4)} from the parts, ${seen.toFixed(4)} from the attention scores`;
  const text = "The products add up to the logarithm of the ratio in which attention is shared";
  return given(text, Math.abs(seen - parts) < 1e-3, evidence);
}

/** OV: what the movers write. @param foundAtC all movers' circuit from what stands at C, see `ovInPrompts` */
export function writingClaims(foundAtC: OvMatrix, attention: readonly AttentionLogit[]): Claim[] {
  const { copied } = diagonalStatistics(foundAtC);
  return [
    given(
      "Attended to at C, at least half of the capitals are what the movers together write most for",
      copied >= 0.5,
      `${percent(copied)} of the capitals, by chance 4%`,
    ),
    claim(
      "For every mover, more attention to a word goes with a larger logit for its capital",
      attention.every(({ correlation }) => correlation !== null && correlation > 0.3),
      attention.map(({ head, correlation }) => `${head}: r = ${correlation?.toFixed(2) ?? "–"}`).join(", "),
    ),
  ];
}

/** QK: which of query, key and value tells which letter, and which word is next. */
export function lookingClaims(
  patched: readonly PatchedInput[],
  selectivity: readonly { readonly head: string; readonly selectivity: number }[],
): Claim[] {
  const harmful = (text: string, input: Input, { corruption, letters }: Harm) => {
    const rows = where(patched, { corruption, letter: letters });
    return claim(text, harmsMost(rows, input), `mean loss ${shown(meanLosses(rows))}`);
  };
  return [
    harmful(
      "Which letter: of query, key and value, another current word harms most through the values (every letter, 3 seeds)",
      "v",
      { corruption: "current_word", letters: LETTERS },
    ),
    harmful("Which word is next: other written letters harm most through the queries (letters 2 and 3, 3 seeds)", "q", {
      corruption: "previous_letters",
      letters: [2, 3],
    }),
    harmful("Which word is next: other previous words harm most through the queries (letters 2 and 3, 3 seeds)", "q", {
      corruption: "previous_words",
      letters: [2, 3],
    }),
    claim(
      "Every mover prefers the right word to the others",
      selectivity.every((row) => row.selectivity > 0),
      selectivity.map((row) => `${row.head}: ${row.selectivity.toFixed(2)}`).join(", "),
    ),
  ];
}

interface Harm {
  readonly corruption: Corruption;
  readonly letters: readonly Letter[];
}

/** Of queries, keys and values these harm most: for every letter and every seed. */
function harmsMost(rows: readonly PatchedInput[], input: Input): boolean {
  const cases = [...groupBy(rows, ({ letter, seed }) => `${letter} ${seed}`).values()];
  return cases.every((own) => {
    const losses = meanLosses(own);
    return INPUTS.every((other) => other === input || losses[input] > losses[other]);
  });
}

type Losses = Readonly<Record<Input, number>>;

/** Mean loss of the logit difference, in logits: positive is harm. Throws a RangeError if one of the three was not measured. */
function meanLosses(rows: readonly { readonly input: string; readonly change: number }[]): Losses {
  const loss = (input: Input) => mean(where(rows, { input }).map(({ change }) => -change));
  return { q: loss("q"), k: loss("k"), v: loss("v") };
}

const shown = (losses: Losses): string => INPUTS.map((input) => `${input} ${losses[input].toFixed(2)}`).join(", ");

/** What query, key and value must know: of the prompt, and of their place in it. See `averagedInputs`. */
export function averagingClaims(averaged: readonly AveragedRow[]): Claim[] {
  const perPrompt = meanLosses(where(averaged, { mean: "prompts" }));
  const perPlace = meanLosses(where(averaged, { mean: "prompts and positions" }));
  const { q, k, v } = perPrompt;
  return [
    claim(
      "Of query, key and value only the value must know the prompt: averaged over prompts, it costs more than the other two together",
      v > Math.max(0, q) + Math.max(0, k),
      `mean loss ${shown(perPrompt)}`,
    ),
    claim(
      "Query and key must know their place: averaged over places, too, each costs at least twice as much",
      perPlace.q > 2 * Math.max(0, q) && perPlace.k > 2 * Math.max(0, k),
      `mean loss ${shown(perPlace)}, over prompts alone ${shown(perPrompt)}`,
    ),
  ];
}

/** All movers' OV circuits from capitals with a space to capitals without one. */
export interface CopiedFrom {
  readonly embedding: OvMatrix;
  readonly foundAtC: OvMatrix;
  /** GPT-2 Small's from embeddings: the paper's figure 10. */
  readonly paper: OvMatrix;
}

/** Where the letter becomes legible to the movers of a model whose layers do more than GPT-2's. */
export function legibilityClaims(from: CopiedFrom): Claim[] {
  const copied = (matrix: OvMatrix) => diagonalStatistics(matrix).copied;
  const [embedding, found, paper] = [from.embedding, from.foundAtC, from.paper].map(copied);
  return [
    claim(
      "The layers below make the letter legible: the movers copy more capitals as found at C than from the embedding",
      found > embedding,
      `${percent(found)} against ${percent(embedding)}`,
    ),
    claim(
      "Bare embeddings tell these movers less than GPT-2's in the paper: they copy fewer capitals from them",
      embedding < paper,
      `${percent(embedding)} here, ${percent(paper)} in the paper's figure 10`,
    ),
  ];
}
