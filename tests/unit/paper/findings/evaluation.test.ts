import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CircuitRank } from "../../../../src/experiments/circuit-ranks";
import type { MeasuredGivenBackRow } from "../../../../src/experiments/giving-back";
import type { MeanLossRow } from "../../../../src/experiments/order-ablation";
import {
  allButFuzzyNeeded,
  completenessFinding,
  fuzzyFindings,
  levelFindings,
  minimalityFinding,
  rankFindings,
  wholeModelIdentity,
} from "../../../../src/paper/findings/evaluation";
import type { AblatedFaithfulness } from "../../../../src/paper/paper-evaluation";
import { LETTERS } from "../../../../src/prompts/positions";
import type { Claim } from "../../../../src/show/claims";

const passed = (claims: readonly Claim[]) => claims.map((one) => one.passed);
const head = (name: number) => ({ layer: 0, head: name });

/** Two seeds of a circuit of the heads 0.1 and 0.0. */
const grow = (none: number, first: number, full: number, clean: number): MeasuredGivenBackRow[] =>
  [0, 1].flatMap((seed) =>
    Object.entries({ None: none, "0.1": first, "0.0": full }).flatMap(([given_back, logit_diff]) =>
      LETTERS.map((letter) => ({
        given_back,
        letter,
        logit_diff,
        std: 1,
        clean,
        n: 5,
        seed,
        ablation: "mean" as const,
      })),
    ),
  );
const faithful = (share: number, none: number, resampled: number): AblatedFaithfulness[] =>
  LETTERS.flatMap((letter) => {
    const row = { letter, circuit: 1, model: 2, faithfulness: share };
    return [
      { ...row, none, ablation: "mean" as const },
      { ...row, none: resampled, ablation: "resample" as const },
    ];
  });

describe("levelFindings", () => {
  it("hold for a circuit that comes most of the way", () => {
    const claims = levelFindings(grow(-2, 1, 3, 4), faithful(0.8, -2, -5));
    assert.deepEqual(passed(claims), [true, true, true, true, true]);
    assert.equal(claims[0].evidence, "logit difference -2.00 to -2.00");
    assert.match(claims[4].evidence, /^0 of 6 levels reached; faithfulness 0.80 to 0.80, in the paper 1.0/);
  });
  it("each fails alone where its own number is another", () => {
    const good = [-2, 3, 4, 0.8, -5];
    const fails = (at: number, value: number) => {
      const [none, full, clean, share, resampled] = good.map((one, i) => (i === at ? value : one));
      return passed(levelFindings(grow(none, 1, full, clean), faithful(share, none, resampled)));
    };
    assert.deepEqual(fails(0, 0.5), [false, true, true, true, true]);
    assert.deepEqual(fails(1, -1), [true, false, true, true, true]);
    assert.deepEqual(fails(3, 0.4), [true, true, false, true, true]);
    assert.deepEqual(fails(4, -1), [true, true, true, false, true]);
    assert.deepEqual(fails(2, 3), [true, true, true, true, false]);
  });
  it("fail where one seed's one letter is another", () => {
    const rows = grow(-2, 1, 3, 4);
    rows[rows.length - 1] = { ...rows[rows.length - 1], logit_diff: 5 };
    assert.deepEqual(passed(levelFindings(rows, faithful(0.8, -2, -5))), [true, true, true, true, false]);
  });
});

describe("wholeModelIdentity", () => {
  const plain = (level: number) => LETTERS.map((letter) => ({ letter, n: 5, accuracy: 1, logit_diff: level, std: 1 }));
  it("holds where both are the same, and fails where one letter is off", () => {
    assert.equal(wholeModelIdentity(grow(-2, 1, 3, 4), plain(4.00001)).passed, true);
    const off = plain(4);
    off[1] = { ...off[1], logit_diff: 4.01 };
    const claim = wholeModelIdentity(grow(-2, 1, 3, 4), off);
    assert.deepEqual([claim.passed, claim.evidence], [false, "largest difference 1.0e-2"]);
  });
});

