import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { bars } from "../../../src/figures/series";
import { initBackend } from "../../../src/model/backend/choose";
import { publish, show, table, toFrame } from "../../../src/show/display";
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

before(() => initBackend());
afterEach(() => {
  delete process.env.ACRONYM_FIGURES;
});

describe("a frame's columns", () => {
  it("can have the names of DataFrame's own methods and properties", () => {
    for (const name of ["index", "shape", "size", "values", "columns", "dtypes", "head", "std", "loc", "T", "plain"]) {
      const rows = [3, 1, 2].map((value) => ({ [name]: value, b: -value }));
      const frame = toFrame(rows);
      assert.deepEqual(frame.values, [[3, -3], [1, -1], [2, -2]], name); // biome-ignore format: one line
      assert.deepEqual(frame.sortValues("b").head(1).values, [[3, -3]], name);
      assert.deepEqual(frame.sortValues(name).column(name).values, [1, 2, 3], name);
      assert.deepEqual(frame.query(frame.column("b").gt(-2)).values, [[1, -1]], name);
      assert.deepEqual(frame.groupby([name]).col(["b"]).sum().shape, [3, 2], name);
    }
    assert.throws(() => toFrame([{ constructor: 1, toString: 2 }]), /can't have a column "constructor", "toString"/);
  });

  it("are found in rows of more than 125,000, in a table too", async () => {
    const rows = Array.from({ length: 150_000 }, (_, i) => ({ i, text: "x" }));
    assert.deepEqual(toFrame(rows).tail(1).values, [[149_999, "x"]]);
    const [text] = await printed(() => table(rows));
    assert.equal(text.split("\n").length, 150_001);
  });
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

describe("toFrame and table", () => {
  const rows = [
    { head: "<8.11>", letter: 1, logit_diff: -0.00001, note: null },
    { head: "10.10", letter: 2, logit_diff: 12.3456, note: null },
  ];

  it("toFrame gives a danfo DataFrame of the same rows", () => {
    const frame = toFrame(rows);
    assert.deepEqual(frame.columns, ["head", "letter", "logit_diff", "note"]);
    assert.deepEqual(
      frame.values,
      rows.map((row) => Object.values(row)),
    );
    assert.deepEqual(frame.query(frame.letter.gt(1)).values, [["10.10", 2, 12.3456, null]]);
  });

  it("refuses tensors by column, no rows, and rows with other columns", () => {
    const tensor = tf.scalar(1);
    assert.throws(() => toFrame([{ a: 1, loss: tensor }]), /column "loss" .* row 0 has a tensor: .* arraySync\(\)/);
    tensor.dispose();
    assert.throws(() => toFrame([{ a: [1] }]), /column "a" .* row 0 has a object/);
    assert.throws(() => toFrame([]), /at least one row/);
    assert.throws(() => toFrame([{ a: 1 }, { b: 1 }]), /row 1 has columns b; row 0 has a/);
    assert.throws(() => toFrame([{ a: 1 }, { a: 1, b: 1 }]), /row 1 has columns a, b; row 0 has a/);
  });

  it("table shows rows as HTML and as aligned text", async () => {
    const [{ data }] = await inNotebook(() => table(rows, { caption: "A & B", digits: 2 }));
    assert.equal(
      data["text/plain"],
      "A & B\nhead    letter  logit_diff  note\n<8.11>       1        0.00     –\n10.10        2       12.35     –",
    );
    const html = data["text/html"] as string;
    assert.ok(html.includes("<caption>A &amp; B</caption>") && html.includes("&lt;8.11&gt;"));
    assert.equal(html.match(/<tr>/g)?.length, 3);
    assert.ok(!html.includes("<8.11>"));
  });

  it("table shows a DataFrame as it shows its rows", async () => {
    const [of, direct] = await inNotebook(() => {
      table(toFrame(rows));
      table(rows);
    });
    assert.deepEqual(of.data, direct.data);
  });
});
