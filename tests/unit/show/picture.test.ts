import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { inflateSync } from "node:zlib";
import { heatmap } from "../../../src/figures/heatmap";
import type { Figure } from "../../../src/figures/panels";
import { bars, lines, scatter } from "../../../src/figures/series";
import { spread } from "../../../src/figures/spread";
import { attentionPattern } from "../../../src/figures/tokens";
import { svgToPng, toPng, toSvg } from "../../../src/show/picture";

const rows = [1, 2, 3].flatMap((letter) =>
  [0, 1, 2].map((head) => ({ letter, head, layer: 0, logit_diff: head - letter + 1, std: 0.5, name: `0.${head}` })),
);
const map = heatmap(rows.slice(0, 3), { x: "head", y: "layer", value: "logit_diff" });
const kinds: Record<string, Figure> = {
  heatmap: map,
  bars: bars(rows, { x: "name", y: "logit_diff", std: "std", series: "letter", title: "A title" }),
  lines: lines(rows, { x: "head", y: "logit_diff", std: "std", columns: "letter" }),
  scatter: scatter(rows, { x: "head", y: "logit_diff", series: "letter" }),
  violin: spread(rows, { x: "letter", y: "logit_diff" }),
  strip: spread(rows, { x: "letter", y: "logit_diff", shape: "strip" }),
  attention: attentionPattern([{ query_pos: "BOS", key_pos: "BOS", attention: 1 }]),
};

/** Colours of the pixels at places given as shares of the picture. PNG as resvg writes it: 8 bits, RGBA. */
function pixels(png: Buffer, places: readonly (readonly [number, number])[]): number[][] {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 4;
  const out = Buffer.alloc(stride * height);
  const at = (i: number, inside: boolean) => (inside ? out[i] : 0);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const i = y * stride + x;
      const [a, b, c] = [at(i - 4, x >= 4), at(i - stride, y > 0), at(i - stride - 4, x >= 4 && y > 0)];
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      out[i] = raw[y * (stride + 1) + 1 + x] + [0, a, b, (a + b) >> 1, paeth][filter];
    }
  }
  return places.map(([px, py]) =>
    [...out.subarray(Math.floor(py * height) * stride + Math.floor(px * width) * 4)].slice(0, 3),
  );
}

describe("toSvg", () => {
  it("draws every kind of figure, with its titles", async () => {
    for (const [kind, figure] of Object.entries(kinds)) {
      const svg = await toSvg(figure);
      assert.match(svg, new RegExp(`^<svg [^>]*width="${figure.layout.width}" height="${figure.layout.height}"`), kind);
      for (const { text } of figure.layout.annotations as { text: string }[]) {
        assert.ok(svg.includes(`>${text.replace(/<\/?b>/g, "")}<`), `${kind} lacks "${text}"`);
      }
      assert.doesNotMatch(svg, /NaN|Infinity/, kind);
    }
  });

  it("gives the same text for the same figure, whatever was drawn before or meanwhile", async () => {
    const alone = await toSvg(kinds.bars);
    const together = await Promise.all([
      toSvg(kinds.heatmap),
      toSvg(kinds.bars),
      toSvg(kinds.violin),
      toSvg(kinds.bars),
    ]);
    assert.equal(together[1], alone);
    assert.equal(together[3], alone);
  });

  it("names clip paths of different figures differently, so that a page can hold both", async () => {
    const clip = (svg: string) => /<clipPath id="([^"]+)"/.exec(svg)?.[1];
    const [a, b] = [clip(await toSvg(kinds.bars)), clip(await toSvg(kinds.scatter))];
    assert.ok(a && b && a !== b);
  });

  it("carries the alternative text as its title", async () => {
    const labelled = { ...map, layout: { ...map.layout, meta: { alt: "heads < 3 & more" } } };
    assert.match(await toSvg(labelled), /^<svg [^>]*><title>heads &lt; 3 &amp; more<\/title>/);
  });

  it("leaves the figure as it was", async () => {
    const before = JSON.stringify(kinds.bars);
    await toSvg(kinds.bars);
    assert.equal(JSON.stringify(kinds.bars), before);
  });

  it("says what plotly can't draw, and draws the next figure", async () => {
    const broken = { data: [{ type: "bar" }], layout: { width: -5, height: 100 } } as Figure;
    const failed = await toSvg(broken).then(
      () => false,
      () => true,
    );
    const drawn = await toSvg(map);
    assert.ok(drawn.startsWith("<svg"));
    assert.ok(failed, "a figure without a size can't be drawn");
  });
});

describe("toPng", () => {
  it("has the layout's size, twice over unless told otherwise", async () => {
    for (const [scale, png] of [
      [2, await toPng(map)],
      [1, await toPng(map, 1)],
    ] as const) {
      assert.equal(png.toString("latin1", 1, 4), "PNG");
      assert.equal(png.readUInt32BE(16), scale * map.layout.width);
      assert.equal(png.readUInt32BE(20), scale * map.layout.height);
    }
  });

  it("has each value's colour in its cell: red below 0, white at 0, blue above", async () => {
    const figure = heatmap(
      [-1, 0, 1].map((v) => ({ head: v, layer: 0, logit_diff: v })),
      {
        x: "head",
        y: "layer",
        value: "logit_diff",
      },
    );
    const [left, right] = (figure.layout.xaxis as { domain: number[] }).domain;
    const [bottom, top] = (figure.layout.yaxis as { domain: number[] }).domain;
    const across = [1, 3, 5].map((sixth) => left + ((right - left) * sixth) / 6);
    const [low, zero, high] = pixels(
      await toPng(figure),
      across.map((x) => [x, 1 - (bottom + top) / 2] as const),
    );
    assert.deepEqual(low, [0x67, 0x00, 0x1f]);
    assert.deepEqual(zero, [0xff, 0xff, 0xff]);
    assert.deepEqual(high, [0x05, 0x30, 0x61]);
  });

  it("draws text without the system's fonts", () => {
    const text = (content: string) =>
      svgToPng(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15">${content}</text></svg>`);
    assert.notDeepEqual(text("K"), text(""));
  });
});

describe("loading", () => {
  it("this library loads neither jsdom nor resvg, and a program that has drawn comes to its end", () => {
    const program = `
      const { toSvg } = require("./src/show/picture.ts");
      const loaded = () => Object.keys(require.cache).some((file) => /node_modules.(jsdom|@resvg)/.test(file));
      const before = loaded();
      toSvg(${JSON.stringify(map)}).then(() => console.log(before, loaded()));`;
    const options = { encoding: "utf8", timeout: 60_000, cwd: `${__dirname}/../../..` } as const;
    assert.equal(execFileSync(process.execPath, ["--require", "tsx/cjs", "-e", program], options), "false true\n");
  });
});
