/** Values as colours: layer × head, layer × position, capital × capital, token × token. */
import { labelsAcross, labelsDown, numberRoom } from "./axes";
import { type Axis, type Figure, grid, type Panel, type Trace } from "./panels";
import { type Column, checkRows, checkUnique, distinct, groups, type Label, numbersOrNull, type Row } from "./rows";
import { columnName, DIVERGING, FONT_SIZE, MISSING, PALE, plotlyText, REFERENCE, SEQUENTIAL, valueName } from "./style";

export interface HeatmapOptions<R> {
  /** Column across. */
  x: Column<R>;
  /** Column down, first value at the top. */
  y: Column<R>;
  /** Column shown as colour: finite numbers, or null where a value is not known (grey). */
  value: Column<R>;
  /** One panel for each value of this column, all with the same colours. */
  columns?: Column<R>;
  title?: string;
  /** "diverging" (default): centred on 0, red harms, blue helps. "sequential": white to dark from 0. */
  colours?: "diverging" | "sequential";
  /** Value of the strongest colour; default: the largest absolute value there is. */
  range?: number;
  /** The strongest colour is no smaller value than this, so that a map of next to nothing stays pale. Default: 0.25 logits for the
   *  column `change`, unless `names` calls it something else; none for others. */
  floor?: number;
  /** What the legend calls the grey cells, if there are any; default "no value". */
  missing?: string;
  /** The bar that says what the colours mean; default true. */
  bar?: boolean;
  /** Column with a text to write into the cells. */
  text?: Column<R>;
  /** Panels in one line, default 3. */
  wrap?: number;
  /** Size of a cell in px. */
  cell?: { width: number; height: number };
  /** Axis titles in place of the columns' names, by column. */
  names?: Readonly<Record<string, string>>;
}

/**
 * Colours of `value` over `x` × `y`. Rows that are missing leave grey cells, which the legend names: exactly 0 is white.
 * Throws a RangeError if there are no rows, a column is missing, a value is not finite, or two rows share a cell.
 * @example
 * ```ts
 * const rows = grid({ layer: range(4), head: range(4) }).map(({ layer, head }) => ({ layer, head, change: layer - head }));
 * const figure = heatmap(rows, { x: "head", y: "layer", value: "change" });
 * console.log(figure.data[0].type, figure.data[0].y); // → heatmap [ '0', '1', '2', '3' ]
 * ```
 */
export function heatmap<R extends object>(rows: readonly R[], options: HeatmapOptions<R>): Figure {
  const { x, y, value, columns, text, colours = "diverging", wrap = 3 } = options;
  const checked = checkRows(rows, [x, y, value, columns, text]);
  checkUnique(checked, [x, y, columns]);
  const most = largest(numbersOrNull(checked, value));
  const floor = options.floor ?? (value === "change" && options.names?.change === undefined ? PALE : 0);
  const range = options.range ?? Math.max(most, floor);
  const [across, down] = [distinct(checked, x), distinct(checked, y)];
  const cell = options.cell ?? square(across.length, down.length, columns === undefined ? 1 : wrap);
  const name = (column: string) => columnName(column, options.names);
  const template = `${hover(x, y, name)}<br>${name(value)} %{z:.4f}`;
  const panels = groups(checked, columns).map((group): Panel => {
    const title = group.value === undefined ? "" : valueName(columns as string, group.value);
    const traces = [cells(group.rows, { x, y, value, text, across, down }, `${template}<extra>${title}</extra>`)];
    return { title, traces };
  });
  const isWhole = panels.every(({ traces: [{ z }] }) => (z as unknown[][]).every((line) => !line.includes(null)));
  const missing = isWhole ? [] : [plotlyText(options.missing ?? "no value")];
  for (const entry of missing) panels[0].traces.push(legendOf(entry, across[0]));
  return grid({
    title: options.title,
    panels,
    legend: missing,
    x: framed(labelsAcross(name(x), across, cell.width)),
    y: framed(labelsDown(name(y), down, cell.height)),
    size: { width: across.length * cell.width, height: down.length * cell.height },
    wrap,
    colours: {
      ...colourAxis(name(value), colours, most === 0 && range === 0 ? 1 : range), // where all is 0, any range shows it white
      bar: options.bar ?? true,
    },
    background: MISSING,
  });
}

/** Explains the grey: a trace that shows in the legend alone. */
function legendOf(name: string, x: Label): Trace {
  const marker = { symbol: "square", size: 13, color: MISSING, line: { color: REFERENCE, width: 1 } };
  const place = { x: [plotlyText(x)], y: [null] };
  return { type: "scatter", mode: "markers", ...place, marker, name, showlegend: true, hoverinfo: "skip" };
}

function framed(axis: Axis): Axis {
  return { ...axis, settings: { ...axis.settings, mirror: true } };
}

interface CellOptions {
  x: string;
  y: string;
  value: string;
  text?: string;
  across: readonly Label[];
  down: readonly Label[];
}

function cells(rows: readonly Row[], { x, y, value, text, across, down }: CellOptions, hovertemplate: string): Trace {
  const empty = <T>(fill: T): T[][] => down.map(() => across.map(() => fill));
  const z = empty<unknown>(null);
  const texts = empty("");
  for (const row of rows) {
    const [i, j] = [down.indexOf(row[y] as Label), across.indexOf(row[x] as Label)];
    z[i][j] = row[value];
    if (text !== undefined) texts[i][j] = plotlyText(row[text] as Label);
  }
  const written =
    text === undefined ? {} : { text: texts, texttemplate: "%{text}", textfont: { size: FONT_SIZE.axis } };
  return {
    type: "heatmap",
    x: across.map(plotlyText),
    y: down.map(plotlyText),
    z,
    coloraxis: "coloraxis",
    xgap: 1,
    ygap: 1,
    hoverongaps: false,
    hovertemplate,
    ...written,
  };
}

/** What a cell says when pointed at. */
function hover(x: string, y: string, name: (column: string) => string): string {
  const isHead = (x === "head" && y === "layer") || (x === "layer" && y === "head");
  return isHead ? headName(x) : `${name(y)} %{y}<br>${name(x)} %{x}`;
}

/** "head 8.11", whichever axis the layer is on. */
function headName(x: string): string {
  return x === "head" ? "head %{y}.%{x}" : "head %{x}.%{y}";
}

function colourAxis(title: string, colours: "diverging" | "sequential", range: number) {
  if (!(range > 0) || !Number.isFinite(range)) throw new RangeError(`range must be a positive number, not ${range}`);
  const cmin = colours === "diverging" ? -range : 0;
  const colorscale = colours === "diverging" ? DIVERGING : SEQUENTIAL;
  return { title, room: numberRoom(cmin, range), settings: { colorscale, cmin, cmax: range } };
}

function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
}

/** Cells as large as a line of panels allows within a notebook's width. */
function square(across: number, down: number, panels: number): { width: number; height: number } {
  const room = panels === 1 ? 420 : 690 / Math.min(panels, 3);
  const side = Math.round(Math.min(44, Math.max(13, Math.min(room / across, 460 / down))));
  return { width: side, height: side };
}
