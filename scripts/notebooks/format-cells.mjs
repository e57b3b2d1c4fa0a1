// node scripts/notebooks/format-cells.mjs: formats the code cells of notebooks/ and lessons/, as the project formats its own code but 100 columns wide:
// JupyterLab cuts longer lines off.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../setup/paths.mjs";
import { writeAtomically } from "../setup/stamp.mjs";
import { listNotebooks } from "./notebooks.mjs";

const COLUMNS = 100;

/**
 * Cells as the formatter writes them, in their order.
 * Throws with biome's own words if a cell can't be read as TypeScript.
 * @param {readonly string[]} cells
 * @returns {string[]}
 */
export function formatted(cells) {
  const folder = mkdtempSync(join(tmpdir(), "cells-"));
  try {
    const own = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
    const config = { formatter: { ...own.formatter, lineWidth: COLUMNS } };
    writeFileSync(join(folder, "biome.json"), JSON.stringify(config));
    const file = (/** @type {number} */ index) => join(folder, `cell-${index}.ts`);
    for (const [index, cell] of cells.entries()) writeFileSync(file(index), cell);
    const biome = join(ROOT, "node_modules", "@biomejs", "biome", "bin", "biome");
    execFileSync(process.execPath, [biome, "format", "--write", "--colors=off", "."], { cwd: folder, stdio: "pipe" });
    return cells.map((_, index) => readFileSync(file(index), "utf8").trimEnd());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A notebook's code cells and their text.
 * @param {{ cells: { cell_type: string, source: string | string[] }[] }} notebook
 */
export function codeCells({ cells }) {
  return cells
    .map((cell, index) => ({ cell, index, text: [cell.source].flat().join("") }))
    .filter(({ cell }) => cell.cell_type === "code");
}

/** @param {string} text in nbformat's way: lines that keep their ends */
const lines = (text) => text.split(/(?<=\n)/);

/** @param {string} folder */
function formatNotebooks(folder) {
  const notebooks = listNotebooks(folder).map((name) => {
    const file = join(folder, `${name}.ipynb`);
    const notebook = JSON.parse(readFileSync(file, "utf8"));
    return { file, notebook, code: codeCells(notebook) };
  });
  const fresh = formatted(notebooks.flatMap(({ code }) => code.map(({ text }) => text)));
  for (const { file, notebook, code } of notebooks) {
    const own = fresh.splice(0, code.length);
    if (code.every(({ text }, i) => text === own[i])) continue;
    for (const [i, { cell }] of code.entries()) cell.source = lines(own[i]);
    writeAtomically(file, `${JSON.stringify(notebook, null, 1)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const folder of ["notebooks", "lessons"]) formatNotebooks(join(ROOT, folder));
}
