// The committed table of training, against what the library computes now. On one backend: it takes half a minute.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { measuredOn, measureEnd, measureModel, planesOf } from "../scripts/training/measure";
import { loadModel } from "../src/load/load";
import { initBackend } from "../src/model/backend/choose";
import { disposeModel } from "../src/model/model";
import { where } from "../src/numbers/rows";
import { spreadClaim, trainingClaims } from "../src/paper/findings/writing";
import { trainingTable } from "../src/paper/training-table";
import { HELD_OUT, loadAcronyms } from "../src/prompts/dataset";

before(async () => {
  await initBackend();
});

test("its claims hold, and of the embedded model it says what the library computes", async () => {
  const committed = trainingTable();
  for (const { claim, passed, evidence } of [...trainingClaims(committed), spreadClaim(committed)])
    assert.ok(passed, `${claim}: ${evidence}`);
  const is = { mix: "embedded", seed: 0, step: 1200 };
  const [expected] = where(committed.rows, is);
  const { model, tokenizer } = await loadModel("embedded");
  const prompts = measuredOn(tokenizer, committed.n);
  const planes = await planesOf(model, prompts);
  const measured = await measureModel(model, prompts, planes);
  assert.deepEqual([measured.site, measured.head], [expected.site, expected.head]);
  // letters nearly as likely as each other may change places on another processor: two prompts
  const prompt = 2 / committed.n.tested + 1e-9;
  for (const column of ["looking_up", "counting", "plane", "turns"] as const)
    assert.ok(Math.abs(measured[column] - expected[column]) <= prompt, `${column}: ${measured[column]}`);
  measured.accuracy.forEach((share, i) => {
    assert.ok(Math.abs(share - expected.accuracy[i]) <= 2 / committed.n.behaviour + 1e-9, `accuracy ${share}`);
    assert.ok(Math.abs(measured.logit_diff[i] - expected.logit_diff[i]) < 1e-3, `${measured.logit_diff[i]}`);
  });
  const [own] = where(committed.ends, is);
  const now = await measureEnd(model, { ...prompts, all: loadAcronyms(HELD_OUT, tokenizer, { seed: 0 }) }, planes);
  assert.deepEqual(Object.keys(now.planes), Object.keys(own.planes));
  for (const [site, plane] of Object.entries(own.planes))
    assert.ok(Math.abs(now.planes[site] - plane) <= prompt, `${site}: ${now.planes[site]}`);
  assert.deepEqual(Object.values(now.groups).sort(), Object.values(own.groups).sort());
  disposeModel(model);
});
