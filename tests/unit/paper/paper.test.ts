import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { paperScatterExtents } from "../../../scripts/validate/extents";
import { headName } from "../../../src/model/heads";
import { paperBehaviour, paperClaims, paperFigure, paperFigureNames, paperHeads } from "../../../src/paper/paper";

test("every figure gives rows with finite numbers or null", () => {
  const names = paperFigureNames();
  assert.equal(names.length, 46);
  for (const name of names) {
    const { rows, units, figure } = paperFigure(name);
    assert.ok(rows.length > 0 && units !== "" && figure !== "", name);
    for (const { value, std, uncertainty, x, panel } of rows) {
      for (const number of [value, std, uncertainty]) assert.ok(number === null || Number.isFinite(number), name);
      assert.ok(x !== undefined && panel !== undefined, name);
    }
  }
});

test("heat maps: rows of y, columns of x, a panel per letter", () => {
  const { rows } = paperFigure("fig01_res_1");
  assert.equal(rows.length, 3 * 12 * 11);
  const at = (letter: number, x: string, y: number) =>
    rows.find((row) => row.letter === letter && row.x === x && row.y === y)?.value;
  assert.equal(at(1, "C1", 0), -3.947);
  assert.equal(at(3, "A2", 11), -6.6939);
  const second = paperFigure("fig05_attn_2_Ci").rows;
  assert.deepEqual([...new Set(second.map(({ letter }) => letter))], [2, 3]);
  assert.equal(paperFigure("fig09_OV_1").rows[0].letter, null);
});

test("mean attention patterns: each query's row sums to 1, as exactly as its cells could be read", () => {
  const { rows } = paperFigure("figS_attn_patterns_fuzzy");
  const queries = new Map<string, { sum: number; uncertainty: number }>();
  for (const { panel, y, value, uncertainty } of rows) {
    const before = queries.get(`${panel} ${y}`) ?? { sum: 0, uncertainty: 0 };
    queries.set(`${panel} ${y}`, { sum: before.sum + value!, uncertainty: before.uncertainty + uncertainty! });
  }
  assert.equal(queries.size, 33);
  for (const [query, { sum, uncertainty }] of queries) assert.ok(Math.abs(sum - 1) <= uncertainty, `${query}: ${sum}`);
});

test("bars carry experiment and spread; clean bars of figures 12 and 14 agree", () => {
  const clean = (name: string) => paperFigure(name).rows.filter(({ series }) => series === "Clean Run");
  const [a, b] = [clean("fig12_swap_pos_8_11_C1_C2"), clean("fig14_BOS_8_11_C1_C2")];
  assert.equal(a.length, 9);
  for (const [i, row] of a.entries())
    assert.ok(Math.abs((row.value ?? 0) - (b[i].value ?? 1)) < 2e-5 && row.std !== null);
});

test("an unknown figure names near ones and all there are", () => {
  assert.throws(
    () => paperFigure("res_1"),
    /"res_1" is not a digitised figure; near names: fig01_res_1,.*fig14_BOS_8_11_C1_C2/,
  );
  assert.throws(() => paperFigure("../paper/claims"), RangeError);
});

test("the groups are parts of the circuit that figure 8 gives back, and all of it", () => {
  const { circuit, letter_movers, fuzzy_previous_token, propagation } = paperHeads();
  const onAxis = paperFigure("fig08_evaluation")
    .rows.filter(({ letter }) => letter === 1)
    .map(({ x }) => x);
  assert.deepEqual(["None", ...circuit.map(headName)], onAxis);
  assert.deepEqual(
    [...letter_movers, ...fuzzy_previous_token, ...propagation].map(headName).sort(),
    circuit.map(headName).sort(),
  );
});

test("the clean logit difference is the claimed one", () => {
  const { logit_diff, logit_diff_uncertainty, third_letter_accuracy, third_letter_accuracy_range } = paperBehaviour();
  assert.deepEqual(logit_diff, paperClaims().find(({ claim }) => claim === "clean logit difference per letter")?.value);
  assert.ok(logit_diff_uncertainty < 0.001);
  assert.equal(third_letter_accuracy.toFixed(3), "0.904");
  assert.deepEqual(third_letter_accuracy_range, [0.88, 0.924]);
});

test("what could not be recovered stays null", () => {
  assert.equal(paperClaims().find(({ claim }) => claim.includes("copying score"))?.value, null);
});

test("a heat map's uncertainty holds that of its cell and that of what the strongest colour stands for", () => {
  const [row] = paperFigure("fig10_OV_4").rows;
  const file = JSON.parse(readFileSync(join(__dirname, "../../..", "data", "paper", "fig10_OV_4.json"), "utf8"));
  assert.ok(Math.abs(row.uncertainty! - file.panels[0].uncertainty[0][0] - 0.0005 * 14.18574) < 1e-6);
});

test("extents of scatter plots, by letter; other figures have none", () => {
  const extents = paperScatterExtents("fig11_scatter_8_11");
  assert.deepEqual(
    extents.map(({ letter, x }) => [letter, ...x.map((value) => value.toFixed(2))]),
    [
      [1, "0.12", "0.62"],
      [2, "0.15", "0.80"],
      [3, "0.09", "0.83"],
    ],
  );
  assert.throws(() => paperScatterExtents("fig08_evaluation"), /fig08_evaluation is no scatter plot/);
});
