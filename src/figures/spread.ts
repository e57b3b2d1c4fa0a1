/** How values spread over prompts: the mean alone hides it. */
import { checkCount } from "../numbers/check";
import { extent } from "../numbers/lists";
import type { Figure, Trace } from "./panels";
import { type Column, checkRows, groups, labels, numbers, type Row } from "./rows";
import { plot, type SeriesOptions } from "./series";
import { INK, plotlyText, seriesColour, translucent } from "./style";

export interface HistogramOptions<R> extends Omit<SeriesOptions<R>, "x" | "y"> {
  value: Column<R>;
  /** About how many bins, default 30; their edges are round numbers and the same everywhere in the figure. */
  bins?: number;
}

/**
 * How many rows fall into each bin of `value`.
 * @throws RangeError if there are no rows, a column is missing or a value is not finite.
 */
export function histogram<R extends object>(rows: readonly R[], options: HistogramOptions<R>): Figure {
  const { value, series, columns, bins = 30 } = options;
  checkCount("bins", bins);
  const checked = checkRows(rows, [value, series, columns]);
  const size = roundStep(numbers(checked, value), bins);
  const binned = new Map<string, Record<string, unknown>>();
  for (const row of checked) {
    const from = Math.floor((row[value] as number) / size) * size;
    const key = JSON.stringify([from, series && row[series], columns && row[columns]]);
    const bin = binned.get(key) ?? { ...row, [value]: from + size / 2, prompts: 0 };
    binned.set(key, { ...bin, prompts: (bin.prompts as number) + 1 });
  }
  const counted = [...binned.values()].sort((a, b) => (a[value] as number) - (b[value] as number));
  const asSeries = { ...options, x: value, y: "prompts", names: { prompts: "number of prompts", ...options.names } };
  const draw = (part: readonly Row[], colour: string): Trace[] => [
    {
      type: "bar",
      x: numbers(part, value),
      y: numbers(part, "prompts"),
      width: size,
      marker: { color: translucent(colour, 0.5), line: { color: colour, width: 1 } },
    },
  ];
  const figure = plot(counted, asSeries as SeriesOptions<Row>, { across: "numbers", draw });
  return { ...figure, layout: { ...figure.layout, barmode: "overlay", bargap: 0 } };
}

/** A bin width of 1, 2 or 5 times a power of ten. */
function roundStep(values: readonly number[], bins: number): number {
  const [low, high] = extent(values);
  const raw = (high - low) / bins || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

export interface SpreadOptions<R> extends SeriesOptions<R> {
  /** "violin" (default): the density with its quartiles. "strip": every row a point beside a box. */
  shape?: "violin" | "strip";
}

/**
 * The distribution of `y` for each name in `x`.
 * @throws RangeError if there are no rows, a column is missing or a value is not finite.
 */
export function spread<R extends object>(rows: readonly R[], options: SpreadOptions<R>): Figure {
  const { x, y, series, columns, shape = "violin" } = options;
  const checked = checkRows(rows, [x, y, series, columns]);
  const byLetter = x === "letter" && series === undefined;
  const draw = (part: readonly Row[], colour: string) =>
    groups(part, byLetter ? x : undefined).map((group) => {
      const own = group.value === undefined ? colour : seriesColour(x, group.value, 0);
      const data = { x: labels(group.rows, x).map(plotlyText), y: numbers(group.rows, y) };
      return { ...data, ...(shape === "violin" ? violin(own) : strip(own)) };
    });
  const figure = plot(checked, options, { across: "names", draw });
  const mode = { [shape === "violin" ? "violinmode" : "boxmode"]: series === undefined ? "overlay" : "group" };
  return { ...figure, layout: { ...figure.layout, ...mode } };
}

function violin(colour: string): Trace {
  return {
    type: "violin",
    box: { visible: true, width: 0.15 },
    meanline: { visible: true },
    points: false,
    // the density ends at the extreme values: no tail where there is no prompt
    spanmode: "hard",
    line: { color: colour, width: 1.2 },
    fillcolor: translucent(colour, 0.3),
  };
}

function strip(colour: string): Trace {
  return {
    type: "box",
    boxpoints: "all",
    pointpos: 0,
    jitter: 0.7,
    marker: { color: translucent(colour, 0.5), size: 4 },
    line: { color: INK, width: 1.2 },
    fillcolor: "rgba(0,0,0,0)",
  };
}
