// nbval, with which people check notebooks in their own test suites, finds of the kernel's answers what it needs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { jupyterEnv, projectPaths } from "../scripts/setup/paths.mjs";

const home = mkdtempSync(join(tmpdir(), "nbval-"));
after(() => rmSync(home, { recursive: true, force: true }));

/** A notebook of one cell that prints this, saved with that output. */
function notebook(name: string, prints: string, saved: string): string {
  const file = join(home, `${name}.ipynb`);
  const outputs = [{ output_type: "stream", name: "stdout", text: `${saved}\n` }];
  const cell = {
    cell_type: "code",
    id: "a",
    metadata: {},
    execution_count: 1,
    source: `console.log(${prints});`,
    outputs,
  };
  const kernelspec = { name: "tslab", display_name: "TypeScript (tslab)", language: "typescript" };
  writeFileSync(file, JSON.stringify({ cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }));
  return file;
}

/** What pytest says of these notebooks. */
function pytest(...args: string[]): string {
  const options = ["-m", "pytest", "-p", "no:cacheprovider", "--rootdir", home, "-q", ...args];
  const { stdout, stderr } = spawnSync(projectPaths().venvPython, options, { env: jupyterEnv(), encoding: "utf8" });
  return stdout + stderr;
}

test("cells that run pass, one that fails is reported with its error", () => {
  const [good, bad] = ["good", "fails-in-a-cell"].map((name) =>
    resolve(__dirname, "fixtures", "notebooks", `${name}.ipynb`),
  );
  const said = pytest("--nbval-lax", good, bad);
  assert.match(said, /seed must be an integer, not 0\.5/);
  assert.match(said, /1 failed, 5 passed/);
});

test("outputs are compared with the saved ones", () => {
  const said = pytest("--nbval", notebook("same", "1 + 1", "2"), notebook("other", "1 + 1", "3"));
  assert.match(said, /other\.ipynb::Cell 0/);
  assert.match(said, /1 failed, 1 passed/);
});
