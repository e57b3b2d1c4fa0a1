// Cells that can be read: formatted as code is, short, and no wider than JupyterLab shows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { codeCells, formatted } from "../scripts/notebooks/format-cells.mjs";
import { listNotebooks } from "../scripts/notebooks/notebooks.mjs";

const LINES = 20;

const all = ["../notebooks", "../lessons"].flatMap((path) => {
  const folder = resolve(__dirname, path);
  return listNotebooks(folder).map((name) => {
    const cells = codeCells(JSON.parse(readFileSync(join(folder, `${name}.ipynb`), "utf8")));
    return { name, cells };
  });
});
let wanted: string[]; // of all, one after the other
before(() => {
  wanted = formatted(all.flatMap(({ cells }) => cells.map(({ text }) => text)));
});

let start = 0;
for (const { name, cells } of all) {
  const first = start;
  start += cells.length;
  test(`${name}: cells are formatted, and of ${LINES} lines at most`, () => {
    const own = cells.map(({ index, text }, i) => ({ where: `cell ${index}`, text, wanted: wanted[first + i] }));
    const unformatted = own.filter(({ text, wanted }) => text !== wanted).map(({ where }) => where);
    assert.deepEqual(unformatted, [], "npm run format");
    const long = own.filter(({ wanted }) => wanted.split("\n").length > LINES).map(({ where }) => where);
    assert.deepEqual(long, [], `more than ${LINES} lines: measure in one cell, draw in another`);
  });
}
