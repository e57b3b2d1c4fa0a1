// nbval, with which people check notebooks in their own test suites, finds of the kernel's answers what it needs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { jupyterEnv, projectPaths, ROOT } from "../scripts/setup/paths.mjs";

const home = mkdtempSync(join(tmpdir(), "nbval-"));
after(() => rmSync(home, { recursive: true, force: true }));

interface CellOf {
  readonly source: string;
  /** What it printed when it was saved, which is to be compared. */
  readonly saved?: string;
}

function notebook(name: string, cells: readonly CellOf[]): string {
  const file = join(home, `${name}.ipynb`);
  const written = cells.map(({ source, saved }, i) => ({
    cell_type: "code",
    id: `${i}`,
    metadata: saved === undefined ? {} : { tags: ["nbval-check-output"] },
    execution_count: i + 1,
    source,
    outputs: saved === undefined ? [] : [{ output_type: "stream", name: "stdout", text: `${saved}\n` }],
  }));
  const kernelspec = { name: "tslab", display_name: "TypeScript (tslab)", language: "typescript" };
  writeFileSync(file, JSON.stringify({ cells: written, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }));
  return file;
}

let said: string;
before(() => {
  const library = JSON.stringify(join(ROOT, "dist", "numbers", "random"));
  const runs = `import { random } from ${library};\nconsole.log(random(1).int(1));`;
  const two = "console.log(1 + 1);";
  const files = [
    notebook("fails", [{ source: runs }, { source: "random(0.5);" }]),
    notebook("compared", [
      { source: two, saved: "2" },
      { source: two, saved: "3" },
    ]),
  ];
  const options = ["-m", "pytest", "-p", "no:cacheprovider", "--rootdir", home, "-q", "--nbval-lax", ...files];
  const { stdout, stderr } = spawnSync(projectPaths().venvPython, options, { env: jupyterEnv(), encoding: "utf8" });
  said = stdout + stderr;
});

test("cells that run pass, one that fails is reported with its error", () => {
  assert.match(said, /seed must be an integer, not 0\.5/);
  assert.match(said, /2 failed, 2 passed/); // with those below
});

test("outputs are compared with the saved ones", () => {
  assert.match(said, /compared\.ipynb::Cell 1/);
  assert.match(said, /'3\\n' == '2\\n'/);
});
