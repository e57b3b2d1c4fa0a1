import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { paperScatterExtents } from "../../../scripts/validate/extents";
import { besidePaperFigure, patchingFigure, scatterClaim, scatterRows } from "../../../scripts/validate/figures";
import type { ScatterRow } from "../../../src/experiments/attention";
import { ovCircuit } from "../../../src/experiments/ov-circuit";
import { blockSite, headSite, type Site } from "../../../src/experiments/patch-sites";
import { activationPatch } from "../../../src/experiments/patching";
import type { Tokenizer } from "../../../src/load/tokenizer";
import { initBackend } from "../../../src/model/backend/choose";
import type { Model } from "../../../src/model/model";
import type { MeasuredCell } from "../../../src/paper/compare";
import { paperFigure, paperHeads } from "../../../src/paper/paper";
import { evaluationFigure, ovFigures } from "../../../src/paper/paper-figures";
import { resample } from "../../../src/prompts/corruption";
import { LETTERS } from "../../../src/prompts/positions";
import { apart, near, nearly } from "../../fixtures/close";
import { processedModel, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

/** GPT-2 Small's layers and heads, so that the paper's heads are there; everything else is tiny. */
const config = { ...TINY, n_layers: 12, n_heads: 12, d_model: 24, d_head: 2 };
const data = tinyPrompts(4, 1);
const letterIds = Array.from({ length: 26 }, (_, i) => i);
const tokenizer = { letters: letterIds, spaceLetters: letterIds.map((id) => 26 + id) } as unknown as Tokenizer;
let model: Model;

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
});

test("figure 9 is of head 8.11, figure 10 the sum over the four letter movers", () => {
  const { fig09_OV_1, fig10_OV_4 } = ovFigures(model, tokenizer);
  const heads = ["8.11", "9.9", "10.10", "11.4"].map((name) => name.split(".").map(Number));
  const K = letterIds[10];
  const spaceKtoK = ([layer, head]: number[]) => ovCircuit(model, [{ layer, head }], { from: [26 + K], to: [K] })[0][0];
  const at = (cells: readonly MeasuredCell[]) =>
    cells.find(({ panel, x, y }) => panel === "|_X| -> |X|" && x === "K" && y === "K")!.value;
  const singles = heads.map(spaceKtoK);
  near(at(fig09_OV_1), singles[0]);
  near(
    at(fig10_OV_4),
    singles.reduce((a, b) => a + b),
  );
});

test("circuit evaluation: figure 8, each seed a permutation of its own", async () => {
  const { numTensors } = tf.memory();
  const measured = await evaluationFigure(model, data, { seeds: [0, 1] });
  const [first, second] = [0, 1].map((seed) => measured.fig08_evaluation.slice(27 * seed, 27 * (seed + 1)));
  apart(first, second);
  near((await evaluationFigure(model, data, { seeds: [1] })).fig08_evaluation, second);
  assert.equal(tf.memory().numTensors, numTensors);
});

/** What the official scripts corrupt and patch; positions of letters 1, 2 and 3. */
const PATCHED = {
  fig01_res_1: ["current_word", blockSite()],
  fig02_attn_1: ["current_word", headSite()],
  fig04_res_2: ["previous_words", blockSite()],
  fig05_attn_2_Ci: ["previous_words", headSite("z", (letter) => [2, 4, 6][letter - 1])],
  fig06_attn_2_Ai_1: ["previous_words", headSite("z", (letter) => [8, 9, 10][letter - 1])],
  fig07_res_3: ["previous_letters", blockSite()],
} as const;

test("patching: each figure is of the official corruption and place", async () => {
  const small = tinyModel(); // what is patched does not depend on how many heads there are
  for (const [figure, [corruption, site]] of Object.entries(PATCHED)) {
    const { [figure]: cells } = await patchingFigure(small, data, { figure, seeds: [3] });
    const options = { corruption, site: site as Site<object>, corrupted: resample(data, 3) };
    const rows = await activationPatch(small, data, { ...options, letters: [2] });
    const found = cells.filter(({ letter }) => letter === 2).map(({ value }) => value);
    near(
      found,
      rows.map((row) => row.change),
      figure,
    );
    apart(
      found,
      found.map(() => 0),
      figure,
    );
  }
});

test("patching: a figure that is not about it is refused with those that are", async () => {
  await assert.rejects(
    patchingFigure(model, data, { figure: "fig08_evaluation", seeds: [0] }),
    /fig08_evaluation is not about activation patching; there are fig01_res_1,.*fig07_res_3/,
  );
});

/** Markers at the corners of the paper's own extents. */
const cornerRows = (scale: number): ScatterRow[] =>
  paperHeads().letter_movers.flatMap((head) =>
    paperScatterExtents(`fig11_scatter_${head.layer}_${head.head}`).flatMap(({ letter, x, y }) =>
      [0, 1].map((end) => ({
        ...head,
        prompt: end,
        letter,
        word: letter,
        attention: scale * x[end],
        logit: scale * y[end],
      })),
    ),
  );

test("figure 11: the paper's extents agree with themselves, not with narrower ones or those of random weights", async () => {
  assert.equal(scatterClaim(cornerRows(1)).passed, true);
  assert.match(scatterClaim(cornerRows(1)).evidence, /^mean overlap 1\.00/);
  assert.equal(scatterClaim(cornerRows(0.3)).passed, false);
  const rows = await scatterRows(model, data);
  assert.equal(rows.length, 4 * data.prompts.length * LETTERS.length * LETTERS.length);
  assert.equal(scatterClaim(rows).passed, false);
});

test("several seeds are drawn as their mean", () => {
  const cells = paperFigure("fig08_evaluation").rows.map(({ letter, x, value }) => ({ letter, x, value: value! }));
  const shifted = (by: number) => cells.map((cell) => ({ ...cell, value: cell.value + by }));
  const drawn = (...seeds: (typeof cells)[]) => besidePaperFigure("fig08_evaluation", seeds.flat()).data[0].y;
  nearly(drawn(shifted(-1), shifted(1)), drawn(cells));
});
