// A sweep's report.html: its figures, and what they were estimated to take and took.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../setup/stamp.mjs";

/** @param {unknown} text */
const escaped = (text) => `${text}`.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param {string} file */
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

/**
 * @param {string} folder
 * @param {string} figure
 */
function figureRow(folder, figure) {
  const { points, parts: planned, hours, memory_mb } = read(join(folder, "plan", `${figure}.json`));
  const parts = readdirSync(join(folder, "parts", figure)).filter((name) => name.endsWith(".json"));
  const notes = parts.map((name) => read(join(folder, "parts", figure, name)).notes);
  const measured = notes.reduce((sum, { seconds, seconds_to_load }) => sum + seconds + seconds_to_load, 0) / 3600;
  const peak = Math.max(...notes.map(({ peak_mb }) => peak_mb));
  return [figure, points, planned.length, hours.toFixed(3), measured.toFixed(3), memory_mb, peak];
}

/** @param {string} folder */
export function writeReport(folder) {
  const { figures, ...settings } = read(join(folder, "sweep.json"));
  const head = ["figure", "points", "parts", "hours, estimated", "hours, measured", "MB, estimated", "MB, measured"];
  /** @param {string} tag @param {unknown[]} cells */
  const line = (tag, cells) => `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const rows = figures.map((/** @type {string} */ figure) => line("td", figureRow(folder, figure)));
  const drawings = figures.map((/** @type {string} */ figure) => {
    const picture = readFileSync(join(folder, "figures", `${figure}.svg`)).toString("base64");
    return `<h2>Figure ${escaped(figure)}</h2><img alt="Figure ${escaped(figure)}" src="data:image/svg+xml;base64,${picture}">`;
  });
  const page = [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sweep</title>',
    "<style>body{font-family:sans-serif;margin:2em}td,th{text-align:right;padding:.2em .8em}img{max-width:100%}</style>",
    `<h1>Sweep</h1><p>${escaped(JSON.stringify(settings))}</p>`,
    `<table>${line("th", head)}${rows.join("")}</table>`,
    ...drawings,
    "</html>\n",
  ];
  writeAtomically(join(folder, "report.html"), page.join("\n"));
}

if (process.argv[1]?.endsWith("sweep/report.mjs")) writeReport(process.argv[2]);
