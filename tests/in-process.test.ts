// Notebooks in one process, as tests/notebooks.test.ts runs most of them: what makes a kernel's run fail makes this one fail, too.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Result } from "../scripts/notebooks/notebooks.mjs";
import { table } from "../scripts/notebooks/report.mjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { runInProcess } from "./fixtures/in-process";

const folder = resolve(__dirname, "fixtures", "notebooks");
const TMP = join(ROOT, ".setup", "tmp");
mkdirSync(TMP, { recursive: true });
const out = mkdtempSync(join(TMP, "in-process-"));
after(() => rmSync(out, { recursive: true, force: true }));

const PROBLEMS: Readonly<Record<string, RegExp>> = {
  "claims-nothing": /checks no claim/,
  "fails-a-claim": /^Claim failed: two is three\n {2}2 ≠ 3$/,
  "fails-in-a-cell": /^Cell 2 failed:.*seed must be an integer, not 0\.5/s,
  "forgets-to-wait": /^Cell 1 failed:.*no\/such\/folder/s,
  "forgets-to-wait-for-a-figure": /^Cell 1 failed:.*RangeError: a figure's name must be in kebab-case/s,
  "has-a-type-error": /^Cell 1 failed:.*'string' is not assignable/s,
  "loses-a-promise": /^Cell 1 failed:.*Error: rejected at once.*write `await`/s,
  "loses-an-error": /^Cell 1 failed:.*Error: nobody waited/s,
  "loses-an-error-at-the-end": /^Cell 2 failed:.*Error: after the last cell/s,
  "loses-an-error-between-cells": /^Cell 1 failed:.*Error: rejected later/s,
};
const results = new Map<string, Result>();
before(() =>
  runInProcess({
    folder,
    out,
    selection: ["good", "waits-for-its-value", ...Object.keys(PROBLEMS)],
    onResult: (result) => results.set(result.name, result),
  }),
);
const resultOf = (name: string) => results.get(name) ?? assert.fail("it did not run");

const outputsOf = (name: string): object[][] =>
  JSON.parse(readFileSync(resultOf(name).executed, "utf8")).cells.map(({ outputs = [] }) => outputs);

test("a good one has its outputs, figure, claims and page", () => {
  const { problems, figures, claims, html } = resultOf("good");
  assert.deepEqual([problems, figures, claims.length], [[], 1, 2]);
  assert.deepEqual(outputsOf("good")[1], [{ name: "stdout", output_type: "stream", text: ["first\n", "second\n"] }]);
  assert.match(readFileSync(html, "utf8"), /class="figure-source"/);
});

test("a promise as a cell's last value is waited for, and shown", () => {
  assert.deepEqual(resultOf("waits-for-its-value").problems, []);
  const waited = [{ name: "stdout", output_type: "stream", text: ["waited for\n"] }];
  assert.deepEqual(outputsOf("waits-for-its-value")[1], waited);
});

test("a failed claim is counted", () =>
  assert.match(table([...results.values()]), /^fails-a-claim +[\d.]+ +0 +2 +1 +FAILED$/m));

for (const [name, problem] of Object.entries(PROBLEMS))
  test(`${name}: it fails with its reason, and the cell that started it`, () => {
    assert.match(resultOf(name).problems.join("\n"), problem);
    const isWhole = !problem.source.startsWith("^Cell");
    assert.equal(existsSync(join(out, "notebooks", `${name}.ipynb`)), isWhole);
  });
