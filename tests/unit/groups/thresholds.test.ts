import assert from "node:assert/strict";
import { test } from "node:test";
import { CRITERIA, classifyHeads, type HeadEvidence } from "../../../src/groups/classify";
import { criterionMargins, failedBy, jointlyMoved, nearMisses, sweepCriteria } from "../../../src/groups/thresholds";

const nothing = {
  total: 0,
  attention_to_previous_end: 0,
  attention_to_previous_tokens: 0,
  at_word: 0,
  at_last_letter: 0,
  ordinal: 0,
};
const writer = (layer: number, direct: number, copying: number): HeadEvidence => ({
  ...nothing,
  layer,
  head: 0,
  direct,
  copying,
  attention_to_word: 0.5,
});
const evidence = [writer(0, 1, 0.8), writer(1, 0.3, 0.6), writer(2, 0.05, 0.9), writer(3, 0.6, 0.3)];

test("a sweep has a row for each criterion, factor and group; at 1 the usual sizes", () => {
  const rows = sweepCriteria(evidence, { factors: [0.25, 1, 4] });
  assert.equal(rows.length, 8 * 3 * 3);
  assert.deepEqual([...new Set(rows.map(({ times }) => times))], ["1/4", "1", "4"]);
  const size = (criterion: string, factor: number) =>
    rows.find((row) => row.criterion === criterion && row.factor === factor && row.group === "letter mover")!.heads;
  assert.deepEqual(
    [0.25, 1, 4].map((factor) => size("mover_effect", factor)),
    [3, 2, 1],
  );
  assert.deepEqual(
    [0.25, 1, 4].map((factor) => size("copying", factor)),
    [3, 2, 0],
  );
  assert.deepEqual(
    [0.25, 1, 4].map((factor) => size("fuzzy_effect", factor)),
    [2, 2, 2],
  );
});

test("margins: the groups are the same up to both ends, and another just beyond", () => {
  const groups = (criterion: string, value: number) =>
    classifyHeads(evidence, { ...CRITERIA, [criterion]: value }).map(({ group }) => group);
  const usual = groups("floor", CRITERIA.floor);
  const margins = criterionMargins(evidence);
  assert.deepEqual(
    margins.map(({ criterion }) => criterion),
    Object.keys(CRITERIA),
  );
  for (const { criterion, from, to, below, above } of margins) {
    assert.deepEqual(groups(criterion, from), usual);
    assert.deepEqual(groups(criterion, to), usual);
    if (below.length > 0) assert.notDeepEqual(groups(criterion, from / 1.02), usual);
    if (above.length > 0) assert.notDeepEqual(groups(criterion, to * 1.02), usual);
  }
});

test("margins: which heads move, and where", () => {
  const margins = new Map(criterionMargins(evidence).map((row) => [row.criterion, row]));
  const effect = margins.get("mover_effect")!;
  assert.ok(effect.from >= 0.05 && effect.from < 0.05 * 1.02, `${effect.from}`);
  assert.ok(effect.to <= 0.3 && effect.to > 0.3 / 1.02, `${effect.to}`);
  assert.deepEqual([effect.below, effect.above], [[{ layer: 2, head: 0 }], [{ layer: 1, head: 0 }]]);
  const idle = margins.get("fuzzy_attention")!;
  assert.deepEqual([idle.below, idle.above], [[], []]);
  assert.ok(idle.from < CRITERIA.fuzzy_attention / 15 && idle.to > CRITERIA.fuzzy_attention * 15);
});

test("near misses have a group's effect and say what they lack", () => {
  assert.deepEqual(nearMisses(evidence), [{ layer: 3, head: 0, group: "letter mover", fails: ["copying"] }]);
});

test("what is not known has not failed", () => assert.deepEqual(failedBy({ a: true, b: null, c: false }), ["c"]));

test("all thresholds moved at once: a head far from each keeps its group, one near a threshold doesn't always", () => {
  const near = [writer(0, 1, 0.8), writer(1, 1, 0.41), writer(2, 1, 0.1)];
  const { same, kept } = jointlyMoved(near, { factor: 1.5, draws: 400, seed: 0 });
  assert.deepEqual(
    kept.map(({ layer, group }) => ({ layer, group })),
    [0, 1].map((layer) => ({ layer, group: "letter mover" })),
  );
  assert.equal(kept[0].share, 1);
  // 0.41 is above the threshold for factors up to 0.41 / 0.4: half of the logarithmic range and 6% of its other half
  assert.ok(Math.abs(kept[1].share - (1 + Math.log(0.41 / 0.4) / Math.log(1.5)) / 2) < 0.1, `${kept[1].share}`);
  assert.equal(same, kept[1].share);
  assert.equal(jointlyMoved(near, { factor: 1, draws: 3, seed: 0 }).same, 1);
  assert.throws(() => jointlyMoved(near, { factor: 2, draws: 0, seed: 0 }), /draws must be a whole number from 1 on/);
});
