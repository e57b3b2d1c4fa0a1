// "Run all" a second time, in the same kernel: variables, models and tensors of the first time are still there.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/setup/paths.mjs";
import { runCells } from "./fixtures/in-process";

const NAME = "02-logit-attribution"; // with the usual experiments and figures
const TMP = join(ROOT, ".setup", "tmp");
mkdirSync(TMP, { recursive: true });
const home = mkdtempSync(join(TMP, "twice-"));
after(() => rmSync(home, { recursive: true, force: true }));
const results = ["first", "second"].map((time) => join(home, `${time}.ipynb`));

before(async () => {
  const folder = join(ROOT, "notebooks");
  const env = { ACRONYM_PROGRESS: join(home, "progress.json") };
  const jobs = [{ source: join(folder, `${NAME}.ipynb`), results, env }];
  const preload = `--require ${JSON.stringify(join(__dirname, "fixtures", "no-pictures.cjs"))}`;
  const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} ${preload}`;
  await runCells(folder, jobs, home, { ...process.env, NODE_OPTIONS, ACRONYM_N: "6" });
});

interface Cell {
  readonly cell_type: string;
  readonly outputs?: readonly { readonly data?: Readonly<Record<string, unknown>>; readonly text?: string }[];
}

/** What every code cell put out, but for pictures, which are not drawn here; of progress, what stays. */
const putOut = (file: string) =>
  (JSON.parse(readFileSync(file, "utf8")).cells as Cell[])
    .filter(({ cell_type }) => cell_type === "code")
    .map(({ outputs = [] }) => outputs.map(({ data, text }) => text ?? { ...data, "image/png": undefined }));

test(`${NAME}, run twice in one kernel, gives the same data`, () => {
  const [first, second] = results.map((file) => {
    assert.ok(!existsSync(`${file}.fault`), file);
    return putOut(file);
  });
  for (const [i, cell] of first.entries()) assert.deepEqual(second[i], cell, `cell ${i + 1}`);
  assert.match(JSON.stringify(first.at(-1)), /acronym-circuit\.claims/);
});
