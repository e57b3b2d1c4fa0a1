import * as tf from "@tensorflow/tfjs";
import { edit, type HookName, type Intervention, merge } from "../model/hooks";
import type { Model, Run } from "../model/model";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { type Edge, type EdgeGraph, receiverHooks } from "./edges";
import { outputChanges } from "./outputs";

/** Two runs of the same batch between which edges are exchanged; both kept `senderHooks`. */
export interface Between {
  readonly model: Model;
  readonly graph: EdgeGraph;
  readonly clean: Run;
  readonly corrupted: Run;
  /** How senders' outputs change from the clean run to the corrupted one, `[sender, batch · pos · d_model]`. */
  readonly changes: tf.Tensor2D;
}

/** The caller frees `changes`. */
export function between(graph: EdgeGraph, clean: Run, corrupted: Run): Between {
  const { model } = clean;
  const of = (run: Run) => (name: HookName) => run.cache[name] as tf.Tensor;
  return { model, graph, clean, corrupted, changes: outputChanges(model, graph, of(clean), of(corrupted)) };
}

/** An intervention that holds tensors of its own. */
export interface Removal {
  readonly intervention: Intervention;
  /** After the forward. */
  readonly dispose: () => void;
}

/**
 * Takes edges out: along each, the receiver gets what the sender writes in the corrupted run, in place of what it writes in this one.
 * All other edges carry what is written in this run, whatever that has become by then.
 * With a `share` below 1 only that share of the way from the one to the other.
 * For one forward of the clean run's prompts: senders after the first receiver that is edited are listened to while it runs.
 */
export function removeEdges(runs: Between, removed: readonly Edge[], share = 1): Removal {
  const { graph } = runs;
  if (removed.length === 0) return { intervention: [], dispose: () => {} };
  const first = Math.min(...removed.map(({ receiver }) => receiver));
  const unaffected = graph.receivers[first].reach; // a sender that the first edited receiver sees comes before it
  const listener = new Listener(runs, unaffected, Math.max(...removed.map(({ sender }) => sender)));
  const byHook = groupBy(removed, ({ receiver }) => graph.receivers[receiver].at);
  const edits = receiverHooks(graph).flatMap((at) => {
    const own = byHook.get(at);
    if (!own) return [];
    return edit(
      at as "hook_embed",
      (input) => corrupt(input, own, share, { graph, listener }) as tf.Tensor3D,
      slice(own, graph) as object,
    );
  });
  return { intervention: merge(listener.intervention, edits), dispose: () => listener.dispose() };
}

/** The heads that are edited; nothing for an input that is no head's. */
function slice(edges: readonly Edge[], { receivers }: EdgeGraph): { head?: number[] } {
  const heads = [...new Set(edges.map(({ receiver }) => receivers[receiver].head))];
  return heads[0] === undefined ? {} : { head: (heads as number[]).sort((a, b) => a - b) };
}

/** A hook's input with what comes along these edges exchanged. */
function corrupt(
  input: tf.Tensor,
  edges: readonly Edge[],
  share: number,
  { graph: { receivers }, listener }: { readonly graph: EdgeGraph; readonly listener: Listener },
): tf.Tensor {
  const senders = [...new Set(edges.map(({ sender }) => sender))];
  const rows = receivers[edges[0].receiver].head === undefined ? 1 : input.shape[2]!;
  const chosen = range(rows).map(() => senders.map(() => 0));
  for (const { sender, receiver } of edges) chosen[receivers[receiver].head ?? 0][senders.indexOf(sender)] = share;
  const changes = tf.matMul(tf.tensor2d(chosen), listener.changesOf(senders)); // [heads, batch · pos · d_model]
  if (rows === 1) return input.add(changes.reshape(input.shape));
  const [batch, pos, heads, d_model] = input.shape as [number, number, number, number];
  return input.add(changes.reshape([heads, batch, pos, d_model]).transpose([1, 2, 0, 3]));
}

/** What senders would have to write more in this run to write what they do in the corrupted one. */
class Listener {
  readonly intervention: Intervention;
  private readonly heard = new Map<number, tf.Tensor2D>();

  constructor(
    private readonly runs: Between,
    private readonly unaffected: number,
    last: number,
  ) {
    const { senders } = runs.graph;
    const affected = range(senders.length).filter((s) => s >= unaffected && s <= last);
    const byHook = groupBy(affected, (s) => senders[s].at);
    this.intervention = [...byHook].flatMap(([at, own]) =>
      edit(at as "hook_embed", (activation) => {
        this.hear(own, activation);
        return activation;
      }),
    );
  }

  private hear(own: readonly number[], activation: tf.Tensor): void {
    const { model, graph, corrupted } = this.runs;
    const senders = own.map((s) => graph.senders[s]);
    const changes = outputChanges(
      model,
      { senders },
      () => activation,
      (name) => corrupted.cache[name],
    );
    const rows = tf.split(changes, changes.shape[0], 0);
    for (const [i, s] of own.entries()) this.heard.set(s, tf.keep(rows[i] as tf.Tensor2D));
  }

  /** `[sender, batch · pos · d_model]` */
  changesOf(senders: readonly number[]): tf.Tensor2D {
    const rows = senders.map((s) => {
      if (s < this.unaffected) return this.runs.changes.slice([s, 0], [1, -1]);
      return this.heard.get(s)!;
    });
    return rows.length === 1 ? rows[0] : tf.concat2d(rows, 0);
  }

  dispose(): void {
    tf.dispose([...this.heard.values()]);
    this.heard.clear();
  }
}
