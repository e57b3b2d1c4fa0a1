// The kernel's stop button during a sweep, in a real kernel.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { jupyterEnv, projectPaths, ROOT } from "../scripts/setup/paths.mjs";

interface Cell {
  readonly status: "ok" | "error" | "aborted";
  readonly printed: string;
  readonly seconds: number | null;
}

test("an interrupted sweep ends its cell; the kernel goes on, with no tensor left behind", () => {
  const script = resolve(__dirname, "fixtures", "interrupt.py");
  const env = jupyterEnv(ROOT, process.env);
  const out = execFileSync(projectPaths().venvPython, [script, join(ROOT, "notebooks")], {
    env,
    timeout: 400_000,
    stdio: "pipe",
  });
  const [imports, load, first, second, after] = JSON.parse(out.toString()) as Cell[];
  assert.deepEqual([imports.status, load.status], ["ok", "ok"], load.printed);
  for (const sweep of [first, second]) {
    assert.equal(sweep.status, "error");
    assert.match(sweep.printed, /under way/);
    assert.match(sweep.printed, /^interrupted after \d+ of \d+ points; the kernel is ready for the next cell\.\n$/m);
    assert.doesNotMatch(sweep.printed, /^ +at /m, "no stack");
    assert.equal(typeof sweep.seconds, "number");
  }
  assert.deepEqual([after.status, after.printed], ["ok", "2 0\n"]);
});
