/** Values as heights: bars, lines, points. */

import { extent } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import { mean } from "../numbers/statistics";
import { labelsAcross, numbersAcross, numbersUp } from "./axes";
import { type Axis, type Figure, grid, type Panel, type Trace } from "./panels";
import {
  type Column,
  checkRows,
  checkUnique,
  deviations,
  distinct,
  groups,
  type Label,
  labels,
  numbers,
  type Row,
} from "./rows";
import {
  columnName,
  FONT_SIZE,
  INK,
  isShare,
  plotlyText,
  REFERENCE,
  seriesColour,
  translucent,
  valueName,
} from "./style";

export interface SeriesOptions<R> {
  x: Column<R>;
  y: Column<R>;
  /** One colour and one legend entry for each value of this column. */
  series?: Column<R>;
  /** One panel for each value of this column, all with the same axes. */
  columns?: Column<R>;
  title?: string;
  /** Panels in one line, default 3. */
  wrap?: number;
  /** Size of a panel in px. */
  size?: { width: number; height: number };
  /** Axis titles in place of the columns' names, by column. */
  names?: Readonly<Record<string, string>>;
}

export interface BarOptions<R> extends SeriesOptions<R> {
  /** Column of the standard deviation, drawn as ± bars. */
  std?: Column<R>;
}

export interface LineOptions<R> extends SeriesOptions<R> {
  /** Column of the standard deviation: a band along numbers, ± bars along names. */
  std?: Column<R>;
  /** Column with what to compare with at each x (the clean model's level, chance): a dashed line, grey where all series share it. */
  reference?: Column<R>;
  /** Column that tells repetitions apart, e.g. seeds: a thin line for each, and the series' own line is their mean at each x. */
  runs?: Column<R>;
  /** For lines that can lie on each other: each series has its own dash, and smaller points than the one below it. */
  overlapping?: boolean;
}

export interface ScatterOptions<R> extends SeriesOptions<R> {
  /** Column shown when pointed at, for example the prompt. */
  label?: Column<R>;
  /** Legend entry of a dashed line y = x, where both axes mean the same. */
  diagonal?: string;
}

/**
 * Bars of `y` over the names in `x`, grouped by `series`. A bar of exactly 0 says so: an empty place is a missing row.
 * Throws a RangeError if there are no rows, a column is missing, a value is not finite, or two rows share a bar.
 */
export function bars<R extends object>(rows: readonly R[], options: BarOptions<R>): Figure {
  const { x, y, series, columns, std } = options;
  const checked = checkRows(rows, [x, y, series, columns, std]);
  checkUnique(checked, [x, series, columns]);
  if (std !== undefined) deviations(checked, std);
  const draw = (part: readonly Row[], colour: string): Trace[] => {
    const heights = numbers(part, y);
    const own = x === "letter" && series === undefined;
    const letterColours = part.map((row, i) => seriesColour(x, row[x] as number, i));
    return [
      {
        type: "bar",
        x: labels(part, x).map(plotlyText),
        y: heights,
        marker: { color: own ? letterColours : colour },
        ...zeros(heights),
        ...(std === undefined ? {} : errorBars(deviations(part, std), INK)),
      },
    ];
  };
  const figure = plot(checked, options, { across: "names", draw });
  return { ...figure, layout: { ...figure.layout, barmode: "group", bargap: 0.25 } };
}

const DASHES = ["solid", "dash", "dot"];

/**
 * Lines of `y` over `x`, one for each value of `series`.
 * Throws a RangeError as bars does.
 */
export function lines<R extends object>(rows: readonly R[], options: LineOptions<R>): Figure {
  const { x, y, series, columns, std, reference, runs, overlapping = false } = options;
  const checked = checkRows(rows, [x, y, series, columns, std, reference, runs]);
  checkUnique(checked, [x, series, columns, runs]);
  if (std !== undefined) deviations(checked, std);
  const shared = reference !== undefined && isShared(checked, { x, columns, reference });
  const named = checked.some((row) => typeof row[x] !== "number");
  const below = overlapping && series !== undefined ? distinct(checked, series) : [];
  const draw = (all: readonly Row[], colour: string) => {
    const order = series === undefined ? 0 : below.indexOf(all[0][series] as Label);
    const part = runs === undefined ? all : averaged(all, x, y);
    const along = (own: readonly Row[]) => {
      const sorted = named ? own : [...own].sort((a, b) => Number(a[x]) - Number(b[x]));
      return { sorted, xs: named ? labels(sorted, x).map(plotlyText) : numbers(sorted, x), ys: numbers(sorted, y) };
    };
    const { sorted, xs, ys } = along(part);
    const thin = runs === undefined ? [] : [...groupBy(all, (row) => row[runs]).values()].map(along);
    const line: Trace = {
      type: "scatter",
      mode: xs.length > 40 ? "lines" : "lines+markers",
      x: xs,
      y: ys,
      line: { color: colour, width: 2, ...(order > 0 ? { dash: DASHES[order % DASHES.length] } : {}) },
      ...(overlapping ? { cliponaxis: false } : {}),
      marker: { color: colour, size: 6 + 2 * (below.length > 0 ? below.length - 1 - order : 0) },
    };
    const level =
      reference === undefined ? [] : [referenceLine(xs, numbers(sorted, reference), shared ? REFERENCE : colour)];
    if (std === undefined) return [...thin.map(({ xs, ys }) => thinLine(xs, ys, colour)), line, ...level];
    const spread = deviations(sorted, std);
    return named
      ? [{ ...line, ...errorBars(spread, colour) }, ...level]
      : [band(xs, ys, spread, colour), line, ...level];
  };
  const level = reference === undefined ? undefined : columnName(reference, options.names);
  return plot(checked, options, { across: named ? "names" : "numbers", draw, level });
}

