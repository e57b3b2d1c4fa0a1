/** Small multiples: panels in lines, laid out in px, so that a browser and a static picture agree. */
import { checkCount } from "../numbers/check";
import { extent } from "../numbers/lists";
import { FONT, FONT_SIZE, GRID, INK, plotlyText, textWidth } from "./style";

export type Trace = Record<string, unknown>;
export interface Layout {
  width: number;
  height: number;
  [key: string]: unknown;
}
/** Plotly JSON: what plotly.js draws, in a notebook or into a file. */
export interface Figure {
  data: Trace[];
  layout: Layout;
}

// Titles of axes, panels and colours, and what the legend names, come here as plotly's text (`plotlyText`); the figure's title as it is.

/** One axis of a panel: its title, the px its tick labels take, and what plotly is told. */
export interface Axis {
  title: string;
  room: number;
  settings: Record<string, unknown>;
}
export interface Panel {
  title: string;
  traces: Trace[];
}
interface PanelGrid {
  title?: string;
  panels: readonly Panel[];
  /** All panels have the same axes, so that they can be compared. */
  x: Axis;
  y: Axis;
  /** Size of one panel's data area, in px. */
  size: { width: number; height: number };
  /** Panels in one line. */
  wrap: number;
  /** What the legend names; empty: no legend. */
  legend?: readonly string[];
  /** One colour axis for all panels; `room` is the px its tick labels take. Its bar can be left out. */
  colours?: { title: string; room: number; settings: Record<string, unknown>; bar: boolean };
  background?: string;
}

const GAP = { outer: 10, title: 26, panel: 24, legend: 28, axisTitle: 20, between: 22, bar: 14 };

/** Puts the panels into one figure. Throws a RangeError if `wrap` is not a whole number from 1 on. */
export function grid(options: PanelGrid): Figure {
  checkCount("wrap", options.wrap);
  const place = placement(options);
  const { width, height } = place;
  const layout: Layout = {
    width,
    height,
    // no margins: plotly's "paper" is the whole picture, so figures can be put beside each other by scaling alone
    margin: { l: 0, r: 0, t: 0, b: 0, autoexpand: false },
    font: { family: FONT, size: FONT_SIZE.axis, color: INK },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: options.background ?? "#ffffff",
    annotations: titles(options, place),
    showlegend: false,
    hoverlabel: { font: { family: FONT } },
  };
  if (options.legend?.length) Object.assign(layout, { showlegend: true, legend: legendLook(place) });
  if (options.colours) {
    const { settings, bar } = options.colours;
    layout.coloraxis = bar ? { ...settings, colorbar: colourBar(place) } : { ...settings, showscale: false };
  }
  const data = options.panels.flatMap((panel, i) => {
    const { left, top, bottomMost } = place.panel(i);
    const [x, y] = [axisId("x", i), axisId("y", i)];
    layout[axisKey("x", i)] = {
      ...axisLook(options.x, i > 0 ? "x" : undefined),
      domain: [left / width, (left + options.size.width) / width],
      anchor: y,
      showticklabels: bottomMost,
    };
    layout[axisKey("y", i)] = {
      ...axisLook(options.y, i > 0 ? "y" : undefined),
      domain: [1 - (top + options.size.height) / height, 1 - top / height],
      anchor: x,
      showticklabels: i % options.wrap === 0,
    };
    return panel.traces.map((trace) => ({ ...trace, xaxis: x, yaxis: y }));
  });
  return { data, layout };
}

/** "x", "x2", "x3" …: plotly's name of an axis in a trace. */
function axisId(axis: string, index: number): string {
  return index === 0 ? axis : `${axis}${index + 1}`;
}
/** "xaxis", "xaxis2" …: plotly's name of the same axis in a layout. */
function axisKey(axis: string, index: number): string {
  return axisId(`${axis}axis`, index);
}

interface Placement {
  width: number;
  height: number;
  plot: { left: number; right: number; top: number; bottom: number };
  /** Where the colours' title lies, if it is too long to stand beside the bar. */
  coloursLie?: number;
  legendTop: number;
  entryWidth: number;
  panel(i: number): { left: number; top: number; bottomMost: boolean };
}

