import assert from "node:assert/strict";
import { before, test } from "node:test";
import { SIZES } from "../../../../scripts/training/measure";
import { behaviour, summarise } from "../../../../src/experiments/behaviour";
import { forcedLetters } from "../../../../src/experiments/forced-letters";
import { type WritingSummary, writeLetters, writingSummary } from "../../../../src/experiments/writing";
import { loadModel } from "../../../../src/load/load";
import { untrained } from "../../../../src/load/untrained";
import { initBackend } from "../../../../src/model/backend/choose";
import { disposeModel, type Model } from "../../../../src/model/model";
import { where } from "../../../../src/numbers/rows";
import {
  checkpointWays,
  endPlanes,
  endTable,
  type ForcedCheckpoint,
  forcedClaims,
  groupsShown,
  learningCurves,
  learntSteps,
  spreadClaim,
  trainingClaims,
} from "../../../../src/paper/findings/writing";
import type { EndRow, TrainingRow, TrainingTable } from "../../../../src/paper/training-table";
import { HELD_OUT, loadAcronyms } from "../../../../src/prompts/dataset";

before(async () => {
  await initBackend();
});

async function evidence(model: Model, tokenizer: Awaited<ReturnType<typeof loadModel>>["tokenizer"]) {
  const data = loadAcronyms(HELD_OUT, tokenizer, { n: 60, seed: 1 });
  const accuracy = summarise(await behaviour(model, data, tokenizer)).map((row) => row.accuracy);
  const written = writingSummary(await writeLetters(model, data, { temperatures: [2], seed: 0 }));
  return { written, own: { checkpoint: "own", accuracy, rows: await forcedLetters(model, data, { seed: 0 }) } };
}

const holds = (written: readonly WritingSummary[], checkpoints: readonly ForcedCheckpoint[]) =>
  forcedClaims(written, checkpoints, 2).map((claim) => claim.passed);

test("the claims on forced letters hold for the embedded model, and every one fails on an untrained one", async () => {
  const { model, tokenizer } = await loadModel("embedded");
  const { written, own } = await evidence(model, tokenizer);
  const other = { ...own, rows: own.rows.map((row) => (row.forced === "A2 = C3" ? { ...row, share: 0.1 } : row)) };
  assert.deepEqual(holds(written, [own, other]), [true, true, true, true]);
  assert.deepEqual(holds(written, [own, own]), [true, true, true, false]); // alike after the last word's letter, too
  const [line] = checkpointWays([own]);
  assert.deepEqual(
    [line["A1 = C2: says C3"], line["right letters: letter 3"]],
    [where(own.rows, { forced: "A1 = C2", letter: 2, says: "C3" })[0].share, own.accuracy[2]],
  );
  const fresh = untrained(model, 0);
  const none = await evidence(fresh, tokenizer);
  assert.deepEqual(holds(none.written, [none.own, none.own]), [false, false, false, false]);
  disposeModel(fresh);
  disposeModel(model);
});

const row = (step: number, measured: Partial<TrainingRow>): TrainingRow => ({
  ...{ mix: "one", seed: 1, step, weights: "", accuracy: [0, 0, 0], logit_diff: [1, 2, 3], looking_up: 0, counting: 0 },
  ...{ site: "resid_mid 0", plane: 0, turns: 0, head: "1.0", at_last_letter: 1 },
  ...measured,
});
const learning = (seed: number, head: string): TrainingRow[] =>
  [
    row(0, {}),
    row(50, { accuracy: [0.95, 0.9, 0.99], looking_up: 0.3, counting: 0.7, plane: 0.2 }),
    row(100, { accuracy: [1, 1, 1], looking_up: 0.95, counting: 0, plane: 0.8 }),
  ].map((one) => ({ ...one, seed, head }));
const end = (seed: number, groups: EndRow["groups"]): EndRow => ({
  ...{
    mix: "one",
    seed,
    step: 100,
    groups,
    planes: { a: 0.1, b: 0.8 },
    turns: { a: 0, b: 0.7 },
    letter_2_wrong: 0,
    letter_3_then_wrong: 0,
  },
  hidden: { "earlier C": [0.5, 0.25, 1] },
});
const table = (rows: readonly TrainingRow[], ends: readonly EndRow[] = []): TrainingTable => ({
  ...{ command: "", n: SIZES, mixes: { one: {} }, ends },
  rows: [row(1200, { mix: "embedded" }), ...rows],
});
const good = [...learning(1, "1.0"), ...learning(2, "1.1")];

