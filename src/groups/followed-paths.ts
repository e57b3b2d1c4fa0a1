import {
  type PathRow,
  type PathsOptions,
  pathsInto,
  type Receiver,
  strongestPaths,
} from "../experiments/path-patching";
import { type HeadId, headName, sameHead } from "../model/heads";
import type { Model } from "../model/model";
import type { Letter } from "../prompts/acronym-task";
import type { LetterOf, Prompts, Task } from "../prompts/task";
import type { CircuitHeads } from "./classify";

/** What a head takes in, by the letter of its hook. */
export const INPUTS = { q: "query", k: "key", v: "value" } as const;

/** Receivers by name. */
export type NamedReceivers = Readonly<Record<string, Receiver>>;

/** The logits, and the queries, keys and values of the letter movers ("mover query") and of the propagation heads, if there are any. */
export function circuitReceivers({
  letter_movers,
  propagation,
}: Pick<CircuitHeads, "letter_movers" | "propagation">): NamedReceivers {
  const inputs = Object.keys(INPUTS) as (keyof typeof INPUTS)[];
  const into = (name: string, heads: readonly HeadId[]) =>
    heads.length === 0 ? [] : inputs.map((input) => [`${name} ${INPUTS[input]}`, { heads, input }] as const);
  return Object.fromEntries([
    ["logits", "logits"],
    ...into("mover", letter_movers),
    ...into("propagation", propagation),
  ]);
}

export interface FollowedPath<L extends number = Letter> extends PathRow<L> {
  /** The sender: "1.2". */
  readonly from: string;
  /** The receiver's name: "logits", "mover query". */
  readonly into: string;
}

/** With the share of its letter's clean logit difference that is lost: positive is harm. */
export type PathWithShare = FollowedPath & { readonly share: number };

/**
 * Path patching into several receivers, each by itself, by their names. Throws as `pathsInto`.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const receivers = { "mover query": { heads: [{ layer: 2, head: 1 }], input: "q" } } as const;
 * const options = { corruption: "current_word", corrupted: resample(data, 0) } as const;
 * const rows = await followPaths(model, data, receivers, options);
 * console.log(rows.every(({ layer }) => layer < 2), rows[0].into); // → true mover query
 * ```
 */
export async function followPaths<T extends Task>(
  model: Model,
  data: Prompts<T>,
  receivers: NamedReceivers,
  options: PathsOptions,
): Promise<FollowedPath<LetterOf<T>>[]> {
  const names = Object.keys(receivers);
  const rows = await pathsInto(model, data, Object.values(receivers), options);
  return rows.map(({ receiver, ...row }) => ({ ...row, from: headName(row), into: names[receiver] }));
}

/** "1.2 into mover query": the path without the letter. */
export const pathName = ({ from, into }: Pick<FollowedPath, "from" | "into">): string => `${from} into ${into}`;

/** The path that loses the largest share of a logit difference, of those into receivers whose names begin like this; none if no path goes there. */
export function strongestInto(
  rows: readonly FollowedPath[],
  name: string,
  clean: readonly number[],
): PathWithShare | undefined {
  return strongestPaths(
    rows.filter(({ into }) => into.startsWith(name)),
    () => name,
    clean,
  )[0];
}

/** The same path and letter in other rows, if it is there. */
export const samePath = (rows: readonly FollowedPath[], path: FollowedPath): FollowedPath | undefined =>
  rows.find((row) => row.letter === path.letter && row.into === path.into && sameHead(row, path));

/** Paths followed with MLPs live, beside what they do with MLPs frozen: `live` and `frozen`, changes in logits; null: not followed. */
export const besideFrozen = <R extends FollowedPath>(
  live: readonly R[],
  frozen: readonly FollowedPath[],
): (R & { readonly live: number; readonly frozen: number | null })[] =>
  live.map((row) => ({ ...row, live: row.change, frozen: samePath(frozen, row)?.change ?? null }));

/** The paths into the inputs of one group, with the name of a panel for each input and letter: "query, letter 2". */
export const inputPanels = (rows: readonly FollowedPath[], group: string): (FollowedPath & { panel: string })[] =>
  rows
    .filter(({ into }) => into.startsWith(`${group} `))
    .map((row) => ({ ...row, panel: `${row.into.slice(group.length + 1)}, letter ${row.letter}` }));

/**
 * The same in fewer panels, one for each loss and input: "order: value". Of each sender's three letters the one that loses most.
 * @param losses paths by the name of what their senders lose
 */
export function worstLetterPanels(
  losses: Readonly<Record<string, readonly FollowedPath[]>>,
  group: string,
  clean: readonly number[],
): (PathWithShare & { readonly panel: string })[] {
  return Object.entries(losses).flatMap(([lost, rows]) => {
    const own = rows.filter(({ into }) => into.startsWith(`${group} `));
    return strongestPaths(own, pathName, clean).map((row) => ({
      ...row,
      panel: `${lost}: ${row.into.slice(group.length + 1)}`,
    }));
  });
}

/** For every receiver and loss the sender that harms most, where at least this share of a clean logit difference is lost. */
export function strongestSenders(
  losses: Readonly<Record<string, readonly FollowedPath[]>>,
  { clean, least }: { readonly clean: readonly number[]; readonly least: number },
): (PathWithShare & { readonly lost: string })[] {
  return Object.entries(losses).flatMap(([lost, rows]) =>
    strongestPaths(rows, ({ into }) => into, clean)
      .filter(({ share }) => share >= least)
      .map((row) => ({ ...row, lost })),
  );
}

/** A run in one line, to compare runs: who writes most to the logits, and the strongest path into the movers; null: no such path loses anything. */
export function strongestOfRun(run: string, rows: readonly FollowedPath[], clean: readonly number[]) {
  const losing = rows.filter(({ change }) => change !== 0);
  const path = strongestInto(losing, "mover", clean);
  return {
    run,
    "writes most to the logits": strongestInto(losing, "logits", clean)?.from ?? null,
    "strongest path into the movers": path ? pathName(path) : null,
    letter: path?.letter ?? null,
    "share lost": path?.share ?? null,
  };
}
