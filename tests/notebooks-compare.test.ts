import assert from "node:assert/strict";
import { test } from "node:test";
import { compareNotebooks, MACHINE_TAG } from "../scripts/notebooks/compare.mjs";

type Output = Record<string, unknown>;
const stream = (text: string | string[], name = "stdout"): Output => ({ output_type: "stream", name, text });
const bundle = (data: Record<string, unknown>): Output => ({ output_type: "display_data", data, metadata: {} });
const notebook = (outputs: Output[], tags?: string[]) => ({
  cells: [{ cell_type: "code", source: "x", outputs, metadata: tags ? { tags } : {} }],
});
const differences = (saved: Output[], fresh: Output[], tags?: string[]) =>
  compareNotebooks(notebook(saved, tags), notebook(fresh, tags)).length;

test("equal outputs do not differ, whether a text is kept whole or as lines", () => {
  assert.equal(differences([stream(["a\n", "b 1.5"])], [stream("a\nb 1.5")]), 0);
});

test("rounded numbers may differ by the tolerance or by one in the last place", () => {
  assert.equal(differences([stream("mean 3.392")], [stream("mean 3.393")]), 0);
  assert.equal(differences([stream("mean 3.4")], [stream("mean 3.5")]), 0);
  assert.equal(differences([stream("mean 3.392")], [stream("mean 3.399")]), 1);
  assert.equal(differences([stream("mean 3.4")], [stream("mean 3.6")]), 1);
  assert.equal(differences([stream("loss 1.234e-5")], [stream("loss 1.235e-5")]), 0);
});

test("a number without a point beside one with a point is no count: on one backend it may be whole by chance", () => {
  assert.equal(differences([stream("largest change 0")], [stream("largest change 0.0000028")]), 0);
  assert.equal(differences([stream("accuracy 1")], [stream("accuracy 0.9999999")]), 0);
  assert.equal(differences([stream("largest change 0")], [stream("largest change 2.8e-6")]), 0);
  assert.equal(differences([stream("largest change 0")], [stream("largest change 0.1")]), 1);
  assert.equal(differences([stream("accuracy 3")], [stream("accuracy 2.5")]), 1);
});

test("counts, words and signs have to be equal", () => {
  assert.equal(differences([stream("1000 prompts")], [stream("999 prompts")]), 1);
  assert.equal(differences([stream("right")], [stream("wrong")]), 1);
  assert.equal(differences([stream("x -0.5")], [stream("x 0.5")]), 1);
  assert.equal(differences([stream("1.5 2.5")], [stream("1.5")]), 1);
});

test("a figure's data is compared number by number, its picture is not", () => {
  const figure = (y: number, png: string, type = "bar") =>
    bundle({ "application/vnd.plotly.v1+json": { data: [{ type, y: [y, 2000] }] }, "image/png": png });
  assert.equal(differences([figure(1, "a")], [figure(1.0005, "b")]), 0);
  assert.equal(differences([figure(1, "a")], [figure(1.002, "a")]), 1);
  assert.equal(differences([figure(1, "a")], [figure(1, "a", "scatter")]), 1);
});

test("a missing, added or differently typed output is a difference", () => {
  assert.equal(differences([stream("a")], []), 1);
  assert.equal(differences([], [stream("a")]), 1);
  assert.equal(differences([stream("a")], [stream("a", "stderr")]), 1);
  assert.equal(differences([bundle({ "text/plain": "a", "image/png": "" })], [bundle({ "text/plain": "a" })]), 1);
});

test("a claim that passed and now fails is a difference", () => {
  const claims = (passed: boolean) =>
    bundle({ "application/vnd.acronym-circuit.claims+json": { claims: [{ claim: "c", passed, evidence: "e" }] } });
  assert.equal(differences([claims(true)], [claims(false)]), 1);
});

test("a cell about the machine is compared by the kinds of its outputs alone", () => {
  assert.equal(differences([stream("wasm")], [stream("native")], [MACHINE_TAG]), 0);
  assert.equal(differences([stream("wasm")], [], [MACHINE_TAG]), 1);
});

test("another number of cells is a difference", () => {
  assert.equal(compareNotebooks({ cells: [] }, notebook([])).length, 1);
});
