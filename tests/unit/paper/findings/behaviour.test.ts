import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { grid } from "../../../../src/numbers/lists";
import {
  behaviourAsInPaper,
  behaviourClaims,
  behaviourFindings,
  firstLetterClaim,
  paperCorruptions,
} from "../../../../src/paper/findings/behaviour";
import { paperBehaviour } from "../../../../src/paper/paper";
import { CORRUPTIONS, type Corruption } from "../../../../src/prompts/corruption";
import { LETTERS } from "../../../../src/prompts/positions";
import type { Claim } from "../../../../src/show/claims";

type Changes = Record<Corruption, readonly [number, number, number]>;

/** Letters 1, 2, 3 of a model that shows everything. */
const fits: Changes = { current_word: [-9, -9, -9], previous_words: [0, -3, -3], previous_letters: [0, -4, -2] };
const summary = (diffs = [5, 6, 7], accuracy = 1, std = 1) =>
  LETTERS.map((letter, i) => ({ letter, accuracy, logit_diff: diffs[i], std }));

/** Two prompts a letter, one a little above the mean and one below, and as many seeds; the second seed's changes may differ. */
const corrupted = (first: Partial<Changes> = {}, second: Partial<Changes> = first) =>
  grid({ seed: [0, 1], corruption: CORRUPTIONS, letter: LETTERS, off: [-1, 1] }).map((row) => {
    const { seed, corruption, letter, off } = row;
    const change = { ...fits, ...(seed === 0 ? first : second) }[corruption][letter - 1];
    const own = change === 0 ? 0 : change + off;
    return { seed, corruption, letter, change: own, logit_diff: 5 + own };
  });

const verdicts = (rows: readonly { finding: string; holds: boolean }[]) => rows.map(({ holds }) => holds);
const failing = (claims: readonly Claim[]) => claims.filter(({ passed }) => !passed).map(({ claim }) => claim);

describe("paperCorruptions", () => {
  it("has a number for each corruption and letter: harm for a letter's own word, nothing for letter 1 else", () => {
    const rows = paperCorruptions();
    assert.equal(rows.length, 9);
    for (const { corruption, letter, change, uncertainty } of rows) {
      if (corruption === "current_word") assert.ok(change < -2);
      else if (letter === 1) assert.ok(Math.abs(change) <= uncertainty);
      else assert.ok(change < -1 && change > -3);
    }
  });
});

describe("behaviourFindings", () => {
  it("hold for a model like the paper's, with the means over seeds as evidence", () => {
    const findings = behaviourFindings(summary(), corrupted({}, { previous_letters: [0, -5, -4] }));
    assert.deepEqual(verdicts(findings), [true, true, true, true]);
    assert.deepEqual(
      findings.map(({ evidence }) => evidence),
      ["5.00 / 6.00 / 7.00", "-9.00 / -9.00 / -9.00", "0.00 / -3.00 / -3.00", "0.00 / -4.50 / -3.00"],
    );
    assert.match(findings[0].paper, /^1.2\d \/ 1.99 \/ 3.39$/);
  });

  it("fail one by one, also where one seed alone says otherwise", () => {
    for (const diffs of [
      [5, 5, 7],
      [5, 6, 6],
    ])
      assert.deepEqual(verdicts(behaviourFindings(summary(diffs), corrupted())), [false, true, true, true]);
    const other = (changes: Partial<Changes>) => verdicts(behaviourFindings(summary(), corrupted({}, changes)));
    assert.deepEqual(other({ current_word: [-9, -9, -2.5] }), [true, false, true, true]);
    assert.deepEqual(other({ previous_words: [0, -3, 0.1] }), [true, true, false, true]);
    assert.deepEqual(other({ previous_letters: [0, -2, -4] }), [true, true, true, false]);
  });
});

describe("firstLetterClaim", () => {
  it("fails for any change at all of letter 1", () => {
    assert.ok(firstLetterClaim(corrupted()).passed);
    const little = { seed: 1, corruption: "previous_words", letter: 1, change: -1e-9, logit_diff: 5 } as const;
    const moved = firstLetterClaim([...corrupted(), little]);
    assert.deepEqual([moved.passed, moved.evidence], [false, "largest change 1e-9"]);
  });
});

describe("behaviourClaims", () => {
  const decision = (mean_logit_diff: number, logit_diff: number) => ({ mean_logit_diff, logit_diff });
  const decisions = [decision(1, -1), decision(1, 1), decision(-1, -1), decision(1, -2)];

  it("hold for a model that has learnt the task", () => {
    const claims = behaviourClaims(summary(), corrupted(), decisions);
    assert.equal(claims.length, 6);
    assert.deepEqual(failing(claims), []);
    assert.equal(claims[2].evidence, "logit difference at most -4.00");
    assert.equal(claims[3].evidence, "change at most -2.00");
    assert.equal(claims[5].evidence, "2 of 4 decisions");
  });

  it("fail one by one", () => {
    const right = decisions.slice(1, 3);
    assert.deepEqual(failing(behaviourClaims(summary(), corrupted(), right)), [
      "The mean of the wrong letters hides errors",
    ]);
    assert.deepEqual(failing(behaviourClaims(summary([5, 6, 7], 0.94), corrupted(), decisions)), [
      "Each letter is right in at least 95% of the prompts",
    ]);
    assert.deepEqual(failing(behaviourClaims(summary([3.9, 6, 7]), corrupted(), decisions)), [
      "Each letter's logit difference is at least 4",
    ]);
    const weak = corrupted({}, { current_word: [-4.9, -9, -9] });
    assert.deepEqual(failing(behaviourClaims(summary(), weak, decisions)), [
      "Without its word a letter loses, for every seed",
    ]);
    const helped = corrupted({}, { previous_letters: [0, -4, 0.1] });
    assert.deepEqual(failing(behaviourClaims(summary(), helped, decisions)), [
      "Earlier words and letters harm letters 2 and 3, for every seed",
    ]);
    const ordered = corrupted({}, { previous_words: [0, -9.5, -3] });
    assert.deepEqual(failing(behaviourClaims(summary(), ordered, decisions)), [
      "A letter's own word matters most to it, for every seed",
    ]);
  });
});

describe("behaviourAsInPaper", () => {
  it("holds for the paper's own numbers, and fails for others", () => {
    const paper = paperBehaviour().logit_diff;
    assert.deepEqual(failing(behaviourAsInPaper(summary(paper), corrupted())), []);
    const other = corrupted({}, { previous_letters: [0, -2, -4] });
    assert.equal(failing(behaviourAsInPaper(summary([9, 8, 7]), other)).length, 3);
    assert.equal(failing(behaviourAsInPaper(summary(paper.map((diff) => diff + 1.1)), corrupted())).length, 1);
  });
});
