/** Whole figures in one picture: "this model" beside "GPT-2 Small, paper". */
import type { Figure, Layout, Trace } from "./panels";
import { FONT_SIZE, plotlyText } from "./style";

export interface Part {
  title: string;
  figure: Figure;
}
export interface BesideOptions {
  /** All colour bars get the widest range, so that colours can be compared between the parts. */
  sameColours?: boolean;
}

interface Size {
  width: number;
  height: number;
}
interface Corner {
  left: number;
  top: number;
}

const HEADING = 30;

/** Figures of this library side by side, each under its title. Throws a RangeError if there are none. */
export function beside(parts: readonly Part[], options: BesideOptions = {}): Figure {
  const widths = parts.map((part) => part.figure.layout.width);
  const corners = widths.map((_, i) => ({ left: sum(widths.slice(0, i)), top: 0 }));
  const height = HEADING + Math.max(...parts.map((part) => part.figure.layout.height));
  return merge(parts, corners, { width: sum(widths), height }, options);
}

/** Like `beside`, one above the other: for figures that already have several panels. */
export function above(parts: readonly Part[], options: BesideOptions = {}): Figure {
  const heights = parts.map((part) => HEADING + part.figure.layout.height);
  const corners = heights.map((_, i) => ({ left: 0, top: sum(heights.slice(0, i)) }));
  const width = Math.max(...parts.map((part) => part.figure.layout.width));
  return merge(parts, corners, { width, height: sum(heights) }, options);
}

/** What a layout has several of, numbered: "xaxis", "xaxis2" … */
const NUMBERED = ["xaxis", "yaxis", "coloraxis", "legend"] as const;
type Numbered = (typeof NUMBERED)[number];

function merge(parts: readonly Part[], corners: readonly Corner[], size: Size, options: BesideOptions): Figure {
  if (parts.length === 0) throw new RangeError("there are no figures to put into one");
  const layout: Layout = { ...size };
  const data: Trace[] = [];
  const annotations: Trace[] = [];
  parts.forEach(({ title, figure }, i) => {
    const place = scaling(corners[i], figure.layout, size);
    const before = Object.fromEntries(NUMBERED.map((name) => [name, count(layout, name)])) as Record<Numbered, number>;
    const rename = (id: string) => shifted(id, before);
    for (const [key, value] of Object.entries(figure.layout)) {
      const name = NUMBERED.find((one) => new RegExp(`^${one}\\d*$`).test(key));
      if (name !== undefined) layout[rename(key)] = moved(name, value as Trace, place, rename);
      else if (!(key in layout)) layout[key] = value;
    }
    annotations.push(heading(title, corners[i], size));
    annotations.push(...(figure.layout.annotations as Trace[]).map((note) => atPlace(note, place)));
    data.push(...figure.data.map((trace) => movedTrace(trace, rename, i)));
  });
  layout.annotations = annotations;
  layout.showlegend = parts.some((part) => part.figure.layout.showlegend);
  if (options.sameColours) widenColours(layout);
  return { data, layout };
}

interface Place {
  x(at: number): number;
  y(at: number): number;
}

/** From a part's paper coordinates (the whole part, as it has no margins) to those of the merged figure. */
function scaling(corner: Corner, part: Size, whole: Size): Place {
  const bottom = whole.height - corner.top - HEADING - part.height;
  return {
    x: (at) => (corner.left + at * part.width) / whole.width,
    y: (at) => (bottom + at * part.height) / whole.height,
  };
}

function count(layout: Layout, name: Numbered): number {
  return Object.keys(layout).filter((key) => new RegExp(`^${name}\\d*$`).test(key)).length;
}

/** "x2" becomes "x5" when three x axes came before; likewise "xaxis2", "coloraxis", "legend". */
function shifted(id: string, before: Readonly<Record<Numbered, number>>): string {
  const [, base, digits] = /^([a-z]+)(\d*)$/.exec(id) as RegExpExecArray;
  const name = (base.length === 1 ? `${base}axis` : base) as Numbered;
  const number = (digits === "" ? 1 : Number(digits)) + before[name];
  return number === 1 ? base : `${base}${number}`;
}

function moved(name: Numbered, item: Trace, place: Place, rename: (id: string) => string): Trace {
  if (name === "legend") return atPlace(item, place);
  if (name === "coloraxis") return { ...item, colorbar: atPlace(item.colorbar as Trace, place) };
  const domain = (item.domain as number[]).map(name === "xaxis" ? place.x : place.y);
  const matches = item.matches === undefined ? {} : { matches: rename(item.matches as string) };
  return { ...item, ...matches, domain, anchor: rename(item.anchor as string) };
}

function atPlace(item: Trace, place: Place): Trace {
  return { ...item, x: place.x(item.x as number), y: place.y(item.y as number) };
}

function movedTrace(trace: Trace, rename: (id: string) => string, part: number): Trace {
  const out: Trace = { ...trace, xaxis: rename(trace.xaxis as string), yaxis: rename(trace.yaxis as string) };
  if (trace.coloraxis !== undefined) out.coloraxis = rename(trace.coloraxis as string);
  if (trace.showlegend) out.legend = rename((trace.legend ?? "legend") as string);
  // a click on an entry of one part hides nothing in another
  if (trace.legendgroup !== undefined) out.legendgroup = `${part}: ${trace.legendgroup}`;
  return out;
}

function heading(title: string, corner: Corner, size: Size): Trace {
  return {
    text: `<b>${plotlyText(title)}</b>`,
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
  const keys = Object.keys(layout).filter((key) => key.startsWith("coloraxis"));
  const axes = keys.map((key) => layout[key] as { cmin: number; cmax: number });
  const [cmin, cmax] = [Math.min(...axes.map((axis) => axis.cmin)), Math.max(...axes.map((axis) => axis.cmax))];
  keys.forEach((key, i) => {
    layout[key] = { ...axes[i], cmin, cmax };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
