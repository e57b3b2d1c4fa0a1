/** What a notebook shows; outside a notebook the same calls print text. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DataFrame } from "danfojs-node";
import type { Figure } from "../figures/panels";
import { extent } from "../numbers/lists";
import { escapeHtml, quoted } from "../numbers/text";
import { checkedColumns, columnsAndValues } from "./columns";
import { withAlt } from "./files";
import { notebook, type Write } from "./output";
import { svgToPng, toSvg } from "./picture";
import { writeWhole } from "./whole-file";

/** One output in several formats: a viewer takes the best one that it can show. */
export type Bundle = Readonly<Record<string, unknown>> & { readonly "text/plain": string };

/** Shows an output in the notebook, or prints its text. */
export function publish(bundle: Bundle): void {
  publisher()(bundle);
}

/** What `publish` does, for the cell that runs now: its output stays there even if another cell runs by the time it comes. */
export function publisher(): (bundle: Bundle) => void {
  const write = notebook();
  return (bundle) => send(bundle, write);
}

/** @param metadata by format, where Jupyter looks for it */
function send(bundle: Bundle, write: Write | undefined, metadata: Readonly<Record<string, object>> = {}): void {
  if (write) write({ data: bundle, metadata, transient: {} }, false);
  else console.log(bundle["text/plain"]);
}

export interface ShowOptions {
  /** Name of the picture's files, in kebab-case: "head-patching". */
  name: string;
  /** What the figure shows, in words: for who can't see it. */
  alt: string;
}

/**
 * Shows a figure: interactive where plotly is there, a picture elsewhere. With the environment variable
 * ACRONYM_FIGURES set to a folder, also writes name.png and name.svg there.
 * Throws a RangeError if the name is not in kebab-case or the alternative text is empty.
 */
export async function show(figure: Figure, { name, alt }: ShowOptions): Promise<void> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw new RangeError(`a figure's name must be in kebab-case, such as "head-patching", not "${name}"`);
  }
  if (!alt?.trim()) throw new RangeError(`figure "${name}" needs an alternative text: say in alt what it shows`);
  // found before the drawing: another cell may run meanwhile, and this output belongs to the cell that called
  const write = notebook();
  const folder = process.env.ACRONYM_FIGURES;
  if (!write && !folder) return console.log(alt);
  const labelled = withAlt(figure, alt);
  const svg = await toSvg(labelled);
  if (folder) {
    mkdirSync(folder, { recursive: true });
    writeWhole(join(folder, `${name}.svg`), svg);
    writeWhole(join(folder, `${name}.png`), svgToPng(svg, 2));
  }
  const bundle = {
    "application/vnd.plotly.v1+json": { ...labelled, config: saveButton(name) },
    // one pixel for each px: JupyterLab shows the picture in its own size until the pointer enters it
    "image/png": svgToPng(svg, 1).toString("base64"),
    "text/plain": alt,
  };
  send(bundle, write, { "image/png": { alt } });
}

/** Of plotly's buttons the one that saves the figure, shown while the pointer is in it. */
const saveButton = (filename: string) => ({
  displaylogo: false,
  modeBarButtons: [["toImage"]],
  toImageButtonOptions: { format: "svg", filename },
});

/**
 * Rows as a danfo DataFrame, to group, sort and filter. A column that is called like a method or property of DataFrame ("head", "std",
 * "shape") is reached by `frame.column("head")`; `frame.head` stays danfo's own.
 * Throws a RangeError if there are no rows, rows differ in their columns, a value is no plain one (such as a tensor), or a column has a name
 *   that every JavaScript object has ("constructor"); Error if danfojs-node is not installed, which a project that depends on this one
 *   decides.
 */
export function toFrame(rows: readonly object[]): DataFrame {
  const reserved = checkedColumns(rows).filter((column) => column in Object.prototype);
  if (reserved.length > 0)
    throw new RangeError(
      `a DataFrame can't have a column ${quoted(reserved)}: every JavaScript object has something of this name; rename it`,
    );
  return new (dataFrame())(rows.map((row) => ({ ...row })));
}

/** danfo's DataFrame; a second to load, so only who needs one waits for it. */
function dataFrame(): typeof DataFrame {
  const danfo = danfojs();
  const base = Object.getPrototypeOf(danfo.DataFrame.prototype) as ColumnProperties;
  // danfo makes each column a property and so hides its own: with a column "shape", head(1) is an empty table
  defineColumns ??= base.$setInternalColumnDataProperty;
  base.$setInternalColumnDataProperty = function (column) {
    for (const name of column === undefined ? this.columns : [column])
      if (!(name in this)) defineColumns?.call(this, name);
  };
  return danfo.DataFrame;
}

function danfojs(): typeof import("danfojs-node") {
  try {
    return require("danfojs-node");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(
      "toFrame needs danfojs-node, which is optional here: npm install danfojs-node. table() shows rows without it.",
    );
  }
}

interface ColumnProperties {
  readonly columns: readonly string[];
  $setInternalColumnDataProperty(this: ColumnProperties, column?: string): void;
}
let defineColumns: ColumnProperties["$setInternalColumnDataProperty"] | undefined;

export interface TableOptions {
  caption?: string;
  /** Decimals of numbers that aren't whole, default 3. */
  digits?: number;
}

/**
 * Shows rows, or a danfo DataFrame, as a table.
 * Throws a RangeError if there are no rows, rows differ in their columns, or a value is no plain one (such as a tensor).
 */
export function table(rows: readonly object[] | DataFrame, options: TableOptions = {}): void {
  const { columns, values } = columnsAndValues(rows);
  publish(tableBundle(columns, values, options));
}

/** The table as HTML and as text. Columns of whole numbers stay whole. */
function tableBundle(
  columns: readonly string[],
  values: readonly (readonly unknown[])[],
  { caption, digits = 3 }: TableOptions = {},
): Bundle {
  const isNumber = columns.map((_, j) => values.every((row) => row[j] === null || typeof row[j] === "number"));
  const decimals = columns.map((_, j) =>
    values.every((row) => row[j] === null || Number.isInteger(row[j])) ? 0 : digits,
  );
  const cells = values.map((row) => row.map((value, j) => cellText(value, decimals[j])));
  const align = (j: number) => ` style="text-align:${isNumber[j] ? "right" : "left"}"`;
  const head = columns.map((column, j) => `<th${align(j)}>${escapeHtml(column)}</th>`).join("");
  const body = cells.map(
    (row) => `<tr>${row.map((cell, j) => `<td${align(j)}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  const title = caption === undefined ? "" : `<caption>${escapeHtml(caption)}</caption>`;
  const widths = columns.map((column, j) => extent([column.length, ...cells.map((row) => row[j].length)])[1]);
  const line = (row: readonly string[]) =>
    row
      .map((cell, j) => (isNumber[j] ? cell.padStart(widths[j]) : cell.padEnd(widths[j])))
      .join("  ")
      .trimEnd();
  return {
    "text/html": `<table>${title}<thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`,
    "text/plain": [...(caption === undefined ? [] : [caption]), line(columns), ...cells.map(line)].join("\n"),
  };
}

function cellText(value: unknown, decimals: number): string {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text;
}