describe("rankFindings", () => {
  const rank = (heads: CircuitRank["heads"], beaten: number, best: number | null): CircuitRank => {
    return { heads, there_are: 20, measured: 20, drawn: false, mean: 1, best, circuit: 3, beaten };
  };
  const ranks = (beaten: number, best: number | null) => [rank("any heads", beaten, 2), rank("same layers", 20, best)];
  it("hold from three of four on, and where another is better", () => {
    assert.deepEqual(passed(rankFindings(ranks(15, 3.5))), [true, true]);
    assert.equal(rankFindings(ranks(15, 3.5))[1].evidence, "3.00 logits, the best other 3.50; better than 20 of 20");
  });
  it("fail below, and where no other is better or there is none", () => {
    assert.deepEqual(passed(rankFindings(ranks(14, 3))), [false, false]);
    assert.deepEqual(passed(rankFindings(ranks(14, null))), [false, false]);
  });
});

describe("fuzzyFindings", () => {
  const loss = (name: number, mean: MeanLossRow["mean"], lost: number): MeanLossRow[] =>
    LETTERS.map((letter) => ({ ...head(name), letter, mean, lost: lost * letter }));
  const losses = (apart: number, common: number) => [
    ...loss(0, "mean of each position", apart),
    ...loss(0, "common mean at C1, C2 and C3", common),
    ...loss(1, "mean of each position", 9),
    ...loss(1, "common mean at C1, C2 and C3", common / 2),
  ];
  it("hold for heads that only say which word is which; the one that says most decides", () => {
    const claims = fuzzyFindings(grow(-2, 3, 3.1, 4).slice(0, 9), losses(-1, 2), [head(0)]);
    assert.deepEqual(passed(claims), [true, true]);
    assert.equal(claims[0].evidence, "0.0: 6.00 lost with a common mean, -1.00 with that of each position");
    assert.equal(claims[1].evidence, "at most 2% of what all heads do; 1.0, 2.2, 4.11 in the paper up to 50%");
    const both = fuzzyFindings(grow(-2, -2, -1.9, 4).slice(0, 9), losses(0, 2), [head(1), head(0)]);
    assert.match(both[0].evidence, /^0\.0: /);
  });
  it("fail for a head that is seen, and for one that brings something", () => {
    assert.deepEqual(passed(fuzzyFindings(grow(-2, 3, 3.1, 4).slice(0, 9), losses(1.5, 2), [head(0)])), [false, true]);
    assert.deepEqual(passed(fuzzyFindings(grow(-2, 1, 3, 4).slice(0, 9), losses(0, 2), [head(0)])), [true, false]);
  });
  it("say nothing if there are none", () => assert.deepEqual(fuzzyFindings(grow(-2, 1, 3, 4), losses(0, 2), []), []));
});

describe("completenessFinding", () => {
  const row = (K: string, gap: number) => ({ K, removed: 0, size: 1, letter: 1 as const, circuit: 0, model: gap, gap });
  it("is about the worst group, not about random halves", () => {
    const found = completenessFinding([row("without a", 0.2), row("without b", 0.8), row("without a random half", 9)]);
    assert.deepEqual([found.passed, found.evidence], [true, "without b: 0.80 logits better"]);
  });
  it("fails where all groups do the same in both", () => {
    assert.equal(completenessFinding([row("without a", 0.4), row("without a random half", 9)]).passed, false);
  });
});

describe("minimality", () => {
  const lost = (...shares: number[]) =>
    shares.map((most_lost, i) => ({ ...head(i), most_lost, needed: most_lost >= 0.01 }));
  it("holds if every head is needed, else the others are named", () => {
    assert.deepEqual(
      [lost(0.2, 0.3), lost(0.2, 0)].map(minimalityFinding).map((found) => [found.passed, found.evidence]),
      [
        [true, "not needed: none"],
        [false, "not needed: 0.1"],
      ],
    );
  });
  it("but for the fuzzy heads: these must not be needed, and all others must", () => {
    const [found] = allButFuzzyNeeded(lost(0.2, 0.004, 0.1), [head(1)]);
    assert.equal(found.passed, true);
    assert.match(found.evidence, /: 0\.1 0\.4; of the others at least 10\.0 \(0\.2\); needed from 1 on$/);
    assert.deepEqual(passed(allButFuzzyNeeded(lost(0.2, 0.02, 0.1), [head(1)])), [false]);
    assert.deepEqual(passed(allButFuzzyNeeded(lost(0.2, 0.004, 0), [head(1)])), [false]);
    assert.deepEqual(allButFuzzyNeeded(lost(0.2), []), []);
  });
});
