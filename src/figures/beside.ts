/** Whole figures in one picture: "this model" beside "GPT-2 Small, paper". */
import { axisId, axisKey, type Figure, type Layout, type Trace } from "./panels";
import { FONT_SIZE } from "./style";

export interface Part {
  title: string;
  figure: Figure;
}
export interface BesideOptions {
  /** All colour bars get the widest range, so that colours can be compared between the parts. */
  sameColours?: boolean;
}

const HEADING = 30;

/** Figures of this library side by side, each under its title. */
export function beside(parts: readonly Part[], options: BesideOptions = {}): Figure {
  const width = sum(parts.map((part) => part.figure.layout.width));
  const height = HEADING + Math.max(...parts.map((part) => part.figure.layout.height));
  let left = 0;
  const corners = parts.map((part) => {
    const corner = { left, top: 0 };
    left += part.figure.layout.width;
    return corner;
  });
  return merge(parts, corners, { width, height }, options);
}

/** Figures of this library one above the other: for figures that already have several panels. */
export function above(parts: readonly Part[], options: BesideOptions = {}): Figure {
  const width = Math.max(...parts.map((part) => part.figure.layout.width));
  const height = sum(parts.map((part) => HEADING + part.figure.layout.height));
  let top = 0;
  const corners = parts.map((part) => {
    const corner = { left: 0, top };
    top += HEADING + part.figure.layout.height;
    return corner;
  });
  return merge(parts, corners, { width, height }, options);
}

interface Corner {
  left: number;
  top: number;
}
interface Size {
  width: number;
  height: number;
}

function merge(parts: readonly Part[], corners: readonly Corner[], size: Size, options: BesideOptions): Figure {
  if (parts.length === 0) throw new RangeError("there are no figures to put beside each other");
  const data: Trace[] = [];
  const annotations: Trace[] = [];
  const layout: Layout = { ...parts[0].figure.layout, ...size };
  let axes = 0;
  parts.forEach(({ title, figure }, k) => {
    const place = scaling(corners[k], figure.layout, size);
    const rename = renaming(axes);
    for (const [key, value] of Object.entries(figure.layout)) {
      const axis = /^([xy])axis(\d*)$/.exec(key);
      if (axis) layout[rename.key(key)] = movedAxis(value as Trace, place[axis[1] as "x" | "y"], rename);
    }
    if (figure.layout.coloraxis) layout[axisId("coloraxis", k)] = movedColours(figure.layout.coloraxis as Trace, place);
    layout[axisId("legend", k)] = movedPoint(figure.layout.legend as Trace, place);
    annotations.push(heading(title, corners[k], size));
    annotations.push(...(figure.layout.annotations as Trace[]).map((note) => movedPoint(note, place)));
    data.push(...figure.data.map((trace) => movedTrace(trace, rename, k)));
    axes += Object.keys(figure.layout).filter((key) => /^xaxis\d*$/.test(key)).length;
  });
  layout.annotations = annotations;
  layout.showlegend = parts.some((part) => part.figure.layout.showlegend);
  if (options.sameColours) widenColours(layout);
  return { data, layout };
}

type Scale = (at: number) => number;
interface Place {
  x: Scale;
  y: Scale;
}

/** From a part's paper coordinates (the whole part, as it has no margins) to those of the merged figure. */
function scaling(corner: Corner, part: Size, whole: Size): Place {
  const bottom = whole.height - corner.top - HEADING - part.height;
  return {
    x: (at) => (corner.left + at * part.width) / whole.width,
    y: (at) => (bottom + at * part.height) / whole.height,
  };
}

interface Renaming {
  id(id: string): string;
  key(key: string): string;
}

/** "x2" of the third figure becomes "x5" when four axes came before. */
function renaming(axesBefore: number): Renaming {
  const index = (digits: string) => (digits === "" ? 0 : Number(digits) - 1) + axesBefore;
  return {
    id: (id) => axisId(id[0], index(id.slice(1))),
    key: (key) => axisKey(key[0], index(key.slice("xaxis".length))),
  };
}

function movedAxis(axis: Trace, scale: Scale, rename: Renaming): Trace {
  const matches = axis.matches === undefined ? {} : { matches: rename.id(axis.matches as string) };
  const domain = (axis.domain as number[]).map(scale);
  return { ...axis, ...matches, domain, anchor: rename.id(axis.anchor as string) };
}

function movedPoint(item: Trace, place: Place): Trace {
  return { ...item, x: place.x(item.x as number), y: place.y(item.y as number) };
}

function movedColours(axis: Trace, place: Place): Trace {
  return { ...axis, colorbar: movedPoint(axis.colorbar as Trace, place) };
}

function movedTrace(trace: Trace, rename: Renaming, part: number): Trace {
  return {
    ...trace,
    xaxis: rename.id(trace.xaxis as string),
    yaxis: rename.id(trace.yaxis as string),
    ...(trace.coloraxis ? { coloraxis: axisId("coloraxis", part) } : {}),
    ...(trace.legendgroup === undefined
      ? {}
      : { legend: axisId("legend", part), legendgroup: `${part} ${trace.legendgroup}` }),
  };
}

function heading(title: string, corner: Corner, size: Size): Trace {
  return {
    text: `<b>${title}</b>`,
    x: (corner.left + 10) / size.width,
    y: 1 - (corner.top + HEADING / 2 + 3) / size.height,
    xref: "paper",
    yref: "paper",
    xanchor: "left",
    yanchor: "middle",
    showarrow: false,
    font: { size: FONT_SIZE.title },
  };
}

function widenColours(layout: Layout): void {
  const axes = Object.keys(layout).filter((key) => key.startsWith("coloraxis"));
  const ranges = axes.map((key) => layout[key] as { cmin: number; cmax: number });
  const [cmin, cmax] = [Math.min(...ranges.map((r) => r.cmin)), Math.max(...ranges.map((r) => r.cmax))];
  axes.forEach((key, i) => {
    layout[key] = { ...ranges[i], cmin, cmax };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
