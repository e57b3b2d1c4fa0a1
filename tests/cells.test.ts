// Cells that can be read: formatted as code is, short, and no wider than JupyterLab shows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { codeCells, formatted } from "../scripts/notebooks/format-cells.mjs";
import { listNotebooks } from "../scripts/notebooks/notebooks.mjs";

const LINES = 20;

const all = ["../notebooks", "../lessons"].map((path) => resolve(__dirname, path));
for (const { folder, name } of all.flatMap((folder) => listNotebooks(folder).map((name) => ({ folder, name })))) {
  test(`${name}: cells are formatted, and of ${LINES} lines at most`, () => {
    const cells = codeCells(JSON.parse(readFileSync(join(folder, `${name}.ipynb`), "utf8")));
    const texts = cells.map(({ text }) => text);
    const wanted = formatted(texts);
    const where = (i: number) => `cell ${cells[i].index}`;
    const unformatted = texts.flatMap((text, i) => (text === wanted[i] ? [] : [where(i)]));
    assert.deepEqual(unformatted, [], "npm run format");
    const long = wanted.flatMap((text, i) => (text.split("\n").length > LINES ? [where(i)] : []));
    assert.deepEqual(long, [], `more than ${LINES} lines: measure in one cell, draw in another`);
  });
}
