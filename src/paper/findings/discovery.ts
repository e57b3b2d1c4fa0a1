import { type AlongEdge, type EdgeCircuit, type EdgeOptions, edgeFaithfulness } from "../../discovery/edge-circuits";
import { type EdgeScores, LARGE, METHODS, type ScoreQuality, strongestEdges } from "../../discovery/edge-scores";
import type { GrowthRow, ShapleyRow, SizeRow } from "../../discovery/subset-levels";
import type { Model } from "../../model/model";
import { where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import type { Prompts } from "../../prompts/task";
import { type Claim, claim, given } from "../../show/claims";
import type { AcdcRow } from "../discovery-table";

const percent = (share: number): string => `${Math.round(100 * share)}%`;

/** Logits that heads must do together before shares of it say anything: in an untrained model they do next to nothing. */
const SOMETHING = 2;

/** What is measured of subsets of heads. */
export interface SubsetEvidence {
  /** F(M) − F(∅), in logits. */
  readonly all: number;
  readonly front: readonly SizeRow[];
  readonly shapley: readonly ShapleyRow[];
  /** Orders in which heads are given back, those of `GREEDY` and `ATTRIBUTION` among them. */
  readonly orders: readonly GrowthRow[];
}

export const GREEDY = "greedy";
export const ATTRIBUTION = "attribution patching";

/** True of any model: what Shapley values add up to. */
export function shapleyIdentity({ all, shapley }: Pick<SubsetEvidence, "all" | "shapley">): Claim {
  const sum = shapley.reduce((total, row) => total + row.shapley, 0);
  return given(
    "Shapley values add up to what all heads do together: in any model",
    Math.abs(sum - all) < 1e-6 * Math.max(1, Math.abs(all)),
    `${sum.toFixed(4)} and ${all.toFixed(4)} logits`,
  );
}

/** True of any model: without any edge it computes the corrupted prompts. */
export const noEdgesIdentity = (none: number, corrupted: number): Claim =>
  given(
    "Without any edge the model says of the clean prompts what it says of the corrupted ones: in any model",
    Math.abs(none - corrupted) < 1e-3 * Math.max(1, Math.abs(corrupted)),
    `logit differences ${none.toFixed(3)} and ${corrupted.toFixed(3)}`,
  );

/** What notebook 11 says of the embedded model's heads. Where heads do less than two logits together no share of it is claimed. */
export function subsetClaims({ all, front, orders }: SubsetEvidence): Claim[] {
  const least = (share: number) => front.find(({ faithfulness }) => (faithfulness ?? 0) >= share);
  const few = least(0.8);
  const gaps = (method: string) =>
    where(orders, { method }).map(({ heads, faithfulness }) => ({
      heads,
      gap: (front.find((row) => row.heads === heads)?.faithfulness ?? 0) - (faithfulness ?? 0),
    }));
  const widest = (method: string) => gaps(method).reduce((a, b) => (b.gap > a.gap ? b : a));
  const [greedy, attributed] = [widest(GREEDY), widest(ATTRIBUTION)];
  return [
    claim(
      "Less than half of the heads do four fifths of what all do, and one circuit in twenty of that size two thirds at most",
      all > SOMETHING && few !== undefined && few.heads < front.length / 2 && (few.high ?? 1) < 2 / 3,
      few
        ? `${few.best}: ${percent(few.faithfulness ?? 0)} of ${all.toFixed(1)} logits; one in twenty reaches ${percent(few.high ?? 0)}`
        : "none",
    ),
    claim(
      "Taking the head that helps most each time stays within 3% of the best circuit of every size; one pass of gradients falls short by more than 10%",
      all > SOMETHING && greedy.gap < 0.03 && attributed.gap > 0.1,
      `greedy at most ${percent(greedy.gap)} (${greedy.heads} heads), attribution patching ${percent(attributed.gap)} (${attributed.heads} heads)`,
    ),
  ];
}

/** What is measured of edges. */
export interface EdgeEvidence {
  readonly scores: readonly EdgeScores[];
  readonly quality: readonly ScoreQuality[];
  /** Circuits of the edges with the largest scores, on prompts that nothing was found with. */
  readonly circuits: readonly (EdgeCircuit & { readonly method: string })[];
  /** The largest exact effect of an edge into a query, with the score that the clean run's gradient gives it, and the way there. */
  readonly saturated: {
    readonly edge: string;
    readonly exact: number;
    readonly eap: number;
    readonly along: readonly AlongEdge[];
  };
}

/** What notebook 11 says of the embedded model's edges. */
export function edgeClaims({ scores, quality, circuits, saturated }: EdgeEvidence): Claim[] {
  const exact = where(scores, { method: METHODS.exact })[0].scores;
  const large = exact.filter((effect) => Math.abs(effect) >= LARGE).length;
  const of = (method: string) => where(quality, { method })[0];
  const [eap, ig, through] = [METHODS.eap, METHODS.ig, METHODS.through].map(of);
  const number = (value: number | null) => (value === null ? "none" : value.toFixed(2));
  const at = (method: string, edges: number) => where(circuits, { method, edges })[0]?.faithfulness ?? 0;
  const most = 150;
  return [
    claim(
      "Few edges matter: between 5% and 25% of them change the logit difference by a tenth of a logit or more",
      large > 0.05 * exact.length && large < 0.25 * exact.length,
      `${large} of ${exact.length}`,
    ),
    claim(
      "The clean run's gradients (EAP) are wrong about the sign of an edge that matters in more than one case of five; exact as far as the receiver it is right in 19 of 20",
      (eap.sign ?? 1) < 0.8 && (through.sign ?? 0) > 0.95,
      `sign right: EAP ${number(eap.sign)}, EAP-IG ${number(ig.sign)}, through the receiver ${number(through.sign)}`,
    ),
    claim(
      "Averaged gradients correlate with exact patching by more than .85, those of the clean run by less than .6",
      (ig.r ?? 0) > 0.85 && (eap.r ?? 1) < 0.6,
      `r: EAP ${number(eap.r)}, EAP-IG ${number(ig.r)}, through the receiver ${number(through.r)}`,
    ),
    claim(
      `On prompts that they were not found with, ${most} edges by exact patching, by EAP-IG and through the receiver do more than nine tenths of what all do; as many at random less than one tenth`,
      [METHODS.exact, METHODS.ig, METHODS.through].every((method) => at(method, most) > 0.9) &&
        Math.abs(at(METHODS.random, most)) < 0.1,
      Object.values(METHODS)
        .map((method) => `${method} ${percent(at(method, most))}`)
        .join(", "),
    ),
    claim(
      "The edge into a query that matters most costs more than two logits, and the clean run's gradient sees less than a tenth of that",
      saturated.exact < -2 && Math.abs(saturated.eap) < 0.1 * Math.abs(saturated.exact),
      `${saturated.edge}: ${saturated.exact.toFixed(2)} logits, by the gradient ${saturated.eap.toFixed(2)}; ` +
        `half of the way ${mean(where(saturated.along, { share: 0.5 }).map(({ change }) => change)).toFixed(2)}`,
    ),
  ];
}

/** A circuit of ACDC beside as many edges with the largest exact effects, on the same prompts. */
export interface AcdcCircuit {
  /** In logits. */
  readonly threshold: number;
  readonly edges: number;
  readonly acdc: number | null;
  readonly by_exact_effect: number | null;
}

/** Faithfulness of ACDC's circuits and of as many of the strongest edges. Throws as `edgeFaithfulness`. */
export async function acdcFaithfulness(
  model: Model,
  data: Prompts,
  circuits: readonly AcdcRow[],
  { exact, ...options }: EdgeOptions & { readonly exact: readonly number[] },
): Promise<AcdcCircuit[]> {
  if (circuits.length === 0) return [];
  const strongest = circuits.map(({ edges }) => strongestEdges(exact, edges.length));
  const rows = await edgeFaithfulness(model, data, [...circuits.map(({ edges }) => edges), ...strongest], options);
  return circuits.map(({ threshold, edges }, i) => ({
    threshold,
    edges: edges.length,
    acdc: rows[i].faithfulness,
    by_exact_effect: rows[circuits.length + i].faithfulness,
  }));
}

/** What trying edges one after the other gives beyond what each does by itself. */
export function acdcClaim(rows: readonly AcdcCircuit[]): Claim {
  const small = rows.filter(({ edges }) => edges <= 100);
  const worst = Math.min(...small.map(({ acdc, by_exact_effect }) => (acdc ?? 0) - (by_exact_effect ?? 1)));
  return claim(
    "ACDC's circuits of at most a hundred edges are no less faithful, but for 2%, than as many of the edges that matter most by themselves",
    small.length > 0 && worst > -0.02 && small.some(({ acdc }) => (acdc ?? 0) > 0.8),
    small
      .map(({ edges, acdc, by_exact_effect }) => `${edges}: ${percent(acdc ?? 0)}, ${percent(by_exact_effect ?? 0)}`)
      .join("; ") || "no such circuit",
  );
}
