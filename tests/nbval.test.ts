// nbval, with which people check notebooks in their own test suites, finds of the kernel's answers what it needs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { jupyterEnv, projectPaths } from "../scripts/setup/paths.mjs";

const home = mkdtempSync(join(tmpdir(), "nbval-"));
after(() => rmSync(home, { recursive: true, force: true }));

/** A notebook whose cells print 2, saved with these outputs, which are to be compared. */
function notebook(name: string, saved: readonly string[]): string {
  const file = join(home, `${name}.ipynb`);
  const cells = saved.map((text, i) => ({
    cell_type: "code",
    id: `${i}`,
    metadata: { tags: ["nbval-check-output"] },
    execution_count: i + 1,
    source: "console.log(1 + 1);",
    outputs: [{ output_type: "stream", name: "stdout", text: `${text}\n` }],
  }));
  const kernelspec = { name: "tslab", display_name: "TypeScript (tslab)", language: "typescript" };
  writeFileSync(file, JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }));
  return file;
}

let said: string;
before(() => {
  const fails = resolve(__dirname, "fixtures", "notebooks", "fails-in-a-cell.ipynb");
  const files = [fails, notebook("compared", ["2", "3"])];
  const options = ["-m", "pytest", "-p", "no:cacheprovider", "--rootdir", home, "-q", "--nbval-lax", ...files];
  const { stdout, stderr } = spawnSync(projectPaths().venvPython, options, { env: jupyterEnv(), encoding: "utf8" });
  said = stdout + stderr;
});

test("cells that run pass, one that fails is reported with its error", () => {
  assert.match(said, /seed must be an integer, not 0\.5/);
  assert.match(said, /2 failed, 3 passed/); // with those below
});

test("outputs are compared with the saved ones", () => {
  assert.match(said, /compared\.ipynb::Cell 1/);
  assert.match(said, /'3\\n' == '2\\n'/);
});
