import { type CircuitHeads, headName } from "./circuit-heads";
import type { Letter } from "./dataset";
import type { Prompts } from "./experiment";
import type { HeadId } from "./hooks";
import type { Model } from "./model";
import { type PathsOptions, pathsInto, type Receiver, strongestPaths } from "./paths";

/** What passes from one head of a circuit to another, or to the logits. */
export interface CircuitPath {
  /** "1.2" */
  readonly from: string;
  /** "2.3", or "logits". */
  readonly to: string;
  readonly into: "logits" | "query" | "key" | "value";
  readonly lost: "content" | "order";
  /** Of the letter that loses most: the change of its logit difference, in logits … */
  readonly logit_diff: number;
  /** … over prompts (n − 1) … */
  readonly std: number;
  /** … as a share of its clean logit difference; positive is harm. */
  readonly share: number;
  readonly letter: Letter;
}

const INPUTS = { q: "query", k: "key", v: "value" } as const;

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
  for (const [i, lost] of (["content", "order"] as const).entries()) {
    const step = progress && ((done: number, total: number) => progress(i * total + done, 2 * total));
    const rows = await pathsInto(model, data, receivers, { ...options, senders: heads, lost, progress: step });
    const named = rows.map(({ receiver: r, letter, logit_diff, std, ...head }) => {
      const receiver = receivers[r];
      const [from, to] = [headName(head), receiver === "logits" ? receiver : headName(receiver.heads[0])];
      const into = receiver === "logits" ? receiver : INPUTS[receiver.input];
      return { path: `${from} ${r}`, from, to, into, lost, letter, logit_diff, std };
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
