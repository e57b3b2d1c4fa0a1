/** The capstone's own circuit: who closes the bracket? What its exercises measure. */
import * as tf from "@tensorflow/tfjs";
import { forward } from "../../model/forward";
import { allHeads, type HeadId } from "../../model/heads";
import type { HookName, Intervention } from "../../model/hooks";
import { patchHeads } from "../../model/interventions";
import { disposeRun, type Run, type Tokens } from "../../model/model";
import { reusable } from "../../model/plan";
import type { AcronymDataset } from "../../prompts/acronyms";
import { position } from "../../prompts/positions";
import type { LessonContext } from "../exercise";

export type BracketContext = Pick<LessonContext, "model" | "tokenizer" | "data">;

/** Three kinds of prompt of eleven positions, [prompt][position]. */
export interface BracketPrompts {
  /** "The X Y Z (YZ": what comes is ")". */
  readonly closing: number[][];
  /** "The X Y Z (XY": what comes is Z. */
  readonly goingOn: number[][];
  /** "The Y Z X (YZ": the letters of `closing`, and one word is left. */
  readonly turned: number[][];
}

export function bracketPrompts({ tokens, answers }: AcronymDataset): BracketPrompts {
  const [c1, c2, bracket] = ["C1", "C2", "("].map((label) => position(label as "C1"));
  const written = (letters: (answers: readonly number[]) => number[]) =>
    tokens.map((row, i) => [...row.slice(0, bracket + 1), ...letters(answers[i])]);
  const closing = written(([, y, z]) => [y, z]);
  return {
    closing,
    goingOn: written(([x, y]) => [x, y]),
    turned: closing.map((row) => [
      ...row.slice(0, c1),
      ...row.slice(c2, bracket),
      ...row.slice(c1, c2),
      ...row.slice(bracket),
    ]),
  };
}

/** Logits of ")" and A … Z at the last position, `[prompt][27]`. @param from a run of these tokens that kept what is reusable: sooner */
export function bracketLogits(
  { model, tokenizer }: BracketContext,
  tokens: Tokens,
  interventions: Intervention = [],
  from?: Run,
): number[][] {
  const readout = { positions: [tokens[0].length - 1], vocab: [tokenizer.id(")"), ...tokenizer.letters] };
  return tf.tidy(
    () => forward(model, tokens, { interventions, readout, from }).logits.squeeze([1]).arraySync() as number[][],
  );
}

/** ")" − the largest capital, in logits: above 0 it closes. */
export const bracketDiffs = (...measured: Parameters<typeof bracketLogits>): number[] =>
  bracketLogits(...measured).map(([bracket, ...letters]) => bracket - Math.max(...letters));

/** The share of prompts that it closes. */
export const closes = (diffs: readonly number[]): number => diffs.filter((diff) => diff > 0).length / diffs.length;

/** Where the capstone reads and patches: the last letter written. */
export const A2 = position("A2");

/** How far each prompt's number is lowered when a head's output at A2 comes from this run. One list for each head of the model. */
export function loweredByHead(context: BracketContext, tokens: Tokens, other: Run): (HeadId & { by: number[] })[] {
  const before = bracketDiffs(context, tokens);
  const from = reusableRun(context, tokens);
  const lowered = allHeads(context.model.config).map((head) => {
    const after = bracketDiffs(context, tokens, patchHeads([head], "z", other.cache, [A2]), from);
    return { ...head, by: after.map((diff, i) => diff - before[i]) };
  });
  disposeRun(from);
  return lowered;
}

/** A run of these tokens from which others are made. */
export const reusableRun = ({ model }: BracketContext, tokens: Tokens): Run =>
  forward(model, tokens, { keep: reusable(model.config), readout: "none" });

/** A run of these tokens that keeps these hooks of every layer. */
export const runKeeping = ({ model }: BracketContext, tokens: Tokens, ...kinds: string[]): Run =>
  forward(model, tokens, { keep: (name: HookName) => kinds.some((kind) => name.endsWith(kind)), readout: "none" });
