/** Values as heights: bars, lines, points. */

import { extent } from "../numbers/lists";
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
import { columnName, INK, plotlyText, SIGN, seriesColour, translucent, valueName } from "./style";

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
  /** Colour by sign: red harms, blue helps. Only without series. */
  signed?: boolean;
}

export interface LineOptions<R> extends SeriesOptions<R> {
  /** Column of the standard deviation: a band along numbers, ± bars along names. */
  std?: Column<R>;
  /** Column with a level to compare with (the clean model's), the same in a whole panel: a dashed line. */
  reference?: Column<R>;
}

export interface ScatterOptions<R> extends SeriesOptions<R> {
  /** Column shown when pointed at, for example the prompt. */
  label?: Column<R>;
  /** Legend entry of a dashed line y = x, where both axes mean the same. */
  diagonal?: string;
}

/**
 * Bars of `y` over the names in `x`, grouped by `series`.
 * @throws RangeError if there are no rows, a column is missing, a value is not finite, or two rows share a bar.
 */
export function bars<R extends object>(rows: readonly R[], options: BarOptions<R>): Figure {
  const { x, y, series, columns, std, signed = false } = options;
  const checked = checkRows(rows, [x, y, series, columns, std]);
  checkUnique(checked, [x, series, columns]);
  if (std !== undefined) deviations(checked, std);
  if (signed && series !== undefined) throw new RangeError("signed bars are coloured by sign: they can't have series");
  const draw = (part: readonly Row[], colour: string): Trace[] => {
    const heights = numbers(part, y);
    const own = x === "letter" && series === undefined;
    const letterColours = part.map((row, i) => seriesColour(x, row[x] as number, i));
    const signs = heights.map((height) => (height < 0 ? SIGN.harm : SIGN.help));
    return [
      {
        type: "bar",
        x: labels(part, x).map(plotlyText),
        y: heights,
        marker: { color: signed ? signs : own ? letterColours : colour },
        ...(std === undefined ? {} : errorBars(deviations(part, std), INK)),
      },
    ];
  };
  const figure = plot(checked, options, { across: "names", draw });
  return { ...figure, layout: { ...figure.layout, barmode: "group", bargap: 0.25 } };
}

/**
 * Lines of `y` over `x`, one for each value of `series`.
 * @throws RangeError as bars does, and if `reference` is not one level a panel.
 */
export function lines<R extends object>(rows: readonly R[], options: LineOptions<R>): Figure {
  const { x, y, series, columns, std, reference } = options;
  const checked = checkRows(rows, [x, y, series, columns, std, reference]);
  checkUnique(checked, [x, series, columns]);
  if (std !== undefined) deviations(checked, std);
  const named = checked.some((row) => typeof row[x] !== "number");
  const draw = (part: readonly Row[], colour: string) => {
    const sorted = named ? part : [...part].sort((a, b) => Number(a[x]) - Number(b[x]));
    const xs = named ? labels(sorted, x).map(plotlyText) : numbers(sorted, x);
    const ys = numbers(sorted, y);
    const line: Trace = {
      type: "scatter",
      mode: xs.length > 40 ? "lines" : "lines+markers",
      x: xs,
      y: ys,
      line: { color: colour, width: 2 },
      marker: { color: colour, size: 6 },
    };
    const level = reference === undefined ? [] : [dashed(sorted, reference, xs, colour)];
    if (std === undefined) return [line, ...level];
    const spread = deviations(sorted, std);
    return named
      ? [{ ...line, ...errorBars(spread, colour) }, ...level]
      : [band(xs, ys, spread, colour), line, ...level];
  };
  const level = reference === undefined ? undefined : columnName(reference, options.names);
  return plot(checked, options, { across: named ? "names" : "numbers", draw, level });
}

/**
 * One point a row.
 * @throws RangeError if there are no rows, a column is missing or a value is not finite.
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
      marker: { color: colour, size: 5, opacity: 0.6 },
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
  const yAxis = numbersUp(name(y), traces.flatMap(reachY), standing);
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
function dashed(rows: readonly Row[], reference: string, xs: readonly Label[], colour: string): Trace {
  const levels = [...new Set(numbers(rows, reference))];
  if (levels.length > 1) {
    throw new RangeError(`"${reference}" must be one level in a panel and series, not ${levels.join(", ")}`);
  }
  return {
    type: "scatter",
    mode: "lines",
    x: [xs[0], xs[xs.length - 1]],
    y: [levels[0], levels[0]],
    line: { color: colour, width: 1.5, dash: "dash" },
    hoverinfo: "skip",
  };
}

/** From the smallest to the largest value of either axis. */
function diagonalOf(values: readonly number[]): Trace {
  const ends = extent(values);
  const line = { color: "#888888", width: 1.5, dash: "dash" };
  return { type: "scatter", mode: "lines", x: ends, y: ends, line, hoverinfo: "skip", showlegend: false };
}

/** Explains the dashed lines: a trace that shows in the legend alone. */
function legendOnly(name: string, x: Label | undefined): Trace {
  const line = { color: "#888888", width: 1.5, dash: "dash" };
  return { type: "scatter", mode: "lines", x: [x ?? 0], y: [null], line, name, showlegend: true, hoverinfo: "skip" };
}

/** Panels fill a notebook's width; a single one with few names is narrower, so that its bars stay bars. */
function panelSize(across: number, bars: number): { width: number; height: number } {
  if (across > 1) return { width: across === 2 ? 360 : 250, height: 240 };
  return { width: Math.min(560, Math.max(320, bars * 70)), height: 300 };
}
