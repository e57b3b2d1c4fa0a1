import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model } from "../../../src/model/model";
import {
  claimsAbout,
  compareWithPaper,
  isGpt2Small,
  type MeasuredCell,
  paperFigureClaim,
} from "../../../src/paper/compare";
import { paperFigure } from "../../../src/paper/paper";
import { claim } from "../../../src/show/claims";

const FIGURE = "fig08_evaluation";
const { rows } = paperFigure(FIGURE);
const exact: MeasuredCell[] = rows.map(({ letter, x, value }) => ({ letter, x, value: value! }));
const third = (cell: MeasuredCell) => cell.letter === 3 && cell.x === "1.0";
const shifted = (by: number, extra: Partial<MeasuredCell> = {}) =>
  exact.map((cell) => (third(cell) ? { ...cell, value: cell.value + by, ...extra } : cell));

test("the paper's own numbers agree with the paper, in every kind of figure", () => {
  const found = compareWithPaper(FIGURE, exact);
  assert.deepEqual([found.cells, found.agree], [27, 27]);
  assert.equal(found.strong, rows.filter(({ value }) => Math.abs(value!) >= 0.1 * 3.6249).length);
  assert.equal(found.strong_agree, found.strong);
  for (const name of ["fig01_res_1", "fig03_hist_8_11", "fig10_OV_4", "fig12_swap_pos_8_11_C1_C2"]) {
    const panelled = name.includes("OV");
    const cells = paperFigure(name)
      .rows.filter(({ value }) => value !== null)
      .map(({ panel, letter, x, y, series, value }) => ({
        ...(panelled ? { panel } : { letter }),
        x,
        y,
        series,
        value: value!,
      }));
    const { cells: compared, agree } = compareWithPaper(name, cells);
    assert.deepEqual([compared, agree], [cells.length, cells.length], name);
  }
});

test("a strong cell that is off by more than its tolerance fails the claim, and is named", () => {
  assert.equal(paperFigureClaim(FIGURE, exact).passed, true);
  const { passed, evidence } = paperFigureClaim(FIGURE, shifted(0.1));
  assert.equal(passed, false);
  assert.match(evidence, /26 of 27 of all; furthest off: 3 \| 1\.0 .* 3\.725 here, 3\.625 in the paper/);
  assert.equal(compareWithPaper(FIGURE, shifted(0.0004)).agree, 27, "within the reading's uncertainty");
});

test("the spread over seeds and over prompts is tolerance", () => {
  const seeds = [-0.1, 0, 0.1].flatMap((by) => shifted(0.2 + by));
  assert.equal(compareWithPaper(FIGURE, seeds).agree, 27, "three standard deviations over seeds: 0.3");
  assert.equal(
    compareWithPaper(
      FIGURE,
      seeds.map((cell) => (third(cell) ? { ...cell, value: cell.value + 0.2 } : cell)),
    ).agree,
    26,
  );
  const { agree, worst } = compareWithPaper(FIGURE, shifted(0.2, { std: 1, n: 100 }));
  assert.equal(agree, 27, "three standard errors over prompts: 0.3");
  assert.ok(worst.tolerance < 0.31);
  assert.equal(compareWithPaper(FIGURE, shifted(0.2, { std: 1, n: 400 })).agree, 26);
});

test("what was not measured is not counted; nothing in common is an error that shows both names", () => {
  assert.equal(compareWithPaper(FIGURE, exact.slice(0, 4)).cells, 4);
  assert.throws(
    () => compareWithPaper(FIGURE, [{ letter: 1, x: "2.3", value: 0 }]),
    /no measured cell has a counterpart in fig08_evaluation; its first is "1 \| None .*", ours is "1 \| 2\.3/,
  );
  assert.throws(() => compareWithPaper("fig8", exact), /"fig8" is not a digitised figure/);
});

test("only a model of GPT-2 Small's shape is compared with it", () => {
  const config = { n_layers: 12, n_heads: 12, d_model: 768, d_vocab: 50257 };
  const small = (over: object) => isGpt2Small({ config: { ...config, ...over } } as Model);
  assert.equal(small({}), true);
  for (const over of [{ n_layers: 24 }, { n_heads: 16 }, { d_model: 1024 }, { d_vocab: 820 }])
    assert.equal(small(over), false, JSON.stringify(over));
});

test("claims about one model are made of that model alone", async () => {
  const gpt2Small = { n_layers: 12, n_heads: 12, d_model: 768, d_vocab: 50257 };
  const made = async (modelId: string, over: object) => {
    const model = { config: { ...gpt2Small, ...over } } as Model;
    const one = (name: string) => [claim(`about ${name}`, 1 < 2, "1 and 2")];
    const claims = await claimsAbout(modelId, model, { embedded: () => one("ours"), gpt2: async () => one("GPT-2") });
    return claims.map((own) => own.claim);
  };
  assert.deepEqual(await made("embedded", { n_layers: 4 }), ["about ours"]);
  assert.deepEqual(await made("embedded", {}), ["about ours"]);
  assert.deepEqual(await made("gpt2", {}), ["about GPT-2"]);
  assert.deepEqual(await made("some/folder", {}), ["about GPT-2"]);
  assert.deepEqual(await made("distilgpt2", { n_layers: 6 }), []);
});

test("a claim on every cell fails if one is off or missing", () => {
  const { rows } = paperFigure("fig09_OV_1");
  const cells = rows.map(({ panel, x, y, value }) => ({ panel, x, y, value: value! }));
  const passes = (some: readonly MeasuredCell[]) => paperFigureClaim("fig09_OV_1", some, { everyCell: true }).passed;
  assert.equal(passes(cells), true);
  assert.equal(passes(cells.slice(1)), false);
  const { value, uncertainty } = rows[5];
  const moved = (by: number) => cells.map((cell, i) => (i === 5 ? { ...cell, value: value! + by } : cell));
  assert.equal(passes(moved(0.9 * uncertainty!)), true);
  assert.equal(passes(moved(1.1 * uncertainty!)), false);
  assert.equal(
    paperFigureClaim("fig09_OV_1", moved(0.1)).passed,
    Math.abs(value!) < 0.248,
    "the usual claim takes 95 of 100",
  );
});

test("agreement that a model without any effect would reach as well is no agreement", () => {
  const vague = exact.map((cell) => ({ ...cell, std: 10, n: 4 }));
  const { passed, evidence } = paperFigureClaim(FIGURE, vague);
  assert.equal(passed, false);
  assert.match(evidence, /27 of 27 of all.*too few prompts to tell/);
  const sharp = exact.map((cell) => ({ ...cell, std: 10, n: 4000 }));
  assert.equal(paperFigureClaim(FIGURE, sharp).passed, true);
});
