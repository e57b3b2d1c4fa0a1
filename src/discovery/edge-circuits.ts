import { letterReadout, logitDiffs } from "../experiments/logit-difference";
import { type Batch, checkCorrupted, type Measurement, measureAll, type StreamOptions } from "../experiments/measure";
import { forward } from "../model/forward";
import type { HookName } from "../model/hooks";
import { disposeRun, type Model, type Run, type Tokens } from "../model/model";
import { reusable } from "../model/plan";
import { checkIndices } from "../numbers/check";
import { range } from "../numbers/lists";
import { mean, share } from "../numbers/statistics";
import type { Prompts } from "../prompts/task";
import { type Edge, edgeGraph, senderHooks } from "./edges";
import { type Between, between, removeEdges } from "./removed-edges";

export interface EdgeOptions extends StreamOptions {
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
}

/** A batch's two runs, with all that edges need of them; `close` frees them. */
export function openEdges(model: Model, prompts: Prompts, corrupted: Tokens) {
  const hooks: HookName[] = senderHooks(model.config);
  const keep = [...new Set([...reusable(model.config), ...hooks])];
  const clean: Run = forward(model, prompts.tokens, { keep, readout: "none" });
  const other: Run = forward(model, corrupted, { keep: hooks, readout: "none" });
  const runs: Between = between(edgeGraph(model.config), clean, other);
  const close = () => {
    disposeRun(clean, other);
    runs.changes.dispose();
  };
  return { runs, close };
}

/** Each prompt's logit difference, mean over its letters, with these edges taken out, or a share of the way. */
export function withoutEdges(runs: Between, prompts: Prompts, removed: readonly Edge[], share = 1): number[] {
  const { model, clean } = runs;
  const { intervention, dispose } = removeEdges(runs, removed, share);
  try {
    const run = forward(model, prompts.tokens, {
      interventions: intervention,
      from: clean,
      readout: letterReadout(prompts),
    });
    const values = logitDiffs(run, prompts).map(mean);
    disposeRun(run);
    return values;
  } finally {
    dispose();
  }
}

/**
 * Mean logit difference over prompts and letters, in logits, without each of several sets of edges: along these the receiver gets what
 * the sender writes in the corrupted run. Edges by their index in `edgeGraph(config).edges`.
 * Throws a RangeError if there is no such edge, or not as many corrupted rows as prompts; SweepInterrupted
 */
export const levelsWithoutEdges = (
  model: Model,
  data: Prompts,
  sets: readonly (readonly number[])[],
  options: EdgeOptions,
): Promise<number[]> =>
  levels(
    model,
    data,
    sets.map((set) => ({ set, share: 1 })),
    options,
  );

/** A share of the way from what an edge carries to what it carries in the corrupted run, and what that changes, in logits. */
export interface AlongEdge {
  readonly share: number;
  readonly change: number;
}

/** How the logit difference changes as what one edge carries goes over to the corrupted run's. Throws as `levelsWithoutEdges`. */
export async function alongEdge(
  model: Model,
  data: Prompts,
  edge: number,
  { shares, ...options }: EdgeOptions & { readonly shares: readonly number[] },
): Promise<AlongEdge[]> {
  const points = [0, ...shares].map((share) => ({ set: [edge], share }));
  const [whole, ...found] = await levels(model, data, points, options);
  return shares.map((share, i) => ({ share, change: found[i] - whole }));
}

interface Point {
  readonly set: readonly number[];
  readonly share: number;
}

async function levels(
  model: Model,
  data: Prompts,
  points: readonly Point[],
  { corrupted, ...stream }: EdgeOptions,
): Promise<number[]> {
  checkCorrupted(data, corrupted);
  const { edges } = edgeGraph(model.config);
  for (const { set } of points) checkIndices("edge", set, edges.length);
  const open = ({ prompts, rows }: Batch): Measurement<Point> => {
    const { runs, close } = openEdges(model, prompts, rows(corrupted));
    const measure = ({ set, share }: Point) =>
      withoutEdges(
        runs,
        prompts,
        set.map((edge) => edges[edge]),
        share,
      ).map((value) => [value]);
    return { measure, close };
  };
  const values = await measureAll(data, points, open, stream);
  return values.map((prompts) => mean(prompts.map(([value]) => value)));
}

/**
 * Exact edge patching: what the logit difference loses (negative) or gains without each edge by itself, in logits, in the order of
 * `edgeGraph(config).edges`. As many forwards as there are edges.
 * Throws as `levelsWithoutEdges`.
 */
export async function patchEdges(model: Model, data: Prompts, options: EdgeOptions): Promise<number[]> {
  const count = edgeGraph(model.config).edges.length;
  const [whole, ...found] = await levelsWithoutEdges(model, data, [[], ...range(count).map((edge) => [edge])], options);
  return found.map((level) => level - whole);
}

/** A circuit of edges: how much of the model it is. */
export interface EdgeCircuit {
  /** Edges it has. */
  readonly edges: number;
  /** Its logit difference, mean over prompts and letters, all other edges taken out. */
  readonly logit_diff: number;
  /** As a share of what edges do at all: 0 as without any, 1 as with all; null: they do nothing. */
  readonly faithfulness: number | null;
}

/** How faithful circuits of edges are: each keeps those edges alone. Throws as `levelsWithoutEdges`. */
export async function edgeFaithfulness(
  model: Model,
  data: Prompts,
  circuits: readonly (readonly number[])[],
  options: EdgeOptions,
): Promise<EdgeCircuit[]> {
  const all = range(edgeGraph(model.config).edges.length);
  const outside = circuits.map((circuit) => {
    const inside = new Set(circuit);
    return all.filter((edge) => !inside.has(edge));
  });
  const [whole, none, ...found] = await levelsWithoutEdges(model, data, [[], all, ...outside], options);
  return found.map((logit_diff, c) => ({
    edges: circuits[c].length,
    logit_diff,
    faithfulness: share(logit_diff - none, whole - none),
  }));
}
