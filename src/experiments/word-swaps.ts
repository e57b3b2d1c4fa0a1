import { forward } from "../model/forward";
import { allHeads, checkHeads, type HeadId, headName, headsByLayer } from "../model/heads";
import { edit, type Intervention, merge, patch } from "../model/hooks";
import { disposeRun, type Model, type Run } from "../model/model";
import { reusable } from "../model/plan";
import { pick } from "../model/slices";
import { checkFinite } from "../numbers/check";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { ACRONYMS, type Letter, type Position } from "../prompts/acronym-task";
import { indexOf, type LetterOf, type Prompts, type Task, wordPositions } from "../prompts/task";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  type Experiment,
  effectRows,
  type LetterEffect,
  letterEffects,
  type Measurement,
  measureIntervened,
  measureRows,
  type StreamOptions,
} from "./measure";

/** Two words whose positions are exchanged, by their capitals' positions. */
export type WordPair<L extends string = Position> = readonly [L, L];
export const WORD_PAIRS: readonly WordPair[] = [
  ["C1", "C2"],
  ["C1", "C3"],
  ["C2", "C3"],
];

/** What tables and figures call a pair: "C1↔C3". */
export const pairName = (pair: WordPair<string>): string => pair.join("↔");

/** Every two of the words whose letters are read; `WORD_PAIRS` for acronyms of three letters. */
function pairsOf(task: Task): WordPair<string>[] {
  const words = wordPositions(task).map((pos) => task.positions[pos]);
  return words.flatMap((a, i) => words.slice(i + 1).map((b) => [a, b] as const));
}

export type BosSwapRow<L extends number = Letter> = HeadId & LetterEffect<L>;

/**
 * The change of each letter's logit difference when one head's attention to BOS is exchanged between two words.
 * See the paper's figure 13
 */
export async function swapBosSweep<T extends Task>(
  model: Model,
  data: Prompts<T>,
  [a, b]: WordPair<string>,
  stream: StreamOptions = {},
): Promise<BosSwapRow<LetterOf<T>>[]> {
  const rows = await measureRows(bosSwapExperiment(model, data, [[a, b]]), stream);
  return rows.map(({ pair: _, ...row }) => row as BosSwapRow<LetterOf<T>>);
}

/** `swapBosSweep` for every pair of words, all in one list. `pair`: see `pairName` */
export const swapBosOfPairs = <T extends Task>(
  model: Model,
  data: Prompts<T>,
  stream: StreamOptions = {},
): Promise<BosSwapOfPair<LetterOf<T>>[]> => measureRows(bosSwapExperiment(model, data), stream);

export type BosSwapOfPair<L extends number = Letter> = BosSwapRow<L> & { readonly pair: string };

/** `swapBosOfPairs` as a value, to be measured whole or in parts. Throws a RangeError if a pair is of positions that aren't there. */
export function bosSwapExperiment<T extends Task>(
  model: Model,
  data: Prompts<T>,
  pairs: readonly WordPair<string>[] = pairsOf(data.task),
): Experiment<BosSwapPoint, BosSwapOfPair<LetterOf<T>>> {
  checkSwaps(
    model,
    pairs.map((pair) => ({ pair })),
    data.task,
  );
  const heads = allHeads(model.config);
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<BosSwapPoint> => {
    const reuse = new Set<string>(reusable(model.config));
    const keep = (name: string) => name.endsWith("hook_pattern") || reuse.has(name);
    const from = forward(model, prompts.tokens, { keep, readout: "none" });
    const measureFrom = measureIntervened<BosSwapPoint>({
      from,
      readout,
      intervene: ({ pair: [a, b], head }) => (head ? swapBosAttention([head], from, a, b, data.task) : []),
      read: (logits) => logitDiffs({ logits }, prompts),
    });
    return { measureFrom, close: () => disposeRun(from) };
  };
  const ofPair = [null, ...heads];
  return {
    prompts: data,
    points: pairs.flatMap((pair) => ofPair.map((head) => ({ pair, head }))),
    open,
    rows: (values) =>
      pairs.flatMap((pair, p) =>
        effectRows(data.task, heads, values.slice(p * ofPair.length, (p + 1) * ofPair.length)).map((row) => ({
          ...row,
          pair: pairName(pair),
        })),
      ),
  };
}

/** One head's attention to BOS between two words; without a head the run as it is. */
interface BosSwapPoint {
  readonly pair: WordPair<string>;
  readonly head: HeadId | null;
}

/** Heads whose swap lowers the logit difference of any letter by more than `threshold` logits; the paper's is 0.005. */
export function headsHurtBy(rows: readonly (HeadId & { readonly change: number })[], threshold: number): HeadId[] {
  checkFinite("threshold", threshold);
  const hurt = rows.filter(({ change }) => -change > threshold);
  return [...groupBy(hurt, headName).values()].map(([{ layer, head }]) => ({ layer, head }));
}

