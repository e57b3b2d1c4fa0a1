import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import {
  type AttributionRow,
  attributionByPart,
  attributionByPosition,
  components,
  logitAttribution,
  rankHeads,
  sumOfParts,
} from "../../../src/experiments/attribution";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { logitLens } from "../../../src/experiments/logit-lens";
import { columnMean } from "../../../src/experiments/measure";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import { disposeRun, type Model } from "../../../src/model/model";
import type { AcronymTask } from "../../../src/prompts/acronym-task";
import { LETTERS, type Letter, POSITIONS, position, readoutPosition } from "../../../src/prompts/positions";
import type { Prompts } from "../../../src/prompts/task";
import { apart, near } from "../../fixtures/close";
import { randomModel, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(5, 1);
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

const sumOf = (rows: readonly AttributionRow[], letter: Letter, column: "logit" | "logit_diff") =>
  sumOfParts(rows)[letter - 1][column];

/** Logit differences of the model cut off at a depth: a half keeps a layer's attention without its MLP. */
function diffsUpTo(depth: number): number[][] {
  return tf.tidy(() => {
    const blocks = model.blocks.slice(0, Math.ceil(depth)).map((block, l) => {
      const { W_out, b_out } = block;
      return l + 0.5 === depth ? { ...block, W_out: tf.zerosLike(W_out), b_out: tf.zerosLike(b_out) } : block;
    });
    const cut = { ...model, blocks, config: { ...TINY, n_layers: blocks.length } };
    return logitDiffs(forward(cut, data.tokens, { readout: letterReadout(data) }), data) as never;
  });
}

/** The model's own mean logit of the right letter, and logit difference, by letter. */
function own(prompts: Prompts) {
  const run = forward(model, prompts.tokens, { readout: letterReadout(prompts) });
  const [logits, diffs] = [run.logits.arraySync(), logitDiffs(run, prompts)];
  disposeRun(run);
  const right = prompts.answerLetters.map((answers, i) => answers.map((answer, l) => logits[i][l][answer]));
  return LETTERS.map((_, l) => ({ logit: columnMean(right, l), logit_diff: columnMean(diffs, l) }));
}

test("components add up to the logit and the logit difference of every letter", async () => {
  const rows = await logitAttribution(model, data);
  for (const letter of LETTERS)
    for (const column of ["logit", "logit_diff"] as const)
      near(sumOf(rows, letter, column), own(data)[letter - 1][column], `${column} of letter ${letter}`);
});

test("they do so prompt by prompt, not only on average", async () => {
  for (let i = 0; i < data.tokens.length; i++) {
    const one: Prompts<AcronymTask> = { ...data, tokens: [data.tokens[i]], answerLetters: [data.answerLetters[i]] };
    const rows = await logitAttribution(model, one);
    for (const letter of LETTERS)
      near(sumOf(rows, letter, "logit_diff"), own(one)[letter - 1].logit_diff, `prompt ${i}`);
    assert.ok(rows.every(({ std }) => std === 0)); // of one number
  }
});

test("also where the right letter is the likeliest: it is never its own rival", async () => {
  const run = forward(model, data.tokens, { readout: letterReadout(data) });
  const answerLetters = run.logits.argMax(-1).arraySync() as number[][];
  disposeRun(run);
  const rows = await logitAttribution(model, { ...data, answerLetters });
  for (const letter of LETTERS) {
    const expected = own({ ...data, answerLetters })[letter - 1].logit_diff;
    assert.ok(expected > 0.01);
    near(sumOf(rows, letter, "logit_diff"), expected);
  }
});

test("each component once, in the order of the forward, and each of them adds something", async () => {
  const names = components(model).map(({ component }) => component);
  assert.deepEqual(names.slice(0, 6), ["embedding", "position", "0.0", "0.1", "attention bias 0", "mlp 0"]);
  assert.equal(names.length, 2 + TINY.n_layers * (TINY.n_heads + 2) + 1);
  assert.equal(new Set(names).size, names.length);
  const rows = await logitAttribution(model, data);
  assert.deepEqual(
    rows.slice(0, names.length).map(({ component }) => component),
    names,
  );
  const silent = rows.filter(({ logit }) => logit === 0);
  assert.deepEqual(silent, []);
});

test("a component that is taken out of the model takes its contribution with it", async () => {
  const rows = await logitAttribution(model, data);
  const last = model.blocks[TINY.n_layers - 1];
  const silenced = { ...last, W_out: tf.zerosLike(last.W_out), b_out: tf.zerosLike(last.b_out) };
  const blocks = [...model.blocks.slice(0, -1), silenced];
  const without = await logitAttribution({ ...model, blocks }, data);
  const of = (all: readonly AttributionRow[], component: string) =>
    all.find((row) => row.component === component && row.letter === 2)!;
  apart(of(rows, "mlp 2").logit, 0);
  near(of(without, "mlp 2").logit, 0);
  tf.dispose([silenced.W_out, silenced.b_out]);
});

test("a layer's parts are its heads and their bias together", async () => {
  const rows = await logitAttribution(model, data);
  const parts = attributionByPart(rows);
  assert.deepEqual(
    parts.slice(0, 9).map(({ part }) => part),
    [
      "embedding",
      "position",
      "attention 0",
      "mlp 0",
      "attention 1",
      "mlp 1",
      "attention 2",
      "mlp 2",
      "unembedding bias",
    ],
  );
  const attention = rows.filter((row) => row.layer === 1 && row.letter === 3 && row.kind !== "mlp");
  assert.equal(attention.length, TINY.n_heads + 1);
  const part = parts.find((row) => row.part === "attention 1" && row.letter === 3)!;
  near(
    part.logit,
    attention.reduce((sum, { logit }) => sum + logit, 0),
  );
  near(
    part.logit_diff,
    attention.reduce((sum, { logit_diff }) => sum + logit_diff, 0),
  );
});

test("by position a head's contributions add up to the head, and come from nothing later", async () => {
  const heads = allHeads(TINY);
  const rows = await logitAttribution(model, data);
  const split = await attributionByPosition(model, data, heads);
  assert.equal(split.length, heads.length * 3 * POSITIONS.length);
  for (const { layer, head } of heads)
    for (const letter of LETTERS) {
      const mine = split.filter((row) => row.layer === layer && row.head === head && row.letter === letter);
      const expected = rows.find((row) => row.component === `${layer}.${head}` && row.letter === letter)!;
      near(
        mine.reduce((sum, { logit_diff }) => sum + logit_diff, 0),
        expected.logit_diff,
        `${layer}.${head}`,
      );
      for (const { key, logit_diff } of mine) if (position(key) > readoutPosition(letter)) assert.equal(logit_diff, 0); // its attention is 0
    }
});

test("the lens reads the embedding first, then every half layer, and at the end what the model says", async () => {
  const rows = await logitLens(model, data);
  assert.deepEqual(
    rows.filter(({ letter }) => letter === 1).map(({ depth }) => depth),
    [0, 0.5, 1, 1.5, 2, 2.5, 3],
  );
  for (const { letter, logit_diff } of rows.filter(({ depth }) => depth === 3))
    near(logit_diff, own(data)[letter - 1].logit_diff);
  for (const { depth, letter, logit_diff, accuracy } of rows) {
    const diffs = diffsUpTo(depth);
    near(logit_diff, columnMean(diffs, letter - 1), `letter ${letter} at ${depth}`);
    assert.equal(accuracy, diffs.filter((row) => row[letter - 1] > 0).length / 5);
  }
});

test("batches of any size give the same rows", async () => {
  near(await logitAttribution(model, data, { batch: 2 }), await logitAttribution(model, data));
  near(await logitLens(model, data, { batch: 2 }), await logitLens(model, data));
  const heads = allHeads(TINY);
  near(await attributionByPosition(model, data, heads, { batch: 2 }), await attributionByPosition(model, data, heads));
});

test("a model with its layer norms unfolded is refused by name", async () => {
  const raw = randomModel(TINY, 0);
  for (const attribute of [logitAttribution, logitLens, (m: Model, d: Prompts) => attributionByPosition(m, d, [])])
    await assert.rejects(attribute(raw, data), /tiny is not processed; load it with/);
});

test("attribution leaves nothing behind", async () => {
  const tensors = tf.memory().numTensors;
  await logitAttribution(model, data, { batch: 2 });
  await attributionByPosition(model, data, allHeads(TINY), { batch: 2 });
  await logitLens(model, data, { batch: 2 });
  assert.equal(tf.memory().numTensors, tensors);
});

test("heads are ranked letter by letter, what writes most first; other parts have no rank", async () => {
  const rows = await logitAttribution(model, data);
  const ranked = rankHeads(rows);
  const heads = TINY.n_layers * TINY.n_heads;
  assert.equal(ranked.length, LETTERS.length * heads);
  for (const [i, { letter, rank, kind, logit_diff }] of ranked.entries()) {
    assert.deepEqual([letter, rank, kind], [LETTERS[Math.floor(i / heads)], (i % heads) + 1, "head"]);
    if (rank > 1) assert.ok(logit_diff <= ranked[i - 1].logit_diff);
  }
});
