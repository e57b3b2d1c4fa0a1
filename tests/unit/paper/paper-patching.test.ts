import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { blockSite, headSite } from "../../../src/experiments/patch-sites";
import { activationPatch } from "../../../src/experiments/patching";
import { initBackend } from "../../../src/model/backend/choose";
import type { Model } from "../../../src/model/model";
import { compareWithPaper } from "../../../src/paper/compare";
import {
  averageSeeds,
  besidePaper,
  type PatchCell,
  paperPatching,
  patchingCells,
  patchingMap,
  patchOverSeeds,
} from "../../../src/paper/paper-patching";
import { resample } from "../../../src/prompts/corruption";
import { apart, near } from "../../fixtures/close";
import { tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(4, 1);
const FIGURES = ["fig01_res_1", "fig02_attn_1", "fig04_res_2", "fig05_attn_2_Ci", "fig06_attn_2_Ai_1", "fig07_res_3"];
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

test("every seed's rows are those of its own permutation", async () => {
  const options = { site: headSite(), corruption: "current_word", letters: [2] } as const;
  const seen: [number, number][] = [];
  const tensors = tf.memory().numTensors;
  const rows = await patchOverSeeds(model, data, {
    ...options,
    seeds: [5, 3],
    progress: (done, total) => seen.push([done, total]),
  });
  assert.equal(tf.memory().numTensors, tensors);
  const expected = [];
  for (const seed of [5, 3]) {
    const own = await activationPatch(model, data, { ...options, corrupted: resample(data, seed) });
    expected.push(...own.map((row) => ({ ...row, seed })));
  }
  near(rows, expected);
  apart(rows[0].change, rows[6].change);
  assert.deepEqual(
    [seen[0], seen.at(-1)],
    [
      [1, 14],
      [14, 14],
    ],
  );
  assert.ok(seen.every(([done], i) => done === i + 1));
});

test("averages are by cell: mean and spread over seeds, and the mean spread over prompts", () => {
  const row = (seed: number, head: number, change: number, std: number) => ({
    letter: 1 as const,
    layer: 0,
    head,
    seed,
    change,
    std,
  });
  const cells = averageSeeds([row(0, 0, 1, 2), row(0, 1, 7, 1), row(1, 0, 3, 4), row(1, 1, 7, 3)]);
  assert.deepEqual(
    cells.map(({ letter, layer, head, change, std }) => ({ letter, layer, head, change, std })),
    [
      { letter: 1, layer: 0, head: 0, change: 2, std: 3 },
      { letter: 1, layer: 0, head: 1, change: 7, std: 2 },
    ],
  );
  assert.deepEqual(
    cells.map(({ seed_std }) => seed_std),
    [Math.SQRT2, 0],
  );
});

test("the paper's figures are cells of the same kind as measured ones", async () => {
  for (const figure of FIGURES) {
    const cells = paperPatching(figure);
    const isHeads = figure.includes("attn");
    assert.equal(cells.length, isHeads ? (figure === "fig02_attn_1" ? 3 : 2) * 144 : 3 * 12 * 11, figure);
    assert.ok(cells.every(({ head, position }) => (head === undefined) !== (position === undefined)));
    assert.ok(cells.every(({ head }) => (head !== undefined) === isHeads));
  }
  const [strongest] = paperPatching("fig02_attn_1")
    .filter(({ letter }) => letter === 3)
    .sort((a, b) => a.change - b.change);
  assert.deepEqual([strongest.layer, strongest.head], [8, 11]);
  assert.ok(Math.abs(strongest.change + 2.716) < 0.01);
});

test("a figure that is no activation patching is refused, and so is none", () => {
  assert.throws(
    () => paperPatching("fig08_evaluation"),
    /fig08_evaluation is not about activation patching; figures 1, 2/,
  );
  assert.throws(() => paperPatching("fig01_res"), /"fig01_res" is not a digitised figure/);
});

test("the paper's own cells agree with the paper, and altered ones don't", () => {
  for (const figure of FIGURES) {
    const own = paperPatching(figure).map((cell) => ({ ...cell, std: 0, n: 1 }));
    const { cells, agree } = compareWithPaper(figure, patchingCells(own));
    assert.deepEqual([cells, agree], [own.length, own.length], figure);
    const other = compareWithPaper(figure, patchingCells(own.map((cell) => ({ ...cell, change: -cell.change }))));
    assert.ok(other.strong > 0 && other.strong_agree === 0, figure);
  }
});

test("a map has a panel a letter over positions or heads, and beside it the paper's", async () => {
  const rows = await patchOverSeeds(model, data, { site: blockSite(), corruption: "current_word", seeds: [0, 1] });
  const cells: PatchCell[] = averageSeeds(rows);
  assert.equal(patchingMap(cells).data.length, 3);
  assert.equal((patchingMap(cells).data[0].x as unknown[]).length, 11);
  const both = besidePaper(cells, "fig01_res_1");
  assert.deepEqual(
    both.data.map((trace) => (trace.z as unknown[]).length),
    [3, 3, 3, 12, 12, 12],
  );
  const reach = (change: number) => patchingMap([{ letter: 1, layer: 0, head: 0, change }]).layout.coloraxis;
  const cmax = (change: number) => (reach(change) as { cmax: number }).cmax;
  assert.deepEqual([cmax(0.03), cmax(-3)], [0.25, 3]); // hundredths stay pale
  const heads = patchingMap(paperPatching("fig05_attn_2_Ci"));
  assert.deepEqual([heads.data.length, (heads.data[0].x as unknown[]).length], [2, 12]);
});
