/** Charts as files: pictures and tables of numbers. */
import { FONT, INK, MISSING } from "../src/figures/style";
import { escapeHtml } from "../src/numbers/text";
import type { Chart } from "./figures";

const CELL = { width: 46, height: 34 };
const [LEFT, TOP, EDGE] = [76, 74, 14];

/** A chart as a picture that stands alone. */
export function svgOf({ title, rows, columns, under, cells, axes }: Chart): string {
  const [width, height] = [LEFT + CELL.width * columns.length + EDGE, TOP + CELL.height * rows.length + EDGE];
  const text = (x: number, y: number, content: string, more = "") =>
    `<text x="${x}" y="${y}" ${more}>${escapeHtml(content)}</text>`;
  const middle = (column: number) => LEFT + CELL.width * (column + 0.5);
  const parts = [
    text(EDGE, 22, title, 'font-size="14" font-weight="bold"'),
    text(LEFT - 8, TOP - 22, `${axes[0]} ↓  ${axes[1]} →`, 'text-anchor="end" font-size="9"'),
    ...columns.flatMap((name, c) => [
      text(middle(c), TOP - 22, name, 'text-anchor="middle"'),
      ...(under ? [text(middle(c), TOP - 8, under[c], 'text-anchor="middle" font-size="10"')] : []),
    ]),
    ...rows.map((name, r) => text(LEFT - 8, TOP + CELL.height * (r + 0.5) + 4, name, 'text-anchor="end"')),
    ...cells.flatMap((row, r) =>
      row.map((cell, c) => {
        const [x, y] = [LEFT + CELL.width * c, TOP + CELL.height * r];
        const box = `<rect x="${x}" y="${y}" width="${CELL.width - 2}" height="${CELL.height - 2}" rx="3" fill="${cell?.paint.fill ?? MISSING}"`;
        if (!cell) return `${box} fill-opacity="0.4"/>`;
        return `<g>${box} stroke="#dddddd"><title>${escapeHtml(cell.label)}</title></rect>${text(x + CELL.width / 2 - 1, y + CELL.height / 2 + 3, cell.text, `text-anchor="middle" fill="${cell.paint.ink}" font-size="11"`)}</g>`;
      }),
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="12" fill="${INK}"><rect width="100%" height="100%" fill="#ffffff"/>${parts.join("")}</svg>`;
}

/** A chart's numbers: a row for each cell. */
export async function csvOf({ axes, rows, columns, cells }: Chart): Promise<string> {
  const { unparse } = (await import("papaparse")).default;
  const table = cells.flatMap((row, r) =>
    row.flatMap((cell, c) => (cell ? [{ [axes[0]]: rows[r], [axes[1]]: columns[c], value: cell.value }] : [])),
  );
  return `${unparse(table, { newline: "\n" })}\n`;
}

/** Dots of a picture for each of its units: sharp on a projector. */
const SCALE = 2;

/** In a browser: a picture drawn as PNG. Throws an Error if the browser can't draw it. */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth * SCALE, image.naturalHeight * SCALE];
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("this browser draws no PNG; take the SVG")))),
  );
}

/** In a browser: gives the reader a file. */
export function download(name: string, content: string | Blob, type = "text/plain"): void {
  const address = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  const link = document.createElement("a");
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