/** One row for each x, with the mean of y. */
const averaged = (rows: readonly Row[], x: string, y: string): Row[] =>
  [...groupBy(rows, (row) => row[x]).values()].map((same) => ({ ...same[0], [y]: mean(numbers(same, y)) }));

function thinLine(xs: readonly Label[], ys: readonly number[], colour: string): Trace {
  const line = { color: translucent(colour, 0.35), width: 1 };
  return { type: "scatter", mode: "lines", x: xs, y: ys, line, hoverinfo: "skip" };
}

/** More points than this cover each other: they are drawn smaller and more transparent, so that darker means more. */
const CROWD = 150;

/**
 * One point a row.
 * Throws a RangeError if there are no rows, a column is missing or a value is not finite.
 */
export function scatter<R extends object>(rows: readonly R[], options: ScatterOptions<R>): Figure {
  const { x, y, series, columns, label, diagonal } = options;
  const checked = checkRows(rows, [x, y, series, columns, label]);
  const draw = (part: readonly Row[], colour: string): Trace[] => [
    {
      type: "scatter",
      mode: "markers",
      x: numbers(part, x),
      y: numbers(part, y),
      marker: { color: colour, ...(part.length > CROWD ? { size: 4, opacity: 0.25 } : { size: 5, opacity: 0.6 }) },
      ...(label === undefined ? {} : { text: labels(part, label).map(plotlyText) }),
    },
  ];
  const level = diagonal === undefined ? undefined : plotlyText(diagonal);
  const line = diagonal === undefined ? undefined : diagonalOf([...numbers(checked, x), ...numbers(checked, y)]);
  const figure = plot(checked, options, { across: "numbers", draw, level, line });
  if (series === undefined) return figure;
  const legend = { ...(figure.layout.legend as Trace), itemsizing: "constant" };
  return { ...figure, layout: { ...figure.layout, legend } };
}

export interface Kind {
  /** What x is. */
  across: "names" | "numbers";
  /** The traces of one series in one panel. */
  draw(rows: readonly Row[], colour: string): Trace[];
  /** What the legend calls the dashed lines, if there are any, as plotly's text. */
  level?: string;
  /** A trace that every panel has. */
  line?: Trace;
}

/** What all of these share: panels, series, colours, legend, axes. */
export function plot<R>(rows: readonly Row[], options: SeriesOptions<R>, kind: Kind): Figure {
  const { x, y, series, columns, wrap = 3 } = options;
  // before the rows are divided among panels and series: an error must name a row as the caller counts it
  numbers(rows, y);
  const named = kind.across === "names";
  const name = (column: string) => columnName(column, options.names);
  const parts = groups(rows, columns);
  const entries = series === undefined ? [] : distinct(rows, series);
  const names = named ? distinct(rows, x) : [];
  const slots = named ? names.length * Math.max(1, entries.length) : Number.POSITIVE_INFINITY;
  const size = options.size ?? panelSize(Math.min(parts.length, wrap), slots);
  const hover = `${name(x)} %{x}<br>${name(y)} %{y:.4f}`;
  const inLegend = new Set<Label>();
  const panels = parts.map((part): Panel => {
    const title = part.value === undefined ? "" : valueName(columns as string, part.value);
    if (series === undefined) {
      const colour = seriesColour(columns, part.value, 0);
      return { title, traces: kind.draw(part.rows, colour).map((trace) => labelled(trace, title, hover, false)) };
    }
    const traces = entries.flatMap((value, i) => {
      const own = part.rows.filter((row) => row[series] === value);
      if (own.length === 0) return [];
      const drawn = kind.draw(own, seriesColour(series, value, i));
      const showlegend = !inLegend.has(value);
      inLegend.add(value);
      return drawn.map((trace) => labelled(trace, valueName(series, value), hover, showlegend));
    });
    return { title, traces };
  });
  if (kind.line !== undefined) for (const panel of panels) panel.traces.unshift(kind.line);
  const traces = panels.flatMap((panel) => panel.traces);
  const standing = traces.some((trace) => trace.type === "bar");
  const xAxis: Axis = named
    ? labelsAcross(name(x), names, size.width / names.length)
    : numbersAcross(name(x), traces.flatMap(reachX));
  const reach = traces.flatMap(reachY);
  const shares = isShare(y) && numbers(rows, y).every((value) => value >= 0 && value <= 1);
  const within = shares ? reach.map((end) => Math.min(1, Math.max(0, end))) : reach;
  const yAxis = numbersUp(name(y), [...within, ...roomForZeros(traces, reach)], standing);
  const legend = entries.map((value) => valueName(series as string, value));
  if (kind.level !== undefined) {
    legend.push(kind.level);
    panels[0].traces.push(legendOnly(kind.level, names[0]));
  }
  return grid({ title: options.title, panels, x: xAxis, y: yAxis, size, wrap, legend });
}

