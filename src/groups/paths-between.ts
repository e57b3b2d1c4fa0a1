import { type PathsOptions, pathsInto, type Receiver, strongestPaths } from "../experiments/path-patching";
import { partOf, reporter } from "../experiments/progress";
import { type HeadId, headName, headsWithout } from "../model/heads";
import type { Model } from "../model/model";
import type { AcronymTask, Letter } from "../prompts/acronym-task";
import type { Prompts } from "../prompts/task";
import type { CircuitHeads } from "./classify";
import { INPUTS } from "./followed-paths";

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

/**
 * Path patching between all heads of a circuit, each receiver by itself: for content and for order, see `PathsOptions`.
 * @param options `clean`: the clean logit difference of letters 1, 2, 3
 */
export async function circuitPaths(
  model: Model,
  data: Prompts<AcronymTask>,
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

/**
 * Heads in the columns of their groups, early groups first, and the paths that lose at least this share of a logit difference.
 * A head that also stands in for a letter mover is drawn as one.
 */
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
      ...column("fuzzy previous token", headsWithout(fuzzy_previous_token, letter_movers)),
      ...column("propagation", headsWithout(propagation, letter_movers)),
      ...column("letter mover", letter_movers),
      { id: "logits", layer: n_layers, group: "output" },
    ],
    edges: paths
      .filter(({ share }) => share >= least)
      .map(({ from, to, share, into, lost }) => ({ from, to, value: share, kind: into, sent: lost })),
  };
}