/** What is exchanged between two words: position embeddings, attention to BOS of these heads, or both. */
export interface Swap<L extends string = Position> {
  readonly pair: WordPair<L>;
  readonly positions?: boolean;
  readonly bosHeads?: readonly HeadId[];
}

/** The intervention of a swap, for one clean run that kept its patterns. See the paper's figures 12 and 14 */
export const swap =
  ({ pair: [a, b], positions = false, bosHeads = [] }: Swap<string>, task: Task = ACRONYMS) =>
  (clean: Run): Intervention => [
    ...(positions ? swapPositions(a, b, task) : []),
    ...swapBosAttention(bosHeads, clean, a, b, task),
  ];

/** Throws a RangeError if one is of a position or head that isn't there */
export function checkSwaps({ config }: Model, swaps: readonly Swap<string>[], task: Task): void {
  for (const { pair, bosHeads = [] } of swaps) {
    for (const label of pair) indexOf(task, label);
    checkHeads(config, bosHeads);
  }
}

export const CLEAN = "Clean Run";

/** What figure 14 calls a swap. With an empty list of heads it is still one of attention to BOS, by which nothing moves. */
export function swapName({ positions = false, bosHeads }: Omit<Swap, "pair">): string {
  const parts = [...(positions ? ["POS"] : []), ...(bosHeads ? ["BOS"] : [])];
  return parts.length > 0 ? `Swap ${parts.join("+")}` : CLEAN;
}

/** The four runs of figure 14, clean run first. */
export const fourSwaps = <L extends string = Position>(pair: WordPair<L>, bosHeads: readonly HeadId[]): Swap<L>[] => [
  { pair },
  { pair, positions: true },
  { pair, bosHeads },
  { pair, positions: true, bosHeads },
];

export type SwapEffectRow<L extends number = Letter> = LetterEffect<L> & {
  /** See `pairName`. */
  readonly pair: string;
  /** See `swapName`. */
  readonly swap: string;
};

/** The change of each letter's logit difference by each swap: for each letter the swaps in their order. */
export async function swapEffects<T extends Task>(
  model: Model,
  data: Prompts<T>,
  swaps: readonly Swap<T["positions"][number]>[],
  stream: StreamOptions = {},
): Promise<SwapEffectRow<LetterOf<T>>[]> {
  checkSwaps(model, swaps, data.task);
  const readout = letterReadout(data);
  const open = ({ prompts }: Batch): Measurement<Swap<string> | null> => {
    const clean = forward(model, prompts.tokens, { keep: (name) => name.endsWith("hook_pattern"), readout });
    const measure = (one: Swap<string> | null) => {
      const interventions = one ? swap(one, data.task)(clean) : [];
      return logitDiffs(forward(model, prompts.tokens, { interventions, readout }), prompts);
    };
    return { measure, close: () => disposeRun(clean) };
  };
  const rows = await letterEffects(data, swaps, open, stream);
  return rows.map(({ pair, positions, bosHeads, ...effect }) => {
    return { ...effect, pair: pairName(pair), swap: swapName({ positions, bosHeads }) };
  });
}

/** 0 … n - 1 with a and b exchanged. */
export const exchanged = (n: number, a: number, b: number) => range(n).map((i) => (i === a ? b : i === b ? a : i));

/** Exchanges two positions' embeddings; the tokens stay. See the paper's figure 12 */
export function swapPositions(a: string, b: string, task: Task = ACRONYMS): Intervention {
  const [i, j] = [indexOf(task, a), indexOf(task, b)];
  return edit("hook_pos_embed", (embedding) => pick(embedding, exchanged(embedding.shape[1], i, j), 1), {
    pos: [i, j],
  });
}

/**
 * Gives each head the clean run's attention to BOS, with that of queries a and b exchanged. As in the official scripts it is
 * written at every query (over several layers the two alone would be something else), and rows are not renormalised.
 * See the paper's figures 13 and 14
 */
export function swapBosAttention(
  heads: readonly HeadId[],
  clean: Run,
  a: string,
  b: string,
  task: Task = ACRONYMS,
): Intervention {
  return bosAttentionFrom(heads, clean, exchanged(clean.tokens[0].length, indexOf(task, a), indexOf(task, b)), task);
}

/** Gives each head the clean run's attention to BOS, where query q has that of query `rows[q]`. See `swapBosAttention` */
export function bosAttentionFrom(
  heads: readonly HeadId[],
  clean: Run,
  rows: readonly number[],
  task: Task = ACRONYMS,
): Intervention {
  const [moved, others] = [true, false].map((isMoved) => range(rows.length).filter((q) => (rows[q] !== q) === isMoved));
  return merge(
    ...[...headsByLayer(heads)].map(([layer, head]) => {
      const at = `blocks.${layer}.attn.hook_pattern` as const;
      const pattern = clean.cache[at]; // [batch, head, query_pos, key_pos]
      const slice = { head, key_pos: indexOf(task, "BOS") };
      return merge(
        patch(at, pattern, { ...slice, query_pos: others }),
        patch(at, pick(pattern, rows, 2), { ...slice, query_pos: moved }),
      );
    }),
  );
}
