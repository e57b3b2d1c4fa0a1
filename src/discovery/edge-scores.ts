/** How well scores of edges tell what exact patching says. */
import { BATCH } from "../experiments/measure";
import type { Model, ModelConfig } from "../model/model";
import { grid, range } from "../numbers/lists";
import { random } from "../numbers/random";
import { correlation, mean, share } from "../numbers/statistics";
import type { Prompts } from "../prompts/task";
import { attributeEdges, attributeThroughReceivers } from "./edge-attribution";
import { type EdgeCircuit, type EdgeOptions, edgeFaithfulness, patchEdges } from "./edge-circuits";
import { edgeCount, edgeGraph } from "./edges";

/** Scores of every edge by one method. */
export interface EdgeScores {
  readonly method: string;
  /** In logits (random: in nothing), in the order of `edgeGraph(config).edges`. */
  readonly scores: readonly number[];
  readonly seconds: number;
}

/** Names of the methods. */
export const METHODS = {
  exact: "exact",
  eap: "EAP",
  ig: "EAP-IG, 5 steps",
  through: "through the receiver",
  random: "random",
} as const;

/** A model with more edges is scored by gradients alone: a forward for each would take too long. */
export const MOST_EDGES = 1000;

/** What every head of a large model reads, and its gradients, take much memory. */
const FEW_PROMPTS = 5;

const STEPS = 5;

/**
 * Every edge by each method; what needs a computation for each edge only of models with at most `MOST_EDGES`.
 * Throws as `attributeEdges`.
 */
export async function scoreEdges(
  model: Model,
  data: Prompts,
  { seed, ...given }: EdgeOptions & { readonly seed: number },
): Promise<EdgeScores[]> {
  const count = edgeCount(model.config);
  const options = { ...given, batch: given.batch ?? (count > MOST_EDGES ? FEW_PROMPTS : BATCH) };
  const { uniform } = random(seed, "edges");
  const { progress } = given;
  const told = (method: string) =>
    typeof progress === "string" ? { ...options, progress: `${progress}, ${method}` } : options;
  const ways: [string, (options: EdgeOptions) => Promise<number[]>, each?: true][] = [
    [METHODS.exact, (own) => patchEdges(model, data, own), true],
    [METHODS.eap, (own) => attributeEdges(model, data, own)],
    [METHODS.ig, (own) => attributeEdges(model, data, { ...own, steps: STEPS })],
    [METHODS.through, (own) => attributeThroughReceivers(model, data, { ...own, steps: STEPS }), true],
    [METHODS.random, async () => range(count).map(() => uniform() - 0.5)],
  ];
  const found: EdgeScores[] = [];
  for (const [method, score, each] of ways) {
    if (each && count > MOST_EDGES) continue;
    const start = Date.now();
    const scores = await score(told(method));
    found.push({ method, scores, seconds: (Date.now() - start) / 1000 });
  }
  return found;
}

/** What other scores are compared with: exact patching or, of a model too large for it, EAP-IG. */
export const referenceOf = (scored: readonly EdgeScores[]): EdgeScores =>
  scored.find(({ method }) => method === METHODS.exact) ?? scored.find(({ method }) => method === METHODS.ig)!;

/** The edges with the largest scores, whatever their sign, the largest first. */
export const strongestEdges = (scores: readonly number[], count: number): number[] =>
  [...scores.keys()].sort((a, b) => Math.abs(scores[b]) - Math.abs(scores[a])).slice(0, count);

/** An edge that matters: its exact effect is at least that, in logits. */
export const LARGE = 0.1;

/** A method against exact patching; null where there is nothing to compare. */
export interface ScoreQuality {
  readonly method: string;
  /** Pearson's, over all edges; and over all but the one with the largest effect. */
  readonly r: number | null;
  readonly r_without_largest: number | null;
  /** Of the edges that matter, the share whose sign is right. */
  readonly sign: number | null;
  /** Area under the ROC curve: how likely an edge that matters has a larger score (without sign) than one that doesn't. */
  readonly auc: number | null;
}

