/** What is said of a circuit that was evaluated: each sentence and whether the rows bear it out. */
import type { LetterSummary } from "../../experiments/behaviour";
import type { CompletenessRow } from "../../experiments/circuit-criteria";
import type { CircuitRank } from "../../experiments/circuit-ranks";
import { broughtBack, type MeasuredGivenBackRow } from "../../experiments/giving-back";
import { NEEDED_SHARE, type NeededHead } from "../../experiments/needed-heads";
import type { MeanLossRow } from "../../experiments/order-ablation";
import { RANDOM_HALF } from "../../groups/sets-to-remove";
import { type HeadId, hasHead, headList, headName } from "../../model/heads";
import { where } from "../../numbers/rows";
import { type Claim, claim, given } from "../../show/claims";
import { paperHeads } from "../paper";
import { type AblatedFaithfulness, paperFaithfulness, paperGivenBack } from "../paper-evaluation";

const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
const extremes = (values: readonly number[]) =>
  `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;

/** True of any weights: a circuit of all heads is what the model is without any removal. */
export function wholeModelIdentity(grown: readonly MeasuredGivenBackRow[], plain: readonly LetterSummary[]): Claim {
  const off = Math.max(...grown.map(({ letter, clean }) => Math.abs(clean - plain[letter - 1].logit_diff)));
  return given(
    "With no head removed the circuit is the model",
    off < 1e-4,
    `largest difference ${off.toExponential(1)}`,
  );
}

/**
 * How far the circuit comes: levels at both ends of its growth, and its faithfulness.
 * @param grown by mean ablation, all seeds
 * @param faithful by both removals, the same seeds in the same order
 */
export function levelFindings(
  grown: readonly MeasuredGivenBackRow[],
  faithful: readonly AblatedFaithfulness[],
): Claim[] {
  const full = where(grown, { given_back: grown[grown.length - 1].given_back });
  const [lowest, highest] = [where(grown, { given_back: "None" }), full].map((rows) =>
    rows.map((row) => row.logit_diff),
  );
  const [mean, resample] = (["mean", "resample"] as const).map((ablation) => where(faithful, { ablation }));
  const shares = mean.map(({ faithfulness }) => faithfulness ?? Number.NaN); // no claim holds of what there is no share of
  const [left, leftResampled] = [mean, resample].map((rows) => rows.map(({ none }) => none));
  const reached = full.filter(({ logit_diff, clean }) => logit_diff >= clean).length;
  const paper = paperFaithfulness();
  return [
    claim(
      "Without any head every letter loses to another on average (3 seeds)",
      lowest.every((level) => level < 0),
      `logit difference ${extremes(lowest)}`,
    ),
    claim(
      "The circuit's heads alone bring every letter back above the others on average (3 seeds)",
      highest.every((level) => level > 0),
      `logit difference ${extremes(highest)}`,
    ),
    claim(
      "The circuit does at least half of what all heads do, for every letter (mean ablation, 3 seeds)",
      shares.every((share) => share >= 0.5),
      `faithfulness ${extremes(shares)}`,
    ),
    claim(
      "Resampling is the harder removal: without heads it leaves less than the mean does (every letter, 3 seeds)",
      leftResampled.every((level, i) => level < left[i]),
      `${extremes(leftResampled)} against ${extremes(left)}`,
    ),
    claim(
      "Unlike GPT-2's in the paper, the circuit does not reach the whole model's level (3 seeds)",
      reached === 0 && paper.every((share) => share >= 1),
      `${reached} of ${full.length} levels reached; faithfulness ${extremes(shares)}, in the paper ${extremes(paper)}`,
    ),
  ];
}

/** How the circuit does among others of its size. */
export function rankFindings(ranks: readonly CircuitRank[]): Claim[] {
  const [any] = where(ranks, { heads: "any heads" });
  const [same] = where(ranks, { heads: "same layers" });
  return [
    claim(
      "Over the letters it does better than three of four random circuits of its size",
      any.beaten >= 0.75 * any.measured,
      `better than ${any.beaten} of ${any.measured}`,
    ),
    claim(
      "But it is not the best choice: another with as many heads in each layer does better",
      same.best !== null && same.best > same.circuit,
      `${same.circuit.toFixed(2)} logits, the best other ${same.best?.toFixed(2) ?? "none"}; better than ${same.beaten} of ${same.measured}`,
    ),
  ];
}

/**
 * What figure 8 shows of the fuzzy previous token heads.
 * @param grown of one seed
 * @param losses of `lossByMean`
 * @param fuzzy the fuzzy previous token heads; nothing is said if there are none
 */
export function fuzzyFindings(
  grown: readonly MeasuredGivenBackRow[],
  losses: readonly MeanLossRow[],
  fuzzy: readonly HeadId[],
): Claim[] {
  if (fuzzy.length === 0) return [];
  const most = (head: HeadId, mean: MeanLossRow["mean"]) =>
    Math.max(...where(losses, { layer: head.layer, head: head.head, mean }).map(({ lost }) => lost));
  const byOrder = (head: HeadId) => most(head, "common mean at C1, C2 and C3");
  const head = fuzzy.reduce((best, one) => (byOrder(one) > byOrder(best) ? one : best));
  const apart = most(head, "mean of each position");
  const largest = (shares: ReturnType<typeof broughtBack>) =>
    Math.max(...shares.map(({ share }) => share ?? Number.NaN));
  const here = largest(broughtBack(grown, fuzzy));
  const others = paperHeads().fuzzy_previous_token;
  const paper = largest(broughtBack(paperGivenBack(), others));
  return [
    claim(
      "The fuzzy previous token head that says most about order can't be seen by removing it position by position",
      byOrder(head) > 2 * Math.max(0, apart),
      `${headName(head)}: ${byOrder(head).toFixed(2)} lost with a common mean, ${apart.toFixed(2)} with that of each position`,
    ),
    claim(
      "Unlike in the paper's figure 8, giving back the fuzzy previous token heads brings next to nothing",
      here < 0.1 && paper > 0.1,
      `at most ${percent(here)} of what all heads do; ${headList(others)} in the paper up to ${percent(paper)}`,
    ),
  ];
}

/** @param rows of `completeness`, with the names of `setsToRemove`; of one group at least */
export function completenessFinding(rows: readonly (CompletenessRow & { readonly K: string })[]): Claim {
  const groups = rows.filter(({ K }) => K !== RANDOM_HALF);
  const worst = groups.reduce((a, b) => (b.gap > a.gap ? b : a));
  return claim(
    "The circuit is not complete: without one of its groups the model does better than the circuit without it",
    worst.gap > 0.5,
    `${worst.K}: ${worst.gap.toFixed(2)} logits better`,
  );
}

/** Whether the circuit is minimal by removal position by position: no claim of any notebook where it is not. */
export function minimalityFinding(heads: readonly NeededHead[]): Claim {
  const others = heads.filter(({ needed }) => !needed);
  return claim("Every head of the circuit is needed", others.length === 0, `not needed: ${headList(others)}`);
}

/** @param fuzzy the fuzzy previous token heads; nothing is said if there are none */
export function allButFuzzyNeeded(heads: readonly NeededHead[], fuzzy: readonly HeadId[]): Claim[] {
  if (fuzzy.length === 0) return [];
  const [own, others] = [true, false].map((isFuzzy) => heads.filter((head) => hasHead(fuzzy, head) === isFuzzy));
  const lost = ({ most_lost }: NeededHead) => (most_lost === null ? "–" : (100 * most_lost).toFixed(1));
  const least = others.reduce((a, b) => ((b.most_lost ?? 0) < (a.most_lost ?? 0) ? b : a));
  return [
    claim(
      "By removal position by position every head is needed but the fuzzy previous token heads",
      others.every(({ needed }) => needed) && own.every(({ needed }) => !needed),
      `lost without one, in % of what all heads do: ${own.map((head) => `${headName(head)} ${lost(head)}`).join(", ")}; of the others at least ${lost(least)} (${headName(least)}); needed from ${100 * NEEDED_SHARE} on`,
    ),
  ];
}
