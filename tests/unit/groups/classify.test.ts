import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CRITERIA,
  classifyHeads,
  fuzzyEffects,
  type HeadEvidence,
  headsOf,
  headVerdicts,
} from "../../../src/groups/classify";

const nothing: Omit<HeadEvidence, "layer" | "head"> = {
  direct: 0,
  total: 0,
  attention_to_word: 0,
  attention_to_previous_end: 0,
  attention_to_previous_tokens: 0,
  copying: 0,
  at_word: 0,
  at_last_letter: 0,
  ordinal: 0,
};
const head = (layer: number, evidence: Partial<HeadEvidence>): HeadEvidence => ({
  ...nothing,
  layer,
  head: 0,
  ...evidence,
});
const mover = { direct: 0.4, attention_to_word: 0.6, copying: 0.9, at_last_letter: 0.3 };
const propagation = { at_last_letter: 0.5, direct: 0.05 };
const fuzzy = { ordinal: 0.3, attention_to_previous_tokens: 0.7 };
const model = [head(0, fuzzy), head(1, propagation), head(2, mover), head(3, {})];
const groups = (evidence: readonly HeadEvidence[], criteria = CRITERIA) =>
  classifyHeads(evidence, criteria).map(({ group }) => group);
const groupOf = (evidence: Partial<HeadEvidence>) => groups([...model, head(4, evidence)])[4];

test("one head of each kind, and one of none", () =>
  assert.deepEqual(groups(model), ["fuzzy previous token", "propagation", "letter mover", "none"]));

for (const [name, evidence] of Object.entries({
  "without effect": { ...mover, direct: 0.01, at_last_letter: 0 },
  "without attention": { ...mover, attention_to_word: 0.05, at_last_letter: 0 },
  "without copying": { ...mover, copying: 0.2, at_last_letter: 0 },
}))
  test(`no letter mover ${name}`, () => assert.equal(groupOf(evidence), "none"));

test("a letter mover may look at the end of the word before instead", () =>
  assert.equal(groupOf({ ...mover, attention_to_word: 0, attention_to_previous_end: 0.5 }), "letter mover"));

test("who writes to the logits is no propagation head, whatever it does at the last letter", () => {
  assert.equal(groupOf({ at_last_letter: 0.5, direct: 0.3 }), "none");
  assert.equal(groupOf({ at_last_letter: 0.5, direct: 0.2 }), "propagation");
});

test("a fuzzy previous token head acts at C_i, or tells which word is which", () => {
  assert.equal(groupOf({ at_word: 0.1, attention_to_previous_tokens: 0.5 }), "fuzzy previous token");
  assert.equal(groupOf({ ordinal: 0.1, attention_to_previous_tokens: 0.5 }), "fuzzy previous token");
  assert.equal(groupOf({ ordinal: 0.1, attention_to_previous_tokens: 0.1 }), "none");
});

test("the first group that fits", () => assert.equal(groupOf({ ...fuzzy, ...propagation, ...mover }), "letter mover"));

test("what is not known fails nothing and is named; but every group's effect must be known", () => {
  const [found] = classifyHeads([head(0, { ...mover, copying: null })]);
  assert.deepEqual([found.group, found.unknown], ["letter mover", ["copying"]]);
  const [passed] = classifyHeads([head(0, { at_last_letter: 0.5, direct: null, total: 0 })]);
  assert.deepEqual([passed.group, passed.unknown], ["propagation", ["indirect"]]);
  assert.equal(groups([head(0, { ...mover, direct: null, total: null, at_last_letter: 0 })])[0], "none");
  assert.equal(groups([head(0, { attention_to_previous_tokens: 0.9, at_word: null, ordinal: null })])[0], "none");
});

test("the total effect stands in for a direct one that is not known", () =>
  assert.deepEqual(groups([head(0, { ...mover, direct: null, total: 0.4, at_last_letter: 0 })]), ["letter mover"]));

test("thresholds are relative: the same heads when all effects are a third", () => {
  const third = (value: number | null) => value! / 3;
  const weak = model.map((row) => ({
    ...row,
    direct: third(row.direct),
    total: third(row.total),
    at_word: third(row.at_word),
    at_last_letter: third(row.at_last_letter),
    ordinal: third(row.ordinal),
  }));
  assert.deepEqual(groups(weak), groups(model));
});

test("below the floor an effect is none, however large among its like", () => {
  const faint = [head(0, { ordinal: 0.009, attention_to_previous_tokens: 0.9 })];
  assert.deepEqual(groups(faint), ["none"]);
  assert.deepEqual(groups(faint, { ...CRITERIA, floor: 0.008 }), ["fuzzy previous token"]);
});

test("help is no effect: a head that every letter does better without is in no group", () =>
  assert.deepEqual(groups([head(0, { ...mover, direct: -0.4, at_last_letter: -0.1 })]), ["none"]));

test("verdicts say which criterion fails, which holds and which is not known", () => {
  const [, , verdicts] = headVerdicts([
    model[2],
    model[0],
    head(5, { ...mover, copying: 0.1, attention_to_word: null }),
  ]);
  assert.deepEqual(verdicts["letter mover"], { effect: true, attention: null, copying: false });
  assert.deepEqual(verdicts["fuzzy previous token"], { effect: false, attention: false });
});

test("headsOf: by group, most effect first", () => {
  const many = [...model, head(5, { ...mover, direct: 0.8 }), head(6, { ...fuzzy, ordinal: 0.1 })];
  const classified = classifyHeads(many);
  const layers = (group: Parameters<typeof headsOf>[1]) => headsOf(classified, group).map(({ layer }) => layer);
  assert.deepEqual(layers("letter mover"), [5, 2]);
  assert.deepEqual(layers("fuzzy previous token"), [0, 6]);
  assert.deepEqual(layers("circuit"), [5, 2, 1, 0, 6]);
  assert.deepEqual(Object.keys(headsOf(classified, "propagation")[0]), ["layer", "head"]);
});

test("a fuzzy head's effect: by other words before, by order, by both, or none", () => {
  const nothing = { head: 0, direct: 0, total: 0, attention_to_word: 0, attention_to_previous_end: 0, copying: 0 };
  const one = (layer: number, at_word: number | null, ordinal: number | null) => {
    return { ...nothing, layer, attention_to_previous_tokens: 1, at_last_letter: 0, at_word, ordinal };
  };
  const rows = [one(0, 0.5, 0), one(1, 0, 0.5), one(2, 0.5, 0.5), one(3, 0, 0), one(4, 0.5, null), one(5, null, null)];
  assert.deepEqual(fuzzyEffects(rows), ["words before", "order", "both", null, "words before", null]);
});
