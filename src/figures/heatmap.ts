/** Values as colours: layer × head, layer × position, capital × capital, token × token. */
import { labelsAcross, labelsDown } from "./axes";
import { type Axis, type Figure, grid, type Panel, type Trace } from "./panels";
import { type Column, checkRows, checkUnique, distinct, groups, type Label, numbersOrNull, type Row } from "./rows";
import { columnName, DIVERGING, FONT_SIZE, plotlyText, SEQUENTIAL, textWidth, valueName } from "./style";

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
 * Colours of `value` over `x` × `y`. Rows that are missing leave grey cells.
 * @throws RangeError if there are no rows, a column is missing, a value is not finite, or two rows share a cell.
 */
export function heatmap<R extends object>(rows: readonly R[], options: HeatmapOptions<R>): Figure {
  const { x, y, value, columns, text, colours = "diverging", wrap = 3 } = options;
  const checked = checkRows(rows, [x, y, value, columns, text]);
  checkUnique(checked, [x, y, columns]);
  const values = numbersOrNull(checked, value);
  const [across, down] = [distinct(checked, x), distinct(checked, y)];
  const cell = options.cell ?? square(across.length, down.length, columns === undefined ? 1 : wrap);
  const name = (column: string) => options.names?.[column] ?? columnName(column);
  const template = `${hover(x, y, name)}<br>${name(value)} %{z:.4f}`;
  return grid({
    title: options.title,
    panels: groups(checked, columns).map((group): Panel => {
      const title = group.value === undefined ? "" : valueName(columns as string, group.value);
      const traces = [cells(group.rows, { x, y, value, text, across, down }, `${template}<extra>${title}</extra>`)];
      return { title, traces };
    }),
    x: framed(labelsAcross(name(x), across, cell.width)),
    y: framed(labelsDown(name(y), down, cell.height)),
    size: { width: across.length * cell.width, height: down.length * cell.height },
    wrap,
    colours: { title: name(value), settings: colourSettings(colours, options.range ?? largest(values)) },
    background: "#dddddd",
  });
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

function colourSettings(colours: "diverging" | "sequential", range: number): Record<string, unknown> {
  if (!(range > 0) || !Number.isFinite(range)) throw new RangeError(`range must be a positive number, not ${range}`);
  return colours === "diverging"
    ? { colorscale: DIVERGING, cmin: -range, cmax: range }
    : { colorscale: SEQUENTIAL, cmin: 0, cmax: range };
}

/** The colours' range; where every value is 0, any range shows them white. */
function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0) || 1;
}

/** Cells as large as a line of panels allows within a notebook's width. */
function square(across: number, down: number, panels: number): { width: number; height: number } {
  const room = panels === 1 ? 420 : 690 / Math.min(panels, 3);
  const side = Math.round(Math.min(44, Math.max(13, Math.min(room / across, 460 / down))));
  return { width: side, height: side };
}

export interface AttentionOptions<R> {
  /** Column of the token that looks; default "query_pos". */
  query?: Column<R>;
  /** Column of the token looked at; default "key_pos". */
  key?: Column<R>;
  /** Column of the attention, 0 to 1; default "attention". */
  value?: Column<R>;
  /** One panel for each value of this column, for example "head". */
  columns?: Column<R>;
  title?: string;
  /** Attention of the darkest colour, default 1. */
  range?: number;
  wrap?: number;
  /** The prompt's tokens, one a position: they are written after the positions' labels. */
  tokens?: readonly string[];
}

/**
 * Where tokens look: query positions down, key positions across, white (0) to dark (1).
 * Keys after the query, which a causal model can't see, stay grey.
 * @throws RangeError if an attention is outside 0..1, or not 0 to a later token.
 */
export function attentionPattern<R extends object>(rows: readonly R[], options: AttentionOptions<R> = {}): Figure {
  const { query = "query_pos", key = "key_pos", value = "attention", columns, tokens } = options;
  const checked = checkRows(rows, [query, key, value, columns]);
  const order = distinct(checked, key);
  const label = (at: Label) => {
    const token = tokens === undefined ? at : shown(tokens[order.indexOf(at)]);
    return token === at ? at : `${at} ${token}`;
  };
  if (tokens !== undefined && tokens.length !== order.length) {
    throw new RangeError(`there are ${order.length} positions (${order.join(", ")}) and ${tokens.length} tokens`);
  }
  const visible = checked.filter((row) => {
    const later = order.indexOf(row[key] as Label) > order.indexOf(row[query] as Label);
    const attention = row[value] as number;
    if (attention < 0 || attention > 1.0001) throw new RangeError(`"${value}" must be in 0..1, not ${attention}`);
    if (later && attention > 1e-6) {
      throw new RangeError(`query ${row[query]} can't attend to ${row[key]}, which comes later: ${attention}`);
    }
    return !later;
  });
  const relabelled = visible.map((row) => ({
    ...row,
    [query]: label(row[query] as Label),
    [key]: label(row[key] as Label),
  }));
  return heatmap<Row>(relabelled, {
    x: key,
    y: query,
    value,
    columns,
    title: options.title,
    colours: "sequential",
    range: options.range ?? 1,
    wrap: options.wrap ?? 3,
  });
}

export interface TokenStripOptions<R> {
  /** Column of the positions' labels, across. */
  position: Column<R>;
  /** Column of the tokens, written into the cells. */
  token: Column<R>;
  value: Column<R>;
  /** One strip for each value of this column, for example a head or a prompt. */
  lines: Column<R>;
  title?: string;
  colours?: "diverging" | "sequential";
  range?: number;
}

/** Tokens of a prompt, each on the colour of its value; a leading space is shown as ␣. */
export function tokenStrip<R extends object>(rows: readonly R[], options: TokenStripOptions<R>): Figure {
  const { position, token, value, lines } = options;
  const written = checkRows(rows, [position, token, value, lines]).map((row) => ({
    ...row,
    [token]: shown(String(row[token])),
  })) as readonly Row[];
  const widest = Math.max(...written.map((row) => textWidth(row[token] as string, FONT_SIZE.axis)));
  const { title, colours = "sequential", range } = options;
  const cell = { width: Math.max(36, Math.ceil(widest) + 12), height: 30 };
  return heatmap<Row>(written, { x: position, y: lines, value, text: token, title, colours, range, cell });
}

/** A token as it stands on an axis: its leading space can be seen, and the beginning of the text is short. */
function shown(token: string): string {
  return token === "<|endoftext|>" ? "BOS" : token.replace(/^ /, "␣");
}
