/** What a cell writes into files: rows as CSV, figures as pictures or pages. Written whole or not at all. */
import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { DataFrame } from "danfojs-node";
import type { Figure } from "../figures/panels";
import { shown } from "../numbers/check";
import { escapeHtml } from "../numbers/text";
import { columnsAndValues } from "./columns";
import { svgToPng, toSvg } from "./picture";
import { writeWhole } from "./whole-file";

/**
 * Writes rows, or a danfo DataFrame, as CSV: a line of names, then a line for each row. Text is quoted where it has to be, null is empty,
 * numbers keep all their digits. A file of that name is replaced.
 * Throws a RangeError if the path doesn't end in .csv, there are no rows, rows differ in their columns, or a value is no plain one (such as
 * a tensor); Error if the file can't be written.
 * @param path from the notebook's folder, such as `"heads.csv"`
 */
export function saveCsv(rows: readonly object[] | DataFrame, path: string): void {
  checkEnding(path, [".csv"]);
  const { columns, values } = columnsAndValues(rows);
  const { unparse } = require("papaparse") as typeof import("papaparse"); // a tenth of a second that only who saves waits for
  writeWhole(path, `${unparse({ fields: columns, data: values }, { newline: "\n" })}\n`);
}

export interface SaveFigureOptions {
  /** What the figure shows, in words: for who can't see it. */
  alt?: string;
  /** Pixels of a .png for each px of the figure, default 2. */
  scale?: number;
}

const PICTURES: Readonly<Record<string, (figure: Figure, scale: number) => Promise<string | Buffer>>> = {
  ".svg": toSvg,
  ".png": async (figure, scale) => svgToPng(await toSvg(figure), scale),
  ".html": async (figure) => page(figure),
};

/**
 * Writes a figure, as its path ends: .svg to print, .png to look at, .html as a page in which one can point at it, which needs nothing else.
 * A file of that name is replaced.
 * Throws a RangeError if the path ends otherwise, or the scale is not a positive number; Error if plotly can't draw the figure, or the
 * file can't be written.
 * @param path from the notebook's folder, such as `"heads.svg"`
 * @example
 * ```ts
 * const rows = [{ letter: 1, logit_diff: 6 }, { letter: 2, logit_diff: 7.5 }];
 * const figure = bars(rows, { x: "letter", y: "logit_diff" });
 * await saveFigure(figure, "levels.svg", { alt: "Logit difference of two letters" });
 * ```
 */
export async function saveFigure(figure: Figure, path: string, options: SaveFigureOptions = {}): Promise<void> {
  const { alt = basename(path, extname(path)), scale = 2 } = options;
  checkEnding(path, Object.keys(PICTURES));
  if (!(scale > 0) || !Number.isFinite(scale))
    throw new RangeError(`scale must be a positive number, not ${shown(scale)}`);
  writeWhole(path, await PICTURES[extname(path)](withAlt(figure, alt), scale));
}

function checkEnding(path: unknown, endings: readonly string[]): void {
  if (typeof path === "string" && endings.includes(extname(path))) return;
  throw new RangeError(`the file's name must end in ${endings.join(", ")}, not ${shown(path)}`);
}

/** The figure with its alternative text. Six digits are more than it can show, and don't change with the last bit of a sum; counts stay whole. */
export function withAlt({ data, layout }: Figure, alt: string): Figure {
  const isFraction = (value: unknown): value is number => typeof value === "number" && !Number.isInteger(value);
  const rounded = (_: string, value: unknown) => (isFraction(value) ? Number(value.toPrecision(6)) : value);
  return JSON.parse(JSON.stringify({ data, layout: { ...layout, meta: { alt } } }, rounded));
}

/** A page with the figure and plotly itself. */
function page(figure: Figure): string {
  const { alt } = figure.layout.meta as { alt: string };
  const inScript = (code: string) => code.replaceAll("</script", "<\\/script");
  const plotly = readFileSync(require.resolve("plotly.js-cartesian-dist-min"), "utf8");
  const json = JSON.stringify([figure.data, figure.layout, { displaylogo: false }]).replaceAll("<", "\\u003c");
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(alt)}</title></head>`,
    `<body><div id="figure" role="img" aria-label="${escapeHtml(alt)}"></div>`,
    `<script>${inScript(plotly)}</script>`,
    `<script>Plotly.newPlot("figure", ...${json});</script></body></html>\n`,
  ].join("\n");
}