function placement({ title, panels, x, y, size, wrap, legend, colours: axis }: PanelGrid): Placement {
  const colours = axis?.bar ? axis : undefined;
  const across = Math.min(wrap, panels.length);
  const down = Math.ceil(panels.length / wrap);
  const left = GAP.outer + (y.title ? GAP.axisTitle : 0) + y.room;
  const right = left + across * size.width + (across - 1) * GAP.between;
  const width = Math.ceil(
    Math.max(
      right + (colours ? 68 + colours.room : GAP.outer + 6),
      left + textWidth(title ?? "", FONT_SIZE.title * 1.15),
    ),
  );
  const entries = legendEntries(legend ?? [], width - left);
  const legendTop = GAP.outer + (title ? GAP.title : 0);
  const lying = colours !== undefined && textWidth(colours.title, FONT_SIZE.axis) > down * size.height;
  const panelTitle = panels.some((panel) => panel.title) ? GAP.panel : 0;
  const coloursTop = legendTop + entries.lines * GAP.legend;
  const top = coloursTop + (lying ? GAP.legend : 0) + panelTitle;
  const stride = size.height + GAP.between + panelTitle;
  const bottom = top + (down - 1) * stride + size.height;
  return {
    width,
    height: Math.ceil(bottom + x.room + (x.title ? GAP.axisTitle : 0) + GAP.outer),
    plot: { left, right, top, bottom },
    coloursLie: lying ? coloursTop + GAP.legend / 2 : undefined,
    legendTop,
    entryWidth: entries.width,
    panel: (i) => ({
      left: left + (i % wrap) * (size.width + GAP.between),
      top: top + Math.floor(i / wrap) * stride,
      bottomMost: i + wrap >= panels.length,
    }),
  };
}

/** Lines of a legend and the width of an entry's text, so that plotly breaks the lines just there. */
function legendEntries(entries: readonly string[], room: number): { lines: number; width: number } {
  if (entries.length === 0) return { lines: 0, width: 0 };
  const symbol = 45;
  const widest = Math.ceil(extent(entries.map((entry) => textWidth(entry, FONT_SIZE.axis)))[1]);
  const fitting = Math.max(1, Math.floor(room / (widest + symbol)));
  const lines = Math.ceil(entries.length / fitting);
  const perLine = Math.ceil(entries.length / lines);
  return { lines, width: lines === 1 ? widest : Math.floor(room / perLine) - symbol };
}

/** Titles of figure, panels, axes and colours: at exact places, where plotly's own would move with the tick labels. */
function titles({ title, panels, x, y, size, colours }: PanelGrid, place: Placement): Trace[] {
  const { plot } = place;
  const at = (text: string, px: number, py: number, more: Trace): Trace => ({
    text,
    x: px / place.width,
    y: 1 - py / place.height,
    xref: "paper",
    yref: "paper",
    showarrow: false,
    xanchor: "center",
    yanchor: "middle",
    font: { size: FONT_SIZE.axis },
    ...more,
  });
  const out: Trace[] = [];
  if (title)
    out.push(at(`<b>${plotlyText(title)}</b>`, plot.left, 20, { xanchor: "left", font: { size: FONT_SIZE.title } }));
  panels.forEach((panel, i) => {
    const { left, top, bottomMost } = place.panel(i);
    const middle = left + size.width / 2;
    if (panel.title) out.push(at(panel.title, middle, top - 12, { font: { size: FONT_SIZE.panel } }));
    if (x.title && bottomMost) out.push(at(x.title, middle, top + size.height + x.room + 12, {}));
  });
  const centre = (plot.top + plot.bottom) / 2;
  if (y.title) out.push(at(y.title, GAP.outer + 7, centre, { textangle: -90 }));
  const { coloursLie } = place;
  if (!colours?.bar) return out;
  if (coloursLie !== undefined) {
    out.push(at(colours.title, place.width - GAP.outer, coloursLie, { xanchor: "right" }));
  } else out.push(at(colours.title, place.width - GAP.outer - 6, centre, { textangle: 90 }));
  return out;
}

function legendLook(place: Placement): Trace {
  return {
    orientation: "h",
    x: place.plot.left / place.width,
    xanchor: "left",
    y: 1 - place.legendTop / place.height,
    yanchor: "top",
    entrywidth: place.entryWidth,
    entrywidthmode: "pixels",
    traceorder: "normal",
    bgcolor: "rgba(0,0,0,0)", // its box may reach into the plot below
  };
}

function colourBar({ plot, width, height }: Placement): Trace {
  return {
    x: (plot.right + 14) / width,
    xanchor: "left",
    y: 1 - plot.bottom / height,
    yanchor: "bottom",
    len: plot.bottom - plot.top,
    lenmode: "pixels",
    thickness: GAP.bar,
    xpad: 0,
    ypad: 0,
    outlinewidth: 0.5,
    ticks: "outside",
    ticklen: 3,
    tickfont: { size: FONT_SIZE.tick },
    nticks: Math.min(9, Math.ceil((plot.bottom - plot.top) / 25)),
    ticklabeloverflow: "allow",
    exponentformat: "none",
  };
}

function axisLook(axis: Axis, matches: string | undefined): Trace {
  return {
    tickfont: { size: FONT_SIZE.tick },
    ticks: "outside",
    ticklen: 3,
    tickcolor: "#888888",
    linecolor: "#888888",
    gridcolor: GRID,
    zeroline: false,
    showline: true,
    automargin: false,
    exponentformat: "none",
    ticklabeloverflow: "allow",
    ...axis.settings,
    ...(matches ? { matches } : {}),
  };
}
