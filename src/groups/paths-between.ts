import type { Prompts } from "../experiments/measure";
import {
  type PathRow,
  type PathsOptions,
  pathsInto,
  type Receiver,
  strongestPaths,
} from "../experiments/path-patching";
import { partOf, reporter } from "../experiments/progress";
import { type HeadId, headName } from "../model/heads";
import type { Model } from "../model/model";
import type { Letter } from "../prompts/positions";
import type { CircuitHeads } from "./classify";

/** What passes from one head of a circuit to another, or to the logits. */
export interface CircuitPath {
  /** "1.2" */
  readonly from: string;
  /** "2.3", or "logits". */
  readonly to: string;
  readonly into: "logits" | "query" | "key" | "value";
  readonly lost: "content" | "order";
  /** Of the letter that loses most: the change of its logit difference, in logits … */
  readonly change: number;
  /** … over prompts (n − 1) … */
  readonly std: number;
  /** … as a share of its clean logit difference; positive is harm. */
  readonly share: number;
  readonly letter: Letter;
}

const INPUTS = { q: "query", k: "key", v: "value" } as const;

/** Receivers by name. */
export type NamedReceivers = Readonly<Record<string, Receiver>>;

/** The logits, and the queries, keys and values of the letter movers ("mover query") and of the propagation heads, if there are any. */
export function circuitReceivers({ letter_movers, propagation }: CircuitHeads): NamedReceivers {
  const inputs = Object.keys(INPUTS) as (keyof typeof INPUTS)[];
  const into = (name: string, heads: readonly HeadId[]) =>
    heads.length === 0 ? [] : inputs.map((input) => [`${name} ${INPUTS[input]}`, { heads, input }] as const);
  return Object.fromEntries([
    ["logits", "logits"],
    ...into("mover", letter_movers),
    ...into("propagation", propagation),
  ]);
}

export interface FollowedPath extends PathRow {
  /** The receiver's name. */
  readonly into: string;
}

/** Path patching into several receivers, each by itself, by their names. @throws as `pathsInto` */
export async function followPaths(
  model: Model,
  data: Prompts,
  receivers: NamedReceivers,
  options: PathsOptions,
): Promise<FollowedPath[]> {
  const names = Object.keys(receivers);
  const rows = await pathsInto(model, data, Object.values(receivers), options);
  return rows.map(({ receiver, ...row }) => ({ ...row, into: names[receiver] }));
}

/** The path that loses the largest share of a logit difference, of those into receivers whose names begin like this. */
export function strongestInto(
  rows: readonly FollowedPath[],
  name: string,
  clean: readonly number[],
): (FollowedPath & { readonly share: number }) | undefined {
  return strongestPaths(
    rows.filter(({ into }) => into.startsWith(name)),
    () => name,
    clean,
  )[0];
}

/** The paths into the inputs of one group, with the name of a panel for each input and letter: "query, letter 2". */
export const inputPanels = (rows: readonly FollowedPath[], group: string): (FollowedPath & { panel: string })[] =>
  rows
    .filter(({ into }) => into.startsWith(`${group} `))
    .map((row) => ({ ...row, panel: `${row.into.slice(group.length + 1)}, letter ${row.letter}` }));

/**
 * Path patching between all heads of a circuit, each receiver by itself: for content and for order, see `PathsOptions`.
 * @param options `clean`: the clean logit difference of letters 1, 2, 3
 */
export async function circuitPaths(
  model: Model,
  data: Prompts,
  { circuit: heads }: Pick<CircuitHeads, "circuit">,
  { clean, progress, ...options }: Omit<PathsOptions, "senders" | "lost"> & { readonly clean: readonly number[] },
): Promise<CircuitPath[]> {
  const inputs = Object.keys(INPUTS) as (keyof typeof INPUTS)[];
  const receivers: Receiver[] = [
    "logits",
    ...heads.flatMap((head) => inputs.map((input) => ({ heads: [head], input }))),
  ];
  const out: CircuitPath[] = [];
  const report = reporter(progress);
  for (const [i, lost] of (["content", "order"] as const).entries()) {
    const rows = await pathsInto(model, data, receivers, {
      ...options,
      senders: heads,
      lost,
      progress: partOf(report, i, 2),
    });
    const named = rows.map(({ receiver: r, letter, change, std, ...head }) => {
      const receiver = receivers[r];
      const [from, to] = [headName(head), receiver === "logits" ? receiver : headName(receiver.heads[0])];
      const into = receiver === "logits" ? receiver : INPUTS[receiver.input];
      return { path: `${from} ${r}`, from, to, into, lost, letter, change, std };
    });
    out.push(...strongestPaths(named, ({ path }) => path, clean).map(({ path: _, ...row }) => row));
  }
  return out;
}

/** What `circuitGraph` draws. */
export interface DrawnCircuit {
  readonly nodes: { id: string; layer: number; group: string }[];
  readonly edges: { from: string; to: string; value: number; kind: string; sent: string }[];
}

/** Heads in the columns of their groups, early groups first, and the paths that lose at least this share of a logit difference. */
export function drawnCircuit(
  { fuzzy_previous_token, propagation, letter_movers }: CircuitHeads,
  paths: readonly CircuitPath[],
  { n_layers, least }: { n_layers: number; least: number },
): DrawnCircuit {
  const column = (group: string, heads: readonly HeadId[]) =>
    [...heads]
      .sort((a, b) => a.layer - b.layer || a.head - b.head)
      .map((head) => ({ id: headName(head), layer: head.layer, group }));
  return {
    nodes: [
      ...column("fuzzy previous token", fuzzy_previous_token),
      ...column("propagation", propagation),
      ...column("letter mover", letter_movers),
      { id: "logits", layer: n_layers, group: "output" },
    ],
    edges: paths
      .filter(({ share }) => share >= least)
      .map(({ from, to, share, into, lost }) => ({ from, to, value: share, kind: into, sent: lost })),
  };
}