/** Each method's scores against those of `referenceOf`, which is not judged by itself. */
export function scoreQuality(
  methods: readonly EdgeScores[],
  { method: own, scores: exact }: EdgeScores,
): ScoreQuality[] {
  const [largest] = strongestEdges(exact, 1);
  const large = exact.flatMap((effect, e) => (Math.abs(effect) >= LARGE ? [e] : []));
  const rest = [...exact.keys()].filter((e) => e !== largest);
  const at = (values: readonly number[], edges: readonly number[]) => edges.map((e) => values[e]);
  return methods
    .filter(({ method }) => method !== own)
    .map(({ method, scores }) => ({
      method,
      r: correlation(exact, scores),
      r_without_largest: rest.length > 1 ? correlation(at(exact, rest), at(scores, rest)) : null,
      sign: share(large.filter((e) => Math.sign(scores[e]) === Math.sign(exact[e])).length, large.length),
      auc: areaUnder(rocCurve(method, scores, exact)),
    }));
}

/** A point of a ROC curve: both shares of the edges that would be called large at some limit. */
export interface RocPoint {
  readonly method: string;
  /** Of those that don't matter. */
  readonly false_alarms: number;
  /** Of those that do. */
  readonly found: number;
}

/** The ROC curve of scores without their sign, from (0, 0) to (1, 1); ties are one step. Empty where all edges matter, or none. */
export function rocCurve(method: string, scores: readonly number[], exact: readonly number[]): RocPoint[] {
  const isLarge = exact.map((effect) => Math.abs(effect) >= LARGE);
  const large = isLarge.filter(Boolean).length;
  const small = exact.length - large;
  if (large === 0 || small === 0) return [];
  const points: RocPoint[] = [{ method, false_alarms: 0, found: 0 }];
  let [hits, alarms] = [0, 0];
  const order = strongestEdges(scores, scores.length);
  for (const [i, edge] of order.entries()) {
    if (isLarge[edge]) hits++;
    else alarms++;
    const next = order[i + 1];
    if (next !== undefined && Math.abs(scores[next]) === Math.abs(scores[edge])) continue;
    points.push({ method, false_alarms: alarms / small, found: hits / large });
  }
  return points;
}

/** The ROC curves of all methods but the reference's own, for a figure: of points above each other the highest. */
export function rocRows(methods: readonly EdgeScores[], { method: own, scores: exact }: EdgeScores): RocPoint[] {
  return methods
    .filter(({ method }) => method !== own)
    .flatMap(({ method, scores }) => {
      const curve = rocCurve(method, scores, exact);
      return curve.filter(({ false_alarms }, i) => curve[i + 1]?.false_alarms !== false_alarms);
    });
}

/** Rows of two columns for a scatter figure: each edge's score beside the reference's. */
export const besideReference = (methods: readonly EdgeScores[], reference: EdgeScores, names: readonly string[]) =>
  methods
    .filter(({ method }) => method !== reference.method)
    .flatMap(({ method, scores }) =>
      scores.map((score, e) => ({ method, edge: names[e], exact: reference.scores[e], score })),
    );

/** Numbers of edges for circuits of growing size: 10 … 300 of a model's 479, and as large a part of any other's. */
export function circuitSizes(count: number): number[] {
  const part = (of: number) => Math.max(1, Math.round((of * count) / 479));
  return [...new Set([10, 20, 35, 50, 80, 115, 150, 220, 300].map(part))];
}

/** Circuits of the edges with the largest scores, by method and size: how faithful they are. Throws as `edgeFaithfulness`. */
export async function circuitsOfScores(
  model: Model,
  data: Prompts,
  methods: readonly EdgeScores[],
  options: EdgeOptions,
): Promise<(EdgeCircuit & { readonly method: string })[]> {
  const sizes = circuitSizes(edgeCount(model.config));
  const chosen = grid({ by: methods, size: sizes });
  const circuits = chosen.map(({ by, size }) => strongestEdges(by.scores, size));
  const rows = await edgeFaithfulness(model, data, circuits, options);
  return rows.map((row, i) => ({ method: chosen[i].by.method, ...row }));
}

/** The edge with the largest score among those into queries ("q"), keys or values. */
export function strongestInto(
  config: Pick<ModelConfig, "n_layers" | "n_heads">,
  input: "q" | "k" | "v",
  scores: readonly number[],
) {
  const { edges, receivers } = edgeGraph(config);
  const order = strongestEdges(scores, scores.length);
  return order.find((e) => receivers[edges[e].receiver].at.endsWith(`hook_${input}_input`))!;
}

function areaUnder(curve: readonly RocPoint[]): number | null {
  if (curve.length === 0) return null;
  const strips = curve.slice(1).map((point, i) => {
    const width = point.false_alarms - curve[i].false_alarms;
    return width * mean([point.found, curve[i].found]);
  });
  return strips.reduce((sum, strip) => sum + strip, 0);
}