test("when a run learnt what, and its curves; committed checkpoints are no runs", () => {
  assert.deepEqual(learntSteps(table(learning(3, "1.0"))), [
    { run: "one-3", last_step: 100, letters: 50, looking_up: 100, plane: 100, looked_up_then: 0.3, counting_most: 0.7 },
  ]);
  const [never] = learntSteps(table([row(0, {})]));
  assert.deepEqual([never.letters, never.looking_up, never.plane, never.looked_up_then], [null, null, null, null]);
  assert.throws(() => learntSteps(table([])), /no runs/);
  const curves = learningCurves(table(good));
  assert.equal(curves.length, 2 * 3 * 4);
  assert.deepEqual(learningCurves(table([...good, row(150, { seed: 1 })])), curves); // seed 2 ends at 100
  assert.deepEqual(
    where(curves, { step: 50, seed: 1 }).map(({ measure, share }) => [measure, share]),
    [
      ["right letters", 0.9],
      ["looking up", 0.3],
      ["counting", 0.7],
      ["plane", 0.2],
    ],
  );
});

test("the claims on training hold for runs that fit; each fails for one that doesn't", () => {
  const plain = learning(1, "1.0").map((one) => ({ ...one, mix: "two", looking_up: 0.6 * one.looking_up }));
  const both = (rows: readonly TrainingRow[]): TrainingTable => ({
    ...table(rows),
    mixes: { two: { suffix: 0.2 }, one: { suffix: 0.6 } },
  });
  const passed = (rows: readonly TrainingRow[]) => trainingClaims(both(rows)).map((claim) => claim.passed);
  const fitting = [...good, ...plain];
  assert.deepEqual(passed(fitting), [true, true, true, true, true]);
  const changed = (mix: string, step: number, change: Partial<TrainingRow>) =>
    fitting.map((one) => (one.mix === mix && one.step === step ? { ...one, ...change } : one));
  assert.equal(passed(changed("one", 50, { looking_up: 0.6 }))[0], false);
  assert.equal(passed(changed("one", 50, { counting: 0.3 }))[1], false);
  // one run of three may differ
  assert.deepEqual(passed(changed("two", 50, { looking_up: 0.6, counting: 0.3 })).slice(0, 2), [true, true]);
  assert.equal(passed(changed("one", 100, { counting: 0.6 }))[2], false);
  assert.equal(passed(changed("two", 100, { looking_up: 0.9 }))[3], false);
  assert.equal(passed(changed("two", 100, { accuracy: [0.8, 0.8, 0.8] }))[3], false);
  assert.equal(passed(changed("one", 100, { looking_up: 0.7 }))[4], false);
  assert.equal(passed(changed("one", 100, { head: "1.0" }))[4], false);
  const never = ["one", "two"].flatMap((mix) => [row(0, { mix }), row(50, { mix })]);
  assert.deepEqual(passed(never), [false, false, false, false, false]);
  assert.throws(() => trainingClaims(table(good)), /runs of 1 mixes; two are compared/);
  // a run that went further is compared where the others are
  const further = [...fitting, row(150, { seed: 1, looking_up: 0.1, accuracy: [1, 1, 1], counting: 0.9 })];
  assert.deepEqual(passed(further), [true, true, true, true, true]);
});

test("ends: groups, the best plane, which runs show all three", () => {
  const three = { "1.0": "propagation", "2.0": "letter mover", "0.1": "fuzzy previous token", "2.1": "letter mover" };
  const whole = table(good, [end(1, three), end(2, { "1.1": "propagation" })]);
  const [first, second] = endTable(whole);
  assert.deepEqual(first, {
    ...{ run: "one-1", step: 100, "letter mover": "2.0 2.1", propagation: "1.0", "fuzzy previous token": "0.1" },
    ...{ "logit differences": "1.0 / 2.0 / 3.0", "looking up": 0.95, plane: "0.80 at resid_mid 0" },
    ...{ "head at A(i−1)": "1.0: 1.0", "earlier C hidden": "0.50 / 0.25 / 1.00" },
  });
  assert.equal(second["letter mover" as never], "none");
  assert.deepEqual(endPlanes(whole)[1], { run: "one-1", site: "b", iia: 0.8, turns: 0.7 });
  assert.deepEqual(groupsShown(whole), { runs: 2, all_three: 1, which: ["one-1"] });
});

test("the claim on where places are written compares heads together with single points, and with an untrained model", () => {
  const holds = (planes: EndRow["planes"], untrained: number) => {
    const fresh = { ...end(1, {}), mix: "untrained", planes: { a: untrained, "heads of layer 0": 0 } };
    return spreadClaim(table(good, [fresh, { ...end(1, {}), planes }])).passed;
  };
  assert.ok(holds({ a: 0.6, "heads of layer 0": 0.5, "heads of layers 0–1": 0.7 }, 0));
  assert.ok(!holds({ a: 0.8, "heads of layer 0": 0.7 }, 0));
  assert.ok(!holds({ a: 0.1, "heads of layer 0": 0.4 }, 0));
  assert.ok(!holds({ a: 0.6, "heads of layer 0": 0.7 }, 0.1));
  assert.throws(() => spreadClaim(table([])), /no runs/);
});
