import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CRITERIA,
  circuitHeads,
  classifyHeads,
  EFFECTS,
  GROUPS,
  type HeadEvidence,
} from "../../../src/groups/classify";
import {
  CRITERION_MEANINGS,
  criteriaTable,
  EVEN_PREVIOUS_TOKENS,
  evidenceCells,
  groupOf,
  groupsOf,
  inPercents,
  LOOKS,
  marginTable,
  membersOf,
  memberTable,
  nearMissTable,
  percent,
  previousTokenTable,
} from "../../../src/groups/group-tables";
import { hasHead, headList } from "../../../src/model/heads";
import { paperHeads } from "../../../src/paper/paper";
import { paperPatterns } from "../../../src/paper/paper-attention";
import { POSITIONS, position } from "../../../src/prompts/positions";
import { evenAttention } from "../../fixtures/attention";
import { nearly } from "../../fixtures/close";

const evidence: HeadEvidence = {
  layer: 3,
  head: 1,
  direct: 0.314,
  total: null,
  attention_to_word: 0.5,
  attention_to_previous_end: 0,
  attention_to_previous_tokens: 0.25,
  copying: 1,
  at_word: -0.02,
  at_last_letter: 0,
  ordinal: 0.1,
};

test("every group's heads, and every head's group", () => {
  const paper = paperHeads();
  assert.deepEqual(membersOf(paper, "propagation"), [{ layer: 5, head: 8 }]);
  for (const group of GROUPS) for (const head of membersOf(paper, group)) assert.equal(groupOf(paper, head), group);
  assert.equal(groupOf(paper, { layer: 0, head: 0 }), "none");
  assert.ok(hasHead(paper.circuit, { layer: 8, head: 11 }) && !hasHead(paper.circuit, { layer: 11, head: 8 }));
});

test("heads as text", () => {
  assert.equal(
    headList([
      { layer: 10, head: 10 },
      { layer: 1, head: 0 },
    ]),
    "10.10, 1.0",
  );
  assert.equal(headList([]), "none");
});

test("every criterion has a meaning", () => assert.deepEqual(Object.keys(CRITERION_MEANINGS), Object.keys(CRITERIA)));

test("cells: effects become changes, shares stay, what is not known stays unknown", () => {
  const cells = evidenceCells(
    [evidence],
    ["direct", "total", "at_last_letter", "attention_to_previous_end", "copying"],
  );
  assert.deepEqual(
    cells.map(({ evidence: name, value }) => [name, value === null ? null : value + 0]),
    [
      ["direct", -0.314],
      ["total", null],
      ["at last letter", 0],
      ["to previous end", 0],
      ["copying", 1],
    ],
  );
  assert.deepEqual([cells[0].layer, cells[0].head], [3, 1]);
});

test("effects and looks are all the evidence there is", () => {
  const columns = Object.keys(evidence).filter((key) => key !== "layer" && key !== "head");
  assert.deepEqual([...EFFECTS, ...LOOKS].sort(), columns.sort());
});

test("percents", () => {
  assert.deepEqual([percent(0.314), percent(null), percent(-0.02), percent(1.314)], ["31%", "–", "-2%", "131%"]);
  assert.equal(inPercents(evidence).total, "–");
  assert.equal(inPercents(evidence).ordinal, "10%");
});

test("the paper's patterns: lines that add up to 1 and see nothing later", () => {
  const rows = paperPatterns();
  assert.ok(rows.every(({ query, key }) => position(key) <= position(query)));
  for (const head of ["1.0", "2.2", "4.11"])
    for (const query of POSITIONS) {
      const line = rows.filter((row) => row.head === head && row.query === query);
      const sum = line.reduce((total, { attention }) => total + attention, 0);
      assert.ok(Math.abs(sum - 1) < 0.03, `${head}, ${query}: ${sum}`);
    }
});

test("even attention gives the three tokens before what EVEN_PREVIOUS_TOKENS says", () => {
  const sums = (["C1", "C2", "C3"] as const).map((query) =>
    evenAttention(query)
      .filter(
        ({ key }) => key !== "BOS" && position(query) - position(key) >= 1 && position(query) - position(key) <= 3,
      )
      .reduce((total, { attention }) => total + attention, 0),
  );
  nearly(EVEN_PREVIOUS_TOKENS, (sums[0] + sums[1] + sums[2]) / 3);
});

const member = { ...evidence, direct: 0.4, attention_to_word: 0.5, copying: 0.8 };
const missed = { ...evidence, head: 2, direct: 0.3, copying: 0.1, ordinal: 0 };
const heads = circuitHeads(classifyHeads([member, missed]));

test("groups side by side: a row a group, a column a circuit", () => {
  assert.deepEqual(groupsOf({ "seed 0": heads, paper: paperHeads() }), [
    { group: "letter mover", "seed 0": "3.1", paper: "8.11, 9.9, 10.10, 11.4" },
    { group: "propagation", "seed 0": "none", paper: "5.8" },
    { group: "fuzzy previous token", "seed 0": "none", paper: "1.0, 2.2, 4.11" },
  ]);
});

test("criteria with threshold and meaning", () => {
  const rows = criteriaTable({ ...CRITERIA, copying: 0.7 });
  assert.equal(rows.length, Object.keys(CRITERIA).length);
  const copying = rows.find(({ criterion }) => criterion === "copying")!;
  assert.deepEqual(copying, { criterion: "copying", threshold: 0.7, "what it asks": CRITERION_MEANINGS.copying });
});

test("margins: the head that moves first, by name", () => {
  const copying = marginTable([member, missed]).find(({ criterion }) => criterion === "copying")!;
  assert.deepEqual([copying["moves below"], copying["moves above"]], ["3.2", "3.1"]);
  assert.ok(copying["same groups from"] < 0.4 && copying.to > 0.4);
});

test("members and near misses with their evidence; a head without evidence is named", () => {
  assert.deepEqual(memberTable(heads, [member, missed]), [
    { head: "3.1", group: "letter mover", ...inPercents(member) },
  ]);
  assert.deepEqual(nearMissTable([member, missed]), [
    { head: "3.2", "effect of a": "letter mover", "but fails": "copying", ...inPercents(missed) },
  ]);
  assert.throws(() => memberTable(heads, [missed]), /no evidence of head 3\.1; there is of 3\.2/);
});

test("attention to the tokens before, beside even attention", () => {
  assert.deepEqual(previousTokenTable("tiny", [missed, member], [{ layer: 3, head: 1 }]), [
    {
      model: "tiny",
      head: "3.1",
      "has an effect by": "order",
      "to the three tokens before": "25%",
      "if it looked at all tokens alike": percent(EVEN_PREVIOUS_TOKENS),
    },
  ]);
});
