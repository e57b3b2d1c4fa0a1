/** What an axis shows: labels that never overlap, or numbers. */
import { extent } from "../numbers/lists";
import type { Axis } from "./panels";
import type { Label } from "./rows";
import { FONT_SIZE, plotlyText, textWidth } from "./style";

const TICK_GAP = 8;

/** Labels in small cells are written smaller, down to this many px, before any is left out. */
const SMALLEST_TICK = 9;

const tickSize = (step: number): number => Math.max(SMALLEST_TICK, Math.min(FONT_SIZE.tick, Math.floor(step) - 1));

const widestOf = (all: readonly Label[], step: number): number =>
  extent(all.map((label) => textWidth(label, tickSize(step))))[1];

/** Labels along x: level where they fit, else upright. `step` is the px from one label to the next. */
export function labelsAcross(title: string, all: readonly Label[], step: number): Axis {
  const widest = widestOf(all, step);
  const upright = widest > step - 3;
  return {
    title,
    room: TICK_GAP + (upright ? widest : FONT_SIZE.tick + 3),
    settings: { ...categories(all, step), tickangle: upright ? -90 : 0, range: [-0.5, all.length - 0.5] },
  };
}

/** Labels down y, the first at the top. */
export function labelsDown(title: string, all: readonly Label[], step: number): Axis {
  const widest = widestOf(all, step);
  return {
    title,
    room: TICK_GAP + widest,
    settings: { ...categories(all, step), range: [all.length - 0.5, -0.5] },
  };
}

/** Numbers along x; whole ones (layers, positions, steps) only have ticks at whole numbers. */
export function numbersAcross(title: string, values: readonly number[]): Axis {
  const [low, high] = extent(values);
  const few = values.every(Number.isInteger) && high - low <= 15;
  const settings = { type: "linear", showgrid: false, range: padded([low, high]), ...(few ? { dtick: 1 } : {}) };
  return { title, room: TICK_GAP + FONT_SIZE.tick + 3, settings };
}

/** Numbers up y. `from0`: bars stand on 0, so it must be there. */
export function numbersUp(title: string, values: readonly number[], from0: boolean): Axis {
  const [low, high] = extent(from0 ? [0, ...values] : values);
  const [below, above] = padded([low, high]);
  const range = from0 ? [low === 0 ? 0 : below, high === 0 ? 0 : above] : [below, above];
  const settings = { type: "linear", range, nticks: 8, zeroline: true, zerolinecolor: "#888888", zerolinewidth: 1 };
  return { title, room: TICK_GAP + numberRoom(low, high), settings };
}

/** About how wide the widest tick label is, in px: that of a step between ticks, or of the largest number. */
export function numberRoom(low: number, high: number): number {
  const step = Number(((high - low || 1) / 8).toPrecision(1));
  const largest = Math.round(Math.max(Math.abs(low), Math.abs(high)));
  return Math.max(...[0.5, step, largest].map((number) => textWidth(`−${number}`, FONT_SIZE.tick)));
}

function padded([low, high]: readonly [number, number]): [number, number] {
  const pad = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - pad, high + pad];
}

/** A category axis takes "10.10" as a name; a number would make it 10.1. */
function categories(all: readonly Label[], step: number): Record<string, unknown> {
  const names = all.map(plotlyText);
  const size = tickSize(step);
  const every = Math.ceil((size + 1) / step);
  return {
    type: "category",
    categoryorder: "array",
    categoryarray: names,
    tickmode: "array",
    tickvals: names.filter((_, i) => i % every === 0),
    tickfont: { size },
    showgrid: false,
  };
}
