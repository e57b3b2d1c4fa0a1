// Rows as a frame, which tensors make, and as a table.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../../../src/model/backend/choose";
import { table, toFrame } from "../../../src/show/display";
import { inNotebook, printed } from "../../fixtures/notebook";

before(() => initBackend());

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
