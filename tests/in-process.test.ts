// Notebooks in one process, as tests/notebooks.test.ts runs most of them: what makes a kernel's run fail makes this one fail, too.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Result } from "../scripts/notebooks/notebooks.mjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { runInProcess } from "./fixtures/in-process";

const folder = resolve(__dirname, "fixtures", "notebooks");
const TMP = join(ROOT, ".setup", "tmp");
mkdirSync(TMP, { recursive: true });
const out = mkdtempSync(join(TMP, "in-process-"));
after(() => rmSync(out, { recursive: true, force: true }));

const PROBLEMS: Readonly<Record<string, RegExp>> = {
  "claims-nothing": /checks no claim/,
  "fails-a-claim": /^Claim failed: /,
  "fails-in-a-cell": /seed must be an integer, not 0\.5/,
  "forgets-to-wait-for-a-figure": /a figure's name must be in kebab-case/,
  "forgets-to-wait": /no\/such\/folder/,
  "has-a-type-error": /is not assignable to/,
  "loses-a-promise": /rejected at once/,
  "loses-an-error-at-the-end": /after the last cell/,
  "loses-an-error-between-cells": /rejected later/,
  "loses-an-error": /nobody waited/,
  "raises-an-exception": /Error: expected/,
};
const results = new Map<string, Result>();
before(() =>
  runInProcess({
    folder,
    out,
    selection: ["good", ...Object.keys(PROBLEMS)],
    onResult: (result) => results.set(result.name, result),
  }),
);
const resultOf = (name: string) => results.get(name) ?? assert.fail("it did not run");

test("a good one is executed, and has figures, claims and a page", () => {
  const { problems, figures, claims, executed, html } = resultOf("good");
  assert.deepEqual(problems, []);
  assert.ok(figures > 0 && claims.length > 0);
  assert.ok(JSON.parse(readFileSync(executed, "utf8")).cells.some((cell: { outputs?: [] }) => cell.outputs?.length));
  assert.match(readFileSync(html, "utf8"), /<html/);
});

for (const [name, problem] of Object.entries(PROBLEMS))
  test(`${name}: ${problem}`, () => assert.match(resultOf(name).problems.join("\n"), problem));