/** All that an x axis of numbers must show of a trace: its points, and the sides of its bars. */
function reachX(trace: Trace): number[] {
  const half = ((trace.width as number | undefined) ?? 0) / 2;
  return (trace.x as number[]).flatMap((x) => [x - half, x + half]);
}

/** All that the y axis must show of a trace: its points, and the ends of its ± bars. */
function reachY(trace: Trace): number[] {
  const { array = [] } = (trace.error_y ?? {}) as { array?: number[] };
  return (trace.y as number[]).flatMap((y, i) => [y - (array[i] ?? 0), y + (array[i] ?? 0)]);
}

/** Gives a trace its name in the legend and what it says when pointed at. Bands and levels say nothing. */
function labelled(trace: Trace, entry: string, hover: string, showlegend: boolean): Trace {
  const name = { name: entry, legendgroup: entry, showlegend: showlegend && trace.hoverinfo !== "skip" };
  if (trace.hoverinfo === "skip") return { ...trace, ...name };
  const text = trace.text === undefined ? "" : "%{text}<br>";
  const std = trace.error_y === undefined ? "" : " ± %{error_y.array:.4f}";
  return { ...trace, ...name, hovertemplate: `${text}${hover}${std}<extra>${entry}</extra>` };
}

/** A 0 where a bar has no height. */
function zeros(heights: readonly number[]): Trace {
  if (!heights.includes(0)) return {};
  const texttemplate = heights.map((height) => (height === 0 ? "0" : ""));
  return { texttemplate, textposition: "outside", textangle: 0, textfont: { size: FONT_SIZE.tick, color: INK } };
}

/** Where all other bars hang down, a written 0 needs room above them. */
function roomForZeros(traces: readonly Trace[], reach: readonly number[]): number[] {
  if (!traces.some((trace) => trace.texttemplate !== undefined)) return [];
  const [low, high] = extent([0, ...reach]);
  return [0.05 * (high - low || 1)];
}

function errorBars(array: readonly number[], color: string): Trace {
  return { error_y: { type: "data", array, color, thickness: 1.2, width: 3 } };
}

/** One closed outline, upper edge there and lower edge back. */
function band(xs: readonly Label[], ys: readonly number[], spread: readonly number[], colour: string): Trace {
  const upper = ys.map((value, i) => value + spread[i]);
  const lower = ys.map((value, i) => value - spread[i]);
  return {
    type: "scatter",
    mode: "lines",
    x: [...xs, ...[...xs].reverse()],
    y: [...upper, ...lower.reverse()],
    fill: "toself",
    fillcolor: translucent(colour, 0.18),
    line: { width: 0 },
    hoverinfo: "skip",
  };
}

/** Whether the reference at each place of a panel is the same for every series. */
function isShared(rows: readonly Row[], place: { x: string; columns?: string; reference: string }): boolean {
  const { x, columns, reference } = place;
  const levels = groupBy(rows, (row) => JSON.stringify([row[x], columns && row[columns]]));
  return [...levels.values()].every((same) => same.every((row) => row[reference] === same[0][reference]));
}

function referenceLine(xs: readonly Label[], ys: readonly number[], color: string): Trace {
  const line = { color, width: 1.5, dash: "dash" };
  return { type: "scatter", mode: "lines", x: xs, y: ys, line, hoverinfo: "skip" };
}

/** From the smallest to the largest value of either axis. */
function diagonalOf(values: readonly number[]): Trace {
  const ends = extent(values);
  const line = { color: REFERENCE, width: 1.5, dash: "dash" };
  return { type: "scatter", mode: "lines", x: ends, y: ends, line, hoverinfo: "skip", showlegend: false };
}

/** Explains the dashed lines: a trace that shows in the legend alone. */
function legendOnly(name: string, x: Label | undefined): Trace {
  const line = { color: REFERENCE, width: 1.5, dash: "dash" };
  return { type: "scatter", mode: "lines", x: [x ?? 0], y: [null], line, name, showlegend: true, hoverinfo: "skip" };
}

/** Panels fill a notebook's width; a single one with few names is narrower, so that its bars stay bars. */
function panelSize(across: number, bars: number): { width: number; height: number } {
  if (across > 1) return { width: across === 2 ? 360 : 250, height: 240 };
  return { width: Math.min(560, Math.max(320, bars * 70)), height: 300 };
}
