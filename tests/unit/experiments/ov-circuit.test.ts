import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { logitAttribution } from "../../../src/experiments/attribution";
import {
  copyingScores,
  diagonalStatistics,
  diagonalTable,
  moveThrough,
  ovCircuit,
  ovMap,
  ovMatrix,
  ovPanels,
  ovQuadrants,
  ovRows,
  strongestWriters,
} from "../../../src/experiments/ov-circuit";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { headWeights } from "../../../src/model/head-weights";
import { allHeads } from "../../../src/model/heads";
import { edit } from "../../../src/model/hooks";
import { disposeModel, disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { mean } from "../../../src/numbers/statistics";
import { paperFigure } from "../../../src/paper/paper";
import { apart, near } from "../../fixtures/close";
import { processedModel, randomModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_layers: 2, n_ctx: 12 };
const tokens = { letters: range(26), spaceLetters: range(26).map((i) => 26 + i) };
const small = { from: [3, 40, 7], to: [5, 59] };
let raw: Model;
let model: Model;

before(async () => {
  await initBackend();
  raw = randomModel(config, 0);
  model = processedModel(config, 0);
});

const product = (a: number[][], b: number[][]) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));

test("the OV circuit is the product of its four matrices", () => {
  const { W_V, W_O } = headWeights(model, { layer: 1, head: 0 });
  const [E, V, O, U] = [model.W_E, W_V, W_O, model.W_U].map((matrix) => matrix.arraySync());
  const picked = small.from.map((id) => E[id]);
  const all = product(product(product(picked, V), O), U);
  near(
    ovCircuit(model, [{ layer: 1, head: 0 }], small),
    all.map((row) => small.to.map((id) => row[id])),
  );
});

test("heads together write the sum of what each writes", () => {
  const [a, b] = [1, 0].map((head) => ovCircuit(model, [{ layer: 1, head }], small));
  const both = ovCircuit(model, allHeads(config).slice(2), small);
  near(
    both,
    a.map((row, i) => row.map((value, j) => value + b[i][j])),
  );
});

test("after the first MLP: what the model has there without attention and position", () => {
  const nothing = (x: tf.Tensor3D) => x.mul(0) as tf.Tensor3D;
  const at = "blocks.1.hook_resid_pre" as const;
  const run = forward(model, [small.from], {
    interventions: [...edit("hook_pos_embed", nothing), ...edit("blocks.0.hook_attn_out", nothing)],
    keep: [at],
    readout: "none",
  });
  const head = { layer: 1, head: 1 };
  const expected = tf.tidy(() => {
    const x = run.cache[at].squeeze([0]) as tf.Tensor2D;
    const logits = tf.matMul(moveThrough(model, head, x), model.W_U);
    return tf.gather(logits, small.to, 1).arraySync() as number[][];
  });
  disposeRun(run);
  const found = ovCircuit(model, [head], { ...small, input: "first mlp" });
  near(found, expected);
  apart(found, ovCircuit(model, [head], small));
});

test("the four panels have the paper's names and the right inputs and outputs", () => {
  const head = [{ layer: 0, head: 1 }];
  const rows = ovQuadrants(model, head, tokens);
  const panels = (all: readonly { panel: string }[]) => [...new Set(all.map(({ panel }) => panel))];
  assert.deepEqual(panels(rows), panels(paperFigure("fig10_OV_4").rows));
  const { letters, spaceLetters } = tokens;
  near(ovMatrix(rows, "|_X| -> |X|"), ovCircuit(model, head, { from: spaceLetters, to: letters }));
  const cell = rows.find(({ panel, y, x }) => panel === "|X| -> |_X|" && y === "B" && x === "D");
  near(cell?.value, ovCircuit(model, head, { from: letters, to: spaceLetters })[1][3]);
});

test("a matrix becomes rows and a matrix again; what is not known stays null", () => {
  const matrix = range(26).map((i) => range(26).map((j) => i * 26 + j));
  assert.deepEqual(ovMatrix(ovRows(matrix, "a"), "a"), matrix);
  const holes = matrix.map((row, i) => (i === 16 ? null : row));
  const rows = ovRows(holes, "a");
  assert.deepEqual([...new Set(rows.filter(({ value }) => value === null).map(({ y }) => y))], ["Q"]);
  assert.throws(() => ovMatrix(rows, "a"), /no whole panel "a"/);
  assert.throws(() => ovMatrix(rows, "b"), /no whole panel "b"; there are a/);
});

test("the paper's figure 10 has the diagonals that the data set's README gives", () => {
  const { rows } = paperFigure("fig10_OV_4");
  const found = [...new Set(rows.map(({ panel }) => panel))].map((p) => diagonalStatistics(ovMatrix(rows, p)).diagonal);
  for (const [i, expected] of [3.62, 5.44, 6.78, 8.95].entries()) assert.ok(Math.abs(found[i] - expected) < 0.01);
});

