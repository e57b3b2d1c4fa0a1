import type { HeadId } from "../model/heads";
import { checkCount } from "../numbers/check";
import { range } from "../numbers/lists";
import { random } from "../numbers/random";
import { CRITERIA, type Criteria, classifyHeads, GROUPS, type HeadEvidence, headVerdicts } from "./classify";

type Criterion = keyof Criteria;
const CRITERION_NAMES = Object.keys(CRITERIA) as Criterion[];

/** How many heads a group has when one threshold is multiplied and the others stay. */
export interface SweepRow {
  readonly criterion: Criterion;
  readonly factor: number;
  /** The factor as it is written: "1/8", "4". */
  readonly times: string;
  readonly group: string;
  readonly heads: number;
}

const scaled = (criteria: Criteria, criterion: Criterion, factor: number): Criteria => ({
  ...criteria,
  [criterion]: criteria[criterion] * factor,
});

/** The sizes of the groups for each threshold times each factor. */
export function sweepCriteria(
  evidence: readonly HeadEvidence[],
  { criteria = CRITERIA, factors }: { criteria?: Criteria; factors: readonly number[] },
): SweepRow[] {
  return CRITERION_NAMES.flatMap((criterion) =>
    factors.flatMap((factor) => {
      const classified = classifyHeads(evidence, scaled(criteria, criterion, factor));
      return GROUPS.map((group) => ({
        criterion,
        factor,
        times: factor < 1 ? `1/${Math.round(1 / factor)}` : `${factor}`,
        group,
        heads: classified.filter((head) => head.group === group).length,
      }));
    }),
  );
}

/** Between which values a threshold changes no group, and which heads move just beyond. */
export interface Margin {
  readonly criterion: Criterion;
  readonly threshold: number;
  /** Groups are the same from here … */
  readonly from: number;
  /** … to here; a 16th and 16 times the threshold are the limits of the search. */
  readonly to: number;
  /** Heads whose group is another one just below `from`, or just above `to`. */
  readonly below: readonly HeadId[];
  readonly above: readonly HeadId[];
}

const STEP = 1.02;
const LIMIT = 16;

/** How much room each threshold has, the others staying as they are; found in steps of 2%. */
export function criterionMargins(evidence: readonly HeadEvidence[], criteria: Criteria = CRITERIA): Margin[] {
  const usual = classifyHeads(evidence, criteria);
  return CRITERION_NAMES.map((criterion) => {
    const moved = (factor: number): HeadId[] => {
      const now = classifyHeads(evidence, scaled(criteria, criterion, factor));
      return now.filter((head, i) => head.group !== usual[i].group).map(({ layer, head }) => ({ layer, head }));
    };
    const reach = (step: number) => {
      let factor = 1;
      let heads: HeadId[] = [];
      while (heads.length === 0 && factor * step <= LIMIT && factor * step >= 1 / LIMIT) {
        heads = moved(factor * step);
        if (heads.length === 0) factor *= step;
      }
      return { value: criteria[criterion] * factor, heads };
    };
    const [down, up] = [reach(1 / STEP), reach(STEP)];
    const threshold = criteria[criterion];
    return { criterion, threshold, from: down.value, to: up.value, below: down.heads, above: up.heads };
  });
}

/** How the groups fare when all thresholds are moved at once. */
export interface JointMoves {
  readonly draws: number;
  /** Share of the draws in which every head keeps its group. */
  readonly same: number;
  /** For each head that is in a group with the thresholds as they are: the share of draws in which it is in that group. */
  readonly kept: readonly (HeadId & { readonly group: string; readonly share: number })[];
}

/**
 * All thresholds multiplied at once, each by a factor of its own from 1 / `factor` to `factor`, even on a logarithmic scale.
 * Throws a RangeError if `draws` is no count, or evidence is not finite.
 */
export function jointlyMoved(
  evidence: readonly HeadEvidence[],
  { factor, draws, seed, criteria = CRITERIA }: { factor: number; draws: number; seed: number; criteria?: Criteria },
): JointMoves {
  checkCount("draws", draws);
  const usual = classifyHeads(evidence, criteria);
  const { uniform } = random(seed, "thresholds");
  const moved = range(draws).map(() => {
    const factors = CRITERION_NAMES.map((criterion) => [
      criterion,
      criteria[criterion] * factor ** (2 * uniform() - 1),
    ]);
    return classifyHeads(evidence, Object.fromEntries(factors) as unknown as Criteria);
  });
  const isKept = (now: readonly HeadGroups[], h: number) => now[h].group === usual[h].group;
  const shareOf = (holds: (now: readonly HeadGroups[]) => boolean) => moved.filter(holds).length / draws;
  return {
    draws,
    same: shareOf((now) => now.every((_, h) => isKept(now, h))),
    kept: usual.flatMap(({ layer, head, group }, h) =>
      group === "none" ? [] : [{ layer, head, group, share: shareOf((now) => isKept(now, h)) }],
    ),
  };
}

type HeadGroups = { readonly group: string };

/** A head that shows a group's effect and lacks something else of it. */
export interface NearMiss extends HeadId {
  readonly group: string;
  /** Criteria of that group that it fails. */
  readonly fails: readonly string[];
}

/** Heads in no group that have the effect of one: what keeps them out. */
export function nearMisses(evidence: readonly HeadEvidence[], criteria: Criteria = CRITERIA): NearMiss[] {
  const verdicts = headVerdicts(evidence, criteria);
  return classifyHeads(evidence, criteria).flatMap(({ layer, head, group: own }, h) => {
    if (own !== "none") return [];
    const near = GROUPS.filter((group) => verdicts[h][group].effect === true);
    return near.map((group) => ({ layer, head, group, fails: failedBy(verdicts[h][group]) }));
  });
}

/** Names of the criteria that do not hold, as far as is known. */
export const failedBy = (verdicts: Readonly<Record<string, boolean | null>>): string[] =>
  Object.entries(verdicts)
    .filter(([, verdict]) => verdict === false)
    .map(([name]) => name);
