import type { Position } from "./dataset";
import {
  type Batch,
  type LetterEffect,
  letterEffects,
  letterReadout,
  logitDiffs,
  type Measurement,
  type Prompts,
  type StreamOptions,
} from "./experiment";
import { forward } from "./forward";
import type { HeadId, Intervention } from "./hooks";
import { swapBosAttention, swapPositions } from "./interventions";
import { disposeRun, type Model, type Run } from "./model";
import { reusable } from "./plan";
import { allHeads } from "./sweep";

/** Two words whose positions are exchanged, by their capitals' positions. */
export type WordPair = readonly [Position, Position];
export const WORD_PAIRS: readonly WordPair[] = [
  ["C1", "C2"],
  ["C1", "C3"],
  ["C2", "C3"],
];

export type BosSwapRow = HeadId & LetterEffect;

/**
 * The change of each letter's logit difference when one head's attention to BOS is exchanged between two words.
 * @see the paper's figure 13
 */
export async function swapBosSweep(
  model: Model,
  data: Prompts,
  [a, b]: WordPair,
  stream: StreamOptions = {},
): Promise<BosSwapRow[]> {
  const heads = allHeads(model.config);
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<HeadId | null> => {
    const patterns = (name: string) => name.endsWith("hook_pattern");
    const keep = (name: string) => patterns(name) || reusable(model.config).some((n) => n === name);
    const clean = forward(model, prompts.tokens, { keep, readout });
    const base = logitDiffs(clean, prompts);
    const measure = (head: HeadId | null) => {
      if (!head) return base;
      const interventions = swapBosAttention([head], clean, a, b);
      return logitDiffs(forward(model, prompts.tokens, { interventions, from: clean, readout }), prompts);
    };
    return { measure, close: () => disposeRun(clean) };
  };
  return letterEffects(data, heads, open, stream);
}

/** Heads whose swap lowers the logit difference of any letter by more than `threshold` logits; the paper's is 0.005. */
export function headsHurtBy(rows: readonly BosSwapRow[], threshold: number): HeadId[] {
  const hurt = rows.filter(({ logit_diff }) => -logit_diff > threshold);
  const keys = new Set(hurt.map(({ layer, head }) => `${layer}.${head}`));
  return [...keys].map((key) => key.split(".").map(Number)).map(([layer, head]) => ({ layer, head }));
}

/** What is exchanged between two words: position embeddings, attention to BOS of these heads, or both. */
export interface Swap {
  readonly pair: WordPair;
  readonly positions?: boolean;
  readonly bosHeads?: readonly HeadId[];
}

/** The intervention of a swap, for one clean run that kept its patterns. @see the paper's figures 12 and 14 */
export const swap =
  ({ pair: [a, b], positions = false, bosHeads = [] }: Swap) =>
  (clean: Run): Intervention => [...(positions ? swapPositions(a, b) : []), ...swapBosAttention(bosHeads, clean, a, b)];

/** The change of each letter's logit difference by each swap. */
export async function swapEffects(
  model: Model,
  data: Prompts,
  swaps: readonly Swap[],
  stream: StreamOptions = {},
): Promise<(Swap & LetterEffect)[]> {
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<Swap | null> => {
    const clean = forward(model, prompts.tokens, { keep: (name) => name.endsWith("hook_pattern"), readout });
    const measure = (one: Swap | null) => {
      const interventions = one ? swap(one)(clean) : [];
      return logitDiffs(forward(model, prompts.tokens, { interventions, readout }), prompts);
    };
    return { measure, close: () => disposeRun(clean) };
  };
  return letterEffects(data, swaps, open, stream);
}
