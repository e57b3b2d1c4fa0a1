/** The look that all figures share: colours that mean something, fonts, names of columns. */
import type { Label } from "./rows";

/** DejaVu Sans is what static pictures are drawn with; Verdana has nearly the same widths where it is missing. */
export const FONT = "DejaVu Sans, Verdana, sans-serif";
export const FONT_SIZE = { title: 15, panel: 13, axis: 12, tick: 11 };
export const INK = "#222222";
export const GRID = "#e6e6e6";
/** What something is compared with. */
export const REFERENCE = "#888888";

/** Diverging, colour-blind safe (ColorBrewer RdBu): red = negative = harm, white = 0, blue = positive = help. */
export const DIVERGING = stops(
  "#67001f #b2182b #d6604d #f4a582 #fddbc7 #ffffff #d1e5f0 #92c5de #4393c3 #2166ac #053061",
);

/** The strongest colour of a change means at least this, in logits: a map of hundredths stays pale. */
export const PALE = 0.25;

/** Cells of a heat map without a value. */
export const MISSING = "#dddddd";

/** Sequential, white to dark (ColorBrewer Purples): a hue that means neither harm nor help. */
export const SEQUENTIAL = stops("#ffffff #efedf5 #dadaeb #bcbddc #9e9ac8 #807dba #6a51a3 #54278f #3f007d");

/** Okabe and Ito's qualitative palette, in an order that stays readable on white. */
export const QUALITATIVE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000"];

/** Names that rows use for the two models that stand side by side. */
export const THIS_MODEL = "this model";
export const PAPER_MODEL = "GPT-2 Small, paper";

/** The same letter and the same model have the same colour in every figure; other series take the palette in order. */
export function seriesColour(column: string | undefined, value: Label | undefined, index: number): string {
  if (value === PAPER_MODEL) return "#666666";
  if (value === THIS_MODEL) return "#d55e00";
  if (column === "letter" && typeof value === "number") return QUALITATIVE[(value - 1) % QUALITATIVE.length];
  return QUALITATIVE[index % QUALITATIVE.length];
}

const NAMES: Readonly<Record<string, string>> = {
  logit_diff: "logit difference (logits)",
  change: "change of logit difference (logits)",
  logit: "logit",
  attention: "attention probability",
  probability: "probability",
  accuracy: "accuracy (share of prompts)",
  loss: "loss (nats)",
  query_pos: "query position",
  key_pos: "key position",
  std: "standard deviation",
};

/** What an axis is called, as plotly's text: its own name, or `logit_diff` → "logit difference (logits)", `top_1` → "top 1". */
export function columnName(column: string, names: Readonly<Record<string, string>> = {}): string {
  const known = [names, NAMES].find((some) => Object.hasOwn(some, column));
  return plotlyText(known?.[column] ?? column.replaceAll("_", " "));
}

const SHARES = new Set(["attention", "probability", "accuracy"]);

/** Whether a column's values lie between 0 and 1, so that an axis ends there, however far a standard deviation reaches. */
export const isShare = (column: string): boolean => SHARES.has(column);

/** What a panel or a series is called, as plotly's text: letter 1 → "letter 1", text as it is. */
export function valueName(column: string, value: Label): string {
  return typeof value === "number" ? `${columnName(column)} ${value}` : plotlyText(value);
}

/** Text of callers and of data as plotly shows it as it is: "<b>" would be markup, and a style in it could fetch from the network. */
export function plotlyText(text: Label): string {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** About how wide a text is, in px, in DejaVu Sans: layout must not depend on a browser. */
export function textWidth(text: Label, size: number): number {
  const share = (char: string) => (/[ijlI.,:;()|'[\]! ]/.test(char) ? 0.37 : /[A-Zmw−±<>]/.test(char) ? 0.75 : 0.62);
  return [...String(text)].reduce((sum, char) => sum + share(char) * size, 0);
}

export function translucent(hex: string, alpha: number): string {
  const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  return `rgba(${r},${g},${b},${alpha})`;
}

function stops(colours: string): [number, string][] {
  const list = colours.split(" ");
  return list.map((colour, i) => [i / (list.length - 1), colour]);
}
