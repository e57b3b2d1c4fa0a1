// "Run all" a second time, in the same kernel: variables, models and tensors of the first time are still there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { jupyterEnv, projectPaths, ROOT } from "../scripts/setup/paths.mjs";

type Cell = readonly [status: string, ...outputs: unknown[]];

for (const name of ["00-start-here", "06-letter-movers"])
  test(`${name}, run twice in one kernel, gives the same data`, () => {
    const script = resolve(__dirname, "fixtures", "twice.py");
    const out = execFileSync(projectPaths().venvPython, [script, join(ROOT, "notebooks", `${name}.ipynb`)], {
      env: jupyterEnv(ROOT, { ...process.env, ACRONYM_N: "8" }),
      timeout: 600_000,
      stdio: "pipe",
      maxBuffer: 2 ** 28,
    });
    const [first, second] = JSON.parse(out.toString()) as Cell[][];
    for (const [i, cell] of first.entries()) {
      assert.equal(cell[0], "ok", `cell ${i + 1}: ${JSON.stringify(cell).slice(0, 500)}`);
      assert.deepEqual(second[i], cell, `cell ${i + 1}`);
    }
    assert.match(JSON.stringify(first.at(-1)), /acronym-circuit\.claims/);
  });
