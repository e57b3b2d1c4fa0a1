import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { bars } from "../../../src/figures/series";
import { publish, show } from "../../../src/show/display";
import { toPng } from "../../../src/show/picture";
import { inNotebook, printed } from "../../fixtures/notebook";

const figure = bars(
  [
    { letter: 1, accuracy: 1 / 3 },
    { letter: 2, accuracy: 1234567 },
  ],
  { x: "letter", y: "accuracy" },
);
const named = { name: "a-name", alt: "One bar" };

afterEach(() => {
  delete process.env.ACRONYM_FIGURES;
});

describe("show", () => {
  it("sends one output: the interactive figure, its picture of the same size, and the text", async () => {
    const outputs = await inNotebook(() => show(figure, named));
    assert.equal(outputs.length, 1);
    const { data, metadata } = outputs[0];
    assert.deepEqual(metadata, { "image/png": { alt: "One bar" } });
    assert.deepEqual(Object.keys(data), ["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
    const plotly = data["application/vnd.plotly.v1+json"] as typeof figure;
    assert.deepEqual(plotly.layout.meta, { alt: "One bar" });
    assert.deepEqual(plotly.data[0].y, [0.333333, 1234567]);
    const png = Buffer.from(data["image/png"] as string, "base64");
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [figure.layout.width, figure.layout.height]);
    assert.equal(data["text/plain"], "One bar");
  });

  it("prints the text outside a notebook", async () => {
    assert.deepEqual(await printed(() => show(figure, named)), ["One bar"]);
  });

  it("writes PNG and SVG where ACRONYM_FIGURES says, whole, and nothing else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "figures-"));
    process.env.ACRONYM_FIGURES = join(folder, "new");
    try {
      await printed(() => Promise.all([show(figure, named), show(figure, { ...named, name: "b" })]));
      const files = readdirSync(join(folder, "new")).sort();
      assert.deepEqual(files, ["a-name.png", "a-name.svg", "b.png", "b.svg"]);
      const svg = readFileSync(join(folder, "new", "a-name.svg"), "utf8");
      assert.ok(svg.includes("<title>One bar</title>") && svg.endsWith("</svg>"));
      const png = readFileSync(join(folder, "new", "a-name.png"));
      assert.equal(png.readUInt32BE(16), 2 * figure.layout.width);
      assert.ok(png.length > 1000 && (await toPng(figure)).length > 1000);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses names that aren't kebab-case, and figures without a text", async () => {
    for (const name of ["", "A", "a_b", "a--b", "../a", "a/b", "a.png"]) {
      await assert.rejects(show(figure, { ...named, name }), /must be in kebab-case/);
    }
    for (const alt of ["", " ", undefined as unknown as string]) {
      await assert.rejects(show(figure, { ...named, alt }), /"a-name" needs an alternative text/);
    }
  });

  it("writes to the cell that called it, also when another runs before it is drawn", async () => {
    const first = inNotebook(() => show(figure, named));
    const second = await inNotebook(() => publish({ "text/plain": "later" }));
    assert.deepEqual(
      (await first).map((output) => output.data["text/plain"]),
      ["One bar"],
    );
    assert.deepEqual(
      second.map((output) => output.data["text/plain"]),
      ["later"],
    );
  });
});
