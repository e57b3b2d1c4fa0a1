import { type HeadId, headName, headsWithout, sameHead } from "../model/heads";
import type { Model } from "../model/model";
import { checkCount } from "../numbers/check";
import { groupBy } from "../numbers/rows";
import { correlation, mean } from "../numbers/statistics";
import type { Prompts } from "../prompts/task";
import { ovInPrompts, type ScatterRow } from "./attention";
import type { StreamOptions } from "./measure";
import { copyingScores, diagonalStatistics, ovCircuit } from "./ov-circuit";
import { partOf, reporter } from "./progress";

/** Tokens of capitals: those that are looked at, and those that are to be written for each. */
export interface Capitals {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The heads with the highest copying score (see `copyingScores`) that are not among `heads`. Throws a RangeError if `top` is no count. */
export function otherCopiers(
  model: Model,
  heads: readonly HeadId[],
  { top, ...capitals }: Capitals & { readonly top: number },
): HeadId[] {
  checkCount("top", top, 0);
  const others = headsWithout(copyingScores(model, capitals), heads);
  const sorted = others.sort((a, b) => b.copying - a.copying);
  return sorted.slice(0, top).map(({ layer, head }) => ({ layer, head }));
}

export interface CopiedRow {
  /** "8.11" */
  readonly head: string;
  /** What the head is given. */
  readonly input: "embedding" | "first MLP, top 5 (TransformerLens)" | "as found at C";
  /** Share of the capitals. */
  readonly copied: number;
}

/**
 * The share of capitals that each of these heads copies from each of three inputs. From the embedding, and from what stands at C in
 * these prompts, those count of which the head writes their own most of the 26; after the first MLP, TransformerLens's score.
 * Throws as `ovCircuit`, `copyingScores` and `ovInPrompts`.
 */
export async function copiedByHead(
  model: Model,
  data: Prompts,
  heads: readonly HeadId[],
  { from, to, progress, ...stream }: Capitals & StreamOptions,
): Promise<CopiedRow[]> {
  const scores = copyingScores(model, { from, to });
  const rows: CopiedRow[] = [];
  const report = reporter(progress);
  for (const [i, one] of heads.entries()) {
    const embedding = diagonalStatistics(ovCircuit(model, [one], { from, to })).copied;
    const found = diagonalStatistics(
      await ovInPrompts(model, data, [one], { ...stream, progress: partOf(report, i, heads.length) }),
    ).copied;
    const score = scores.find((row) => sameHead(row, one))!.copying; // ovCircuit has said that the model has this head
    const head = headName(one);
    rows.push({ head, input: "embedding", copied: embedding });
    rows.push({ head, input: "first MLP, top 5 (TransformerLens)", copied: score });
    rows.push({ head, input: "as found at C", copied: found });
  }
  return rows;
}

/** How one head's attention and what it writes go together, over prompts, letters and words. */
export interface AttentionLogit {
  /** "8.11" */
  readonly head: string;
  /** Pearson's, of attention to a word with the logit written for its capital: all words, and the right ones alone; null where one of them is always the same. */
  readonly correlation: number | null;
  readonly correlationRight: number | null;
  /** Mean attention probability to the right word. */
  readonly attentionRight: number;
  /** Mean logits written for the right word's capital, and for the others'. */
  readonly logitRight: number;
  readonly logitOthers: number;
}

/** A row for each head of `attentionAgainstLogits`. */
export function attentionLogits(points: readonly ScatterRow[]): AttentionLogit[] {
  return [...groupBy(points, headName)].map(([head, own]) => {
    const right = own.filter(({ letter, word }) => letter === word);
    const others = own.filter(({ letter, word }) => letter !== word);
    return {
      head,
      correlation: correlated(own),
      correlationRight: correlated(right),
      attentionRight: mean(right.map(({ attention }) => attention)),
      logitRight: mean(right.map(({ logit }) => logit)),
      logitOthers: mean(others.map(({ logit }) => logit)),
    };
  });
}

const correlated = (points: readonly ScatterRow[]): number | null =>
  correlation(
    points.map(({ attention }) => attention),
    points.map(({ logit }) => logit),
  );
