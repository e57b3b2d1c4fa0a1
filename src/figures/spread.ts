/** How values spread over prompts: the mean alone hides it. */
import type { Figure, Trace } from "./panels";
import { checkRows, groups, labels, numbers, type Row } from "./rows";
import { plot, type SeriesOptions } from "./series";
import { INK, plotlyText, seriesColour, translucent } from "./style";

export interface SpreadOptions<R> extends SeriesOptions<R> {
  /** "violin" (default): the density with its quartiles. "strip": every row a point beside a box. */
  shape?: "violin" | "strip";
}

/**
 * The distribution of `y` for each name in `x`.
 * Throws a RangeError if there are no rows, a column is missing or a value is not finite.
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
