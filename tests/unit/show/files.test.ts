import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { JSDOM } from "jsdom";
import { parse } from "papaparse";
import { bars } from "../../../src/figures/series";
import { toFrame } from "../../../src/show/display";
import { saveCsv, saveFigure, withAlt } from "../../../src/show/files";
import { svgToPng, toSvg } from "../../../src/show/picture";

const home = mkdtempSync(join(tmpdir(), "files-"));
after(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string) => join(home, name);
const read = (name: string) => readFileSync(at(name), "utf8");

const rows = [
  { a: 1, b: "x,y", ok: true },
  { a: 0.1 + 0.2, b: 'he said "no"\nand went', ok: false },
  { a: null, b: " Kite", ok: true },
];
const figure = bars([{ letter: 1, accuracy: 0.5 }], { x: "letter", y: "accuracy" });

describe("saveCsv", () => {
  test("quotes what has to be, and loses nothing", () => {
    saveCsv(rows, at("rows.csv"));
    const lines = ["a,b,ok", '1,"x,y",true', '0.30000000000000004,"he said ""no""\nand went",false', '," Kite",true'];
    assert.equal(read("rows.csv"), `${lines.join("\n")}\n`);
    const back = parse<Record<string, string>>(read("rows.csv"), { header: true, skipEmptyLines: true }).data;
    assert.deepEqual(
      back,
      rows.map(({ a, b, ok }) => ({ a: a === null ? "" : String(a), b, ok: String(ok) })),
    );
  });

  test("takes a DataFrame, and replaces a file", () => {
    saveCsv(toFrame([{ b: "x,y" }, { b: "z" }]), at("rows.csv"));
    assert.equal(read("rows.csv"), 'b\n"x,y"\nz\n');
  });

  for (const [what, given, name, message] of [
    ["no rows", [], "a.csv", /at least one row/],
    ["other columns", [{ a: 1 }, { b: 1 }], "a.csv", /row 1 has columns b; row 0 has a/],
    ["a tensor", [{ a: tf.scalar(1) }], "a.csv", /row 0 has a tensor/],
    ["another ending", rows, "a.xlsx", /must end in \.csv, not ".*a\.xlsx"/],
    ["no such folder", rows, "gone/a.csv", /gone.a\.csv can't be written: there is no such folder/],
  ] as const)
    test(`${what}: refused, and nothing is written`, () => {
      const before = readdirSync(home);
      assert.throws(() => saveCsv(given, at(name)), message);
      assert.deepEqual(readdirSync(home), before);
    });
});

describe("saveFigure", () => {
  test(".svg and .png are the picture that a notebook shows, with its words", async () => {
    await saveFigure(figure, at("f.svg"), { alt: "one < two" });
    await saveFigure(figure, at("f.png"), { scale: 1 });
    assert.match(read("f.svg"), /^<svg[^>]*><title>one &lt; two<\/title>/);
    const png = readFileSync(at("f.png"));
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [figure.layout.width, figure.layout.height]);
    assert.deepEqual(png, svgToPng(await toSvg(withAlt(figure, "f")), 1)); // the same drawing twice
  });

  test(".html is a page that draws by itself and loads nothing", async () => {
    const [bar] = figure.data;
    const hostile = { ...figure, data: [{ ...bar, customdata: ["</script><b>"] }] };
    await saveFigure(hostile, at("f.html"), { alt: '"quoted" <b>' });
    const { window } = new JSDOM(read("f.html"));
    const { document } = window;
    assert.equal(document.title, '"quoted" <b>');
    assert.equal(document.getElementById("figure")?.getAttribute("aria-label"), '"quoted" <b>');
    assert.equal(document.querySelectorAll("script").length, 2);
    assert.equal(document.querySelectorAll("script[src], link, img, b").length, 0);
    const [plotly, call] = [...document.querySelectorAll("script")].map((script) => script.textContent ?? "");
    assert.doesNotThrow(() => new Function(plotly));
    const drawn: unknown[] = [];
    new Function("Plotly", call)({ newPlot: (...what: unknown[]) => drawn.push(...what) });
    assert.equal(drawn[0], "figure");
    assert.deepEqual(drawn[1], JSON.parse(JSON.stringify(hostile.data)));
  });

  for (const [name, options, message] of [
    ["f.pdf", {}, /must end in \.svg, \.png, \.html, not ".*f\.pdf"/],
    ["g.png", { scale: 0 }, /scale must be a positive number, not 0/],
    ["gone/g.svg", {}, /there is no such folder/],
    ["folder.svg", {}, /folder\.svg can't be written/],
  ] as const)
    test(`${name} ${JSON.stringify(options)}: refused, and nothing is written`, async () => {
      mkdirSync(at("folder.svg"), { recursive: true });
      writeFileSync(join(at("folder.svg"), "kept"), "");
      const before = readdirSync(home);
      await assert.rejects(saveFigure(figure, at(name), options), message);
      assert.deepEqual(readdirSync(home), before);
    });

  test("what plotly can't draw leaves the old file", async () => {
    writeFileSync(at("old.svg"), "old");
    const broken = { data: figure.data, layout: { ...figure.layout, width: -1 } };
    await assert.rejects(saveFigure(broken, at("old.svg")), /plotly can't draw/);
    assert.equal(read("old.svg"), "old");
  });
});
