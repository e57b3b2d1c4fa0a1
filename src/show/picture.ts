/** Figures as SVG and PNG without a browser: plotly.js draws into jsdom, resvg turns the drawing into pixels. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DOMWindow } from "jsdom";
import type { Figure } from "../figures/panels";
import { plotlyText } from "../figures/style";
import { random } from "../numbers/random";

const FONT = "DejaVu Sans";
/** The fonts come with the project, so that pictures are the same on every machine. */
const fonts = () => ({
  loadSystemFonts: false,
  fontFiles: ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => require.resolve(`dejavu-fonts-ttf/ttf/${file}`)),
  defaultFontFamily: FONT,
  sansSerifFamily: FONT,
});

/** Drawings wait for one another: they share one page. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Draws a figure as SVG, of the size that its layout says. The same figure gives the same text.
 * Throws an Error with plotly's reason if it can't draw the figure.
 */
export function toSvg(figure: Figure): Promise<string> {
  const drawn = queue.then(() => draw(figure));
  queue = drawn.catch(() => undefined);
  return drawn;
}

/** Draws a figure as PNG. `scale` 2 gives two pixels for each px of the layout. */
export async function toPng(figure: Figure, scale = 2): Promise<Buffer> {
  return svgToPng(await toSvg(figure), scale);
}

/** Turns an SVG of `toSvg` into PNG. */
export function svgToPng(svg: string, scale = 2): Buffer {
  const { Resvg } = resvg();
  const image = new Resvg(svg, { fitTo: { mode: "zoom", value: scale }, background: "white", font: fonts() });
  return Buffer.from(image.render().asPng());
}

// jsdom, plotly and resvg take a second to load: only who draws waits for them
const resvg = () => require("@resvg/resvg-js") as typeof import("@resvg/resvg-js");

interface Plotly {
  toImage(figure: object, options: object): Promise<string>;
}
let page: (DOMWindow & { Plotly: Plotly; Math: Math }) | undefined;

async function draw(figure: Figure): Promise<string> {
  page ??= openPage();
  const json = JSON.stringify({ data: figure.data, layout: figure.layout });
  // plotly names clip paths by chance: a seed from the content gives the same names to the same figure only
  page.Math.random = random(createHash("sha256").update(json).digest().readInt32LE()).uniform;
  const { width, height } = figure.layout;
  const options = { format: "svg", width, height, imageDataOnly: true };
  try {
    const svg = await page.Plotly.toImage({ ...JSON.parse(json), config: { staticPlot: true } }, options);
    return titled(svg, figure);
  } catch (error) {
    // its own trace would print plotly's source, one line of a megabyte
    throw new Error(`plotly can't draw this figure: ${(error as Error).message ?? error}`);
  }
}

/** A picture's alternative text is what a screen reader finds as its title. */
function titled(svg: string, figure: Figure): string {
  const { alt } = (figure.layout.meta ?? {}) as { alt?: string };
  return alt === undefined ? svg : svg.replace(">", () => `><title>${plotlyText(alt)}</title>`);
}

function openPage() {
  const { JSDOM, VirtualConsole } = require("jsdom") as typeof import("jsdom");
  const { window } = new JSDOM("<!doctype html><body></body>", {
    runScripts: "outside-only",
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(),
  });
  measureText(window);
  drawHeatmaps(window);
  window.eval(readFileSync(require.resolve("plotly.js-cartesian-dist-min"), "utf8"));
  return window as unknown as NonNullable<typeof page>;
}

/** jsdom has no layout, so it can't say where a text ends: resvg can. */
function measureText(window: DOMWindow): void {
  const svgElement = window.SVGElement.prototype as unknown as Record<string, unknown>;
  svgElement.getBBox = svgElement.getBoundingClientRect = function (this: Element) {
    return textBounds(this);
  };
  svgElement.getComputedTextLength = function (this: Element) {
    return textBounds(this).width;
  };
  // of a violin's outline; only a mean line outside a box would need it
  svgElement.getTotalLength = () => 0;
}

