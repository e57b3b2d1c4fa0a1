import * as tf from "@tensorflow/tfjs";
import { gradients, meanLogitDiff } from "../experiments/gradients";
import { BATCH, batchStarts, checkCorrupted, promptsFrom } from "../experiments/measure";
import { sweep } from "../experiments/sweep";
import { forward } from "../model/forward";
import { type HookName, type Intervention, patch } from "../model/hooks";
import type { Model } from "../model/model";
import { checkCount } from "../numbers/check";
import { range } from "../numbers/lists";
import { mean } from "../numbers/statistics";
import type { Prompts } from "../prompts/task";
import { type EdgeOptions, openEdges, withoutEdges } from "./edge-circuits";
import { type Edge, edgeGraph, type Receiver, receiverHooks } from "./edges";
import { type Between, removeEdges } from "./removed-edges";

export interface AttributionOptions extends EdgeOptions {
  /**
   * 0 (the default): gradients of the clean run, edge attribution patching (EAP). m: the mean of the gradients of m runs whose token
   * embeddings are k/m of the way from the corrupted prompt's to the clean one's, k = 1 … m (EAP-IG).
   */
  readonly steps?: number;
}

/**
 * Scores of all edges from gradients: what the logit difference would change without the edge if it went on as it does where the
 * gradient is taken; in logits, in the order of `edgeGraph(config).edges`. To compare with `patchEdges`.
 * Throws a RangeError if there are not as many corrupted rows as prompts, or `steps` is no count; SweepInterrupted
 * See Syed et al. (2023), Hanna et al. (2024)
 */
export function attributeEdges(model: Model, data: Prompts, options: AttributionOptions): Promise<number[]> {
  return overBatches(model, data, options, (runs, prompts, steps) => {
    const hooks = receiverHooks(runs.graph);
    const found = meanGradients(runs, prompts, hooks, steps);
    const products = new Map(hooks.map((at) => [at, byReceiver(found.get(at)!, runs.changes)]));
    return runs.graph.edges.map(({ sender, receiver }) => {
      const { at, head = 0 } = runs.graph.receivers[receiver];
      return products.get(at)![head][sender];
    });
  });
}

/**
 * Scores of all edges that are exact as far as the receiver: what the head or MLP then writes is computed, and only its way from there to
 * the logits is taken from (mean) gradients, as `steps` says. Queries and keys whose softmax is saturated are seen rightly by this; every
 * edge needs the computation of its receiver. In the manner of AtP* (Kramár et al., 2024).
 * Throws as `attributeEdges`.
 */
export function attributeThroughReceivers(model: Model, data: Prompts, options: AttributionOptions): Promise<number[]> {
  return overBatches(model, data, options, (runs, prompts, steps) => {
    const { graph, clean } = runs;
    const outputs = [...new Set(graph.senders.slice(1).map(({ at }) => at))];
    const found = meanGradients(runs, prompts, outputs, steps);
    const whole = withoutEdges(runs, prompts, []);
    return graph.edges.map((edge) =>
      tf.tidy(() => {
        const out = writesAt(graph.receivers[edge.receiver]);
        if (out === null) return mean(withoutEdges(runs, prompts, [edge]).map((value, p) => value - whole[p]));
        const change = changeAt(runs, edge, out).sub(clean.cache[out] as tf.Tensor);
        return (change.mul(found.get(out)!).sum().arraySync() as number) / prompts.tokens.length;
      }),
    );
  });
}

/** Where a receiver writes; null for the logits. */
function writesAt({ layer, head, name }: Receiver): HookName | null {
  if (name === "logits") return null;
  return head === undefined ? `blocks.${layer}.hook_mlp_out` : `blocks.${layer}.attn.hook_z`;
}

/** The receiver's output without one edge. */
function changeAt(runs: Between, edge: Edge, out: HookName): tf.Tensor {
  const { intervention, dispose } = removeEdges(runs, [edge]);
  const { model, clean } = runs;
  try {
    const options = { interventions: intervention, from: clean, keep: [out], readout: "none" } as const;
    return forward(model, clean.tokens, options).cache[out];
  } finally {
    dispose();
  }
}

/** Sums over each receiver of a hook `[head][sender]`, mean over prompts: gradient × change of the sender's output. */
function byReceiver(gradient: tf.Tensor, changes: tf.Tensor2D): number[][] {
  return tf.tidy(() => {
    const [batch, heads] = [gradient.shape[0], gradient.rank === 4 ? gradient.shape[2]! : 1];
    const first = gradient.rank === 4 ? gradient.transpose([2, 0, 1, 3]) : gradient;
    const flat = first.reshape([heads, -1]) as tf.Tensor2D;
    return tf.matMul(flat, changes.transpose()).div(batch).arraySync() as number[][];
  });
}

/** Gradients of the metric at these hooks, averaged along the way from the corrupted embeddings to the clean ones. */
function meanGradients(
  runs: Between,
  prompts: Prompts,
  hooks: readonly HookName[],
  steps: number,
): Map<HookName, tf.Tensor> {
  const { model, clean, corrupted } = runs;
  const at = "hook_embed";
  const between = (share: number): Intervention =>
    patch(at, corrupted.cache[at].add(clean.cache[at].sub(corrupted.cache[at]).mul(share)));
  const points = steps === 0 ? [[]] : range(steps).map((k) => between((k + 1) / steps));
  const sums = new Map<HookName, tf.Tensor>();
  for (const interventions of points) {
    const { at: found } = gradients(model, prompts, meanLogitDiff(), hooks, { interventions });
    for (const name of hooks) {
      const part = (found[name] as tf.Tensor).div(points.length);
      sums.set(name, sums.get(name)?.add(part) ?? part);
    }
  }
  return sums;
}

/** Scores of all edges in each batch, averaged over prompts. */
async function overBatches(
  model: Model,
  data: Prompts,
  { corrupted, steps = 0, batch = BATCH, progress }: AttributionOptions,
  score: (runs: Between, prompts: Prompts, steps: number) => number[],
): Promise<number[]> {
  checkCorrupted(data, corrupted);
  checkCount("steps", steps, 0);
  const n = data.tokens.length;
  const rows = await sweep(
    batchStarts(n, batch).map((start) => ({ start })),
    ({ start }) => {
      const prompts = promptsFrom(data, start, batch);
      const { runs, close } = openEdges(model, prompts, corrupted.slice(start, start + batch));
      const scores = score(runs, prompts, steps).map((value) => (value * prompts.tokens.length) / n);
      close();
      return { scores };
    },
    { progress },
  );
  return edgeGraph(model.config).edges.map((_, e) => rows.reduce((sum, { scores }) => sum + scores[e], 0));
}