test("diagonal statistics of a matrix that can be done by hand", () => {
  const matrix = [
    [4, 1, 0],
    [2, 5, 9],
    [3, 3, 6],
  ];
  assert.deepEqual(diagonalStatistics(matrix), {
    rows: 3,
    diagonal: 5,
    off_diagonal: 3,
    row_maximum: 2,
    copied: 2 / 3,
  });
  assert.deepEqual(diagonalStatistics([matrix[0], null, matrix[2]]), {
    rows: 2,
    diagonal: 5,
    off_diagonal: 7 / 4,
    row_maximum: 2,
    copied: 1,
  });
});

test("the table of diagonals says by name what diagonalStatistics counts, of known rows", () => {
  const matrix = [
    [4, 1, 0],
    [2, 5, 9],
    [3, 3, 6],
  ];
  assert.deepEqual(diagonalTable({ all: matrix, some: [matrix[0], null, null] }, "input"), [
    { input: "all", diagonal: 5, "off the diagonal": 3, "own capital on top": "2 of 3" },
    { input: "some", diagonal: 4, "off the diagonal": 0.5, "own capital on top": "1 of 1" },
  ]);
});

test("panels as matrices, each by its name", () => {
  const [a, b] = [1, 2].map((scale) => range(26).map((i) => range(26).map((j) => scale * (100 * i + j))));
  assert.deepEqual(ovPanels([...ovRows(a, "a"), ...ovRows(b, "b")]), { a, b });
});

test("the map of an OV circuit names every capital, and each panel where there are several", () => {
  const matrix = range(26).map(() => range(26));
  const one = ovMap(ovRows(matrix, "a"));
  const four = ovMap(["a", "b", "c", "d"].flatMap((panel) => ovRows(matrix, panel)));
  for (const { layout } of [one, four])
    for (const axis of ["xaxis", "yaxis"]) assert.equal((layout[axis] as { tickvals: string[] }).tickvals.length, 26);
  const titles = ({ layout }: typeof one) => (layout.annotations as { text: string }[]).map(({ text }) => text);
  assert.ok(["a", "b", "c", "d"].every((panel) => titles(four).includes(panel)));
  assert.ok(!titles(one).includes("a"));
  assert.ok(four.layout.width <= 700, "fits beside a list of files on a small screen");
});

test("every token is among all tokens' logits, and the likeliest one among the first", () => {
  const from = range(10);
  const all = copyingScores(model, { from, to: from, top: config.d_vocab });
  assert.deepEqual(
    all.map(({ copying }) => copying),
    allHeads(config).map(() => 1),
  );
  // b_U is the same for all heads and inputs: it must be added before the likeliest is looked for
  const loud: Model = { ...model, b_U: tf.oneHot(9, config.d_vocab).mul(1e4).toFloat() as tf.Tensor1D };
  const shares = (to: number) =>
    copyingScores(loud, { from, to: from.map(() => to), top: 1 }).map(({ copying }) => copying);
  assert.deepEqual(
    [shares(9), shares(8)],
    [
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ],
  );
  loud.b_U.dispose();
});

test("copying scores of many heads take no more memory than those of a few: the logits of one head at a time", async () => {
  const peak = async (n_layers: number) => {
    const deep = processedModel({ ...config, n_layers, d_vocab: 5000 }, 0);
    const before = tf.memory().numBytes;
    const { peakBytes } = await tf.profile(() => {
      copyingScores(deep, { from: [1, 2, 3], to: [1, 2, 3] });
      return tf.scalar(0);
    });
    disposeModel(deep);
    return peakBytes - before;
  };
  const logits = 4 * 3 * 5000;
  assert.ok((await peak(20)) < (await peak(1)) + logits);
});

test("the strongest writers come in the order of what they write", async () => {
  const data = randomPrompts(6, 3);
  const attributed = await logitAttribution(model, data);
  const written = (layer: number, head: number) =>
    mean(attributed.filter((row) => row.layer === layer && row.head === head).map(({ logit_diff }) => logit_diff));
  const order = await strongestWriters(model, data, { top: 4 });
  const values = order.map(({ layer, head }) => written(layer, head));
  assert.deepEqual(
    values,
    [...values].sort((a, b) => b - a),
  );
  assert.deepEqual(await strongestWriters(model, data, { top: 1 }), order.slice(0, 1));
});

test("nothing is left behind", () => {
  const tensors = tf.memory().numTensors;
  ovQuadrants(model, allHeads(config), tokens);
  ovCircuit(model, allHeads(config), { ...small, input: "first mlp" });
  copyingScores(model, { from: [1], to: [2] });
  assert.equal(tf.memory().numTensors, tensors);
});

test("what can't be done is said", () => {
  const head = { layer: 1, head: 0 };
  assert.throws(() => ovCircuit(raw, [head], small), /tiny is not processed/);
  assert.throws(() => copyingScores(raw, { from: [1], to: [2] }), /tiny is not processed/);
  assert.throws(() => ovCircuit(model, [], small), /no heads of an OV circuit; give at least one/);
  assert.throws(() => ovCircuit(model, [{ layer: 2, head: 0 }], small), /no head 2\.0/);
});