/** DejaVu Sans above and below the baseline, and plotly's distance of two lines; in units of the font's size. */
const LINE = { ascent: 0.93, descent: 0.24, stride: 1.3 };

/** The box around all text in an element; without text, nothing at 0, 0. */
function textBounds(element: Element) {
  const texts = element.matches("text, tspan") ? [element] : [...element.querySelectorAll("text")];
  const boxes = texts.map((text) => {
    const { size, bold, anchor } = fontOf(text);
    const lines = [...text.querySelectorAll("tspan.line")];
    const content = (lines.length > 0 ? lines : [text]).map((line) => line.textContent ?? "");
    const width = Math.max(...content.map((line) => advance(line, bold) * size));
    const left = Number(text.getAttribute("x") ?? 0) - width * anchor;
    const top = Number(text.getAttribute("y") ?? 0) - LINE.ascent * size;
    const height = (LINE.ascent + LINE.descent + LINE.stride * (content.length - 1)) * size;
    return { left, top, right: left + width, bottom: top + height };
  });
  if (boxes.length === 0) boxes.push({ left: 0, top: 0, right: 0, bottom: 0 });
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const right = Math.max(...boxes.map((box) => box.right));
  const bottom = Math.max(...boxes.map((box) => box.bottom));
  return { left, top, right, bottom, x: left, y: top, width: right - left, height: bottom - top };
}

/** Font of a text: what it or an ancestor says first. `anchor` is the share of its width to the left of x. */
function fontOf(text: Element): { size: number; bold: boolean; anchor: number } {
  const elements: Element[] = [];
  for (let at: Element | null = text; at !== null; at = at.parentElement) elements.push(at);
  const first = (of: (style: CSSStyleDeclaration) => string, among: Element[]) =>
    among.map((element) => ("style" in element ? of(element.style as CSSStyleDeclaration) : "")).find((value) => value);
  const anchors = elements.map((element) => element.getAttribute("text-anchor"));
  const anchor = first((style) => style.textAnchor, elements) ?? anchors.find((value) => value);
  return {
    size: Number.parseFloat(first((style) => style.fontSize, elements) ?? "12"),
    bold: first((style) => style.fontWeight, [...text.querySelectorAll("tspan"), ...elements]) === "bold",
    anchor: anchor === "middle" ? 0.5 : anchor === "end" ? 1 : 0,
  };
}

const advances = new Map<string, number>();
/** Width of a text in units of its font size. Points around it let spaces at its ends count. */
function advance(text: string, bold: boolean): number {
  const key = `${bold} ${text}`;
  const known = advances.get(key);
  if (known !== undefined) return known;
  const measured = text === "" ? 0 : (inkWidth(`.${text}.`, bold) - inkWidth("..", bold)) / 100;
  advances.set(key, measured);
  return measured;
}

function inkWidth(text: string, bold: boolean): number {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(" ", "\u00a0");
  const weight = bold ? "bold" : "normal";
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><text font-size="100" font-weight="${weight}">${escaped}</text></svg>`;
  const { Resvg } = resvg();
  return new Resvg(svg, { font: fonts() }).getBBox()?.width ?? 0;
}

/** plotly paints a heatmap's cells on a canvas and asks for a picture of it: an SVG of the same rectangles. */
function drawHeatmaps(window: DOMWindow): void {
  const painted = new WeakMap<HTMLCanvasElement, string[]>();
  const canvas = window.HTMLCanvasElement.prototype as unknown as Record<string, unknown>;
  canvas.getContext = function (this: HTMLCanvasElement) {
    const cells: string[] = [];
    painted.set(this, cells);
    return {
      fillStyle: "",
      fillRect(x: number, y: number, width: number, height: number) {
        cells.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${this.fillStyle}"/>`);
      },
    };
  };
  canvas.toDataURL = function (this: HTMLCanvasElement) {
    const cells = painted.get(this)?.join("") ?? "";
    const size = `width="${this.width}" height="${this.height}"`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size} shape-rendering="crispEdges">${cells}</svg>`;
    return `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
  };
  Object.assign(window.URL, { createObjectURL: () => "", revokeObjectURL: () => undefined });
}
