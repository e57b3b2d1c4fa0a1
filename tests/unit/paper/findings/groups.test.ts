import assert from "node:assert/strict";
import { test } from "node:test";
import { PAPER_MODEL, THIS_MODEL } from "../../../../src/figures/style";
import { circuitHeads, classifyHeads, type HeadEvidence } from "../../../../src/groups/classify";
import {
  calibrationFindings,
  groupAnswers,
  groupFindings,
  paperGroupFindings,
} from "../../../../src/paper/findings/groups";
import { paperHeads } from "../../../../src/paper/paper";
import { paperEvidence } from "../../../../src/paper/paper-evidence";
import type { Claim } from "../../../../src/show/claims";

const nothing: HeadEvidence = {
  layer: 0,
  head: 0,
  direct: 0,
  total: 0,
  attention_to_word: 0.1,
  attention_to_previous_end: 0,
  attention_to_previous_tokens: 0.4,
  copying: 0,
  at_word: 0,
  at_last_letter: 0,
  ordinal: 0,
};
const mover = (head: number): HeadEvidence => ({
  ...nothing,
  layer: 2,
  head,
  direct: 0.5,
  attention_to_word: 0.8,
  copying: 1,
});
const propagation: HeadEvidence = { ...nothing, layer: 1, head: 2, at_last_letter: 0.9 };
const fuzzy: HeadEvidence = { ...nothing, layer: 0, head: 1, ordinal: 0.6 };
const evidence = [nothing, fuzzy, propagation, mover(0), mover(1)];
const known = { heads: circuitHeads(classifyHeads(evidence)), evidence, looks: [] };

const failed = (claims: readonly Claim[]) => claims.flatMap(({ passed }, i) => (passed ? [] : [i]));

/** With another head in place of the one that has its name. */
const instead = (other: Partial<HeadEvidence>, of: HeadEvidence) =>
  evidence.map((one) => (one === of ? { ...one, ...other } : one));

test("evidence that fits: every finding holds, with its numbers", () => {
  const findings = groupFindings([evidence, evidence, evidence]);
  assert.deepEqual(failed(findings), []);
  assert.deepEqual(
    findings.map((one) => one.evidence),
    [
      "strongest heads: 2.0 / 1.2 / 0.1; 2.0 / 1.2 / 0.1; 2.0 / 1.2 / 0.1",
      "4 of 4: 2.0, 2.1, 1.2, 0.1",
      "0.80 against 0.10",
      "2.0 / 1.2 / 0.1; 2.0 / 1.2 / 0.1; 2.0 / 1.2 / 0.1",
      "order / words: 60% / 0%; 60% / 0%; 60% / 0%",
    ],
  );
});

test("each finding fails by itself where the evidence is other", () => {
  assert.deepEqual(failed(groupFindings([instead({ at_last_letter: 0 }, propagation)])), [0]);
  const [one, two] = [mover(0), mover(1)];
  const turns = [
    [fuzzy, propagation, one, two, mover(2), mover(3)],
    [fuzzy, propagation, one],
  ];
  assert.deepEqual(failed(groupFindings(turns)), [1]);
  assert.deepEqual(failed(groupFindings([instead({ attention_to_word: 1 }, propagation)])), []);
  const others = evidence.map((row) => (row.layer === 2 ? row : { ...row, attention_to_word: 0.9 }));
  assert.deepEqual(failed(groupFindings([others])), [2]);
  assert.deepEqual(failed(groupFindings([instead({ at_word: 0.2 }, fuzzy)])), [4]);
  assert.deepEqual(failed(groupFindings([instead({ ordinal: 0.04 }, fuzzy)])), [4]);
  assert.deepEqual(failed(groupFindings([instead({ at_word: 0.02 }, fuzzy)])), [4]);
});

test("a strongest head that another seed does not find", () => {
  const most = { ...mover(2), direct: 0.9 };
  const many = [fuzzy, propagation, ...[0, 1, 3, 4, 5].map(mover), nothing];
  assert.deepEqual(failed(groupFindings([[...many, most], many])), [3]);
});

test("without heads in any group nothing is claimed to hold but what says so of none", () => {
  const findings = groupFindings([[nothing]]);
  assert.deepEqual(failed(findings), [0, 1, 2, 4]);
  assert.equal(findings[0].evidence, "strongest heads: none / none / none");
});

test("the criteria give back the paper's heads from its figures, and not from changed ones", () => {
  const digitised = paperEvidence();
  const findings = calibrationFindings(digitised);
  assert.deepEqual(failed(findings), []);
  assert.equal(findings[0].evidence, "144 of 144 heads are where the paper puts them");
  const changed = digitised.map((one) => (one.layer === 8 && one.head === 11 ? { ...one, copying: 0.2 } : one));
  assert.deepEqual(failed(calibrationFindings(changed)), [0, 1]);
});

test("agreement with the paper's list, group by group", () => {
  const paper = paperHeads();
  assert.deepEqual(failed(paperGroupFindings(paper)), []);
  const most = { ...paper, letter_movers: paper.letter_movers.slice(0, 2), propagation: [{ layer: 5, head: 7 }] };
  assert.deepEqual(failed(paperGroupFindings(most)), [1]);
  assert.match(paperGroupFindings(most)[0].evidence, /^2 of 4; here 8\.11, 9\.9$/);
  assert.deepEqual(failed(paperGroupFindings({ ...most, letter_movers: paper.letter_movers.slice(0, 1) })), [0, 1]);
});

test("the paper's answers, and this model's to the same questions", () => {
  const looks = [
    { head: "2.0", letter: 1, key: "C1", attention: 0.6, std: 0 },
    { head: "2.0", letter: 1, key: "C2", attention: 0.3, std: 0 },
    { head: "2.0", letter: 2, key: "C2", attention: 0.6, std: 0 },
    { head: "1.2", letter: 2, key: "C1", attention: 0.9, std: 0 },
  ] as const;
  const rows = groupAnswers({ ...known, looks });
  assert.deepEqual(
    rows.map((row) => row[THIS_MODEL]),
    ["2", "1", "1", "C1, C2, –", "C1, –", "0%", "60%", "0 of 1", "1 of 1"],
  );
  assert.deepEqual(
    rows.map((row) => row[PAPER_MODEL]),
    ["4", "1", "3", "C1, C2, C3", "T1, T2", "7%", "–", "3 of 3", "–"],
  );
});

test("a model without such heads says so", () => {
  const empty = { letter_movers: [], propagation: [], fuzzy_previous_token: [], circuit: [] };
  const own = groupAnswers({ heads: empty, evidence: [nothing], looks: [] }).map((row) => row[THIS_MODEL]);
  assert.deepEqual(own, ["0", "0", "0", ...Array(6).fill("no such head")]);
});
