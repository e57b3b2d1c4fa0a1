import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { alignedSubspace } from "../../../src/experiments/alignment-search";
import { interchangeAccuracy } from "../../../src/experiments/interchange";
import {
  EXCHANGES,
  nextWords,
  placesName,
  predictedLetters,
  shiftedWords,
  TURNS,
  UNMOVED,
} from "../../../src/experiments/order-model";
import {
  activationSite,
  bosSite,
  headPlanes,
  headPoints,
  layersTogether,
  PARTS,
  partsOf,
  placedRows,
  placeMeans,
  residualPoints,
  together,
  wordsInPlane,
} from "../../../src/experiments/order-sites";
import { swapBosAttention, swapPositions } from "../../../src/experiments/word-swaps";
import { loadModel } from "../../../src/load/load";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import { disposeModel, disposeRun, type Model } from "../../../src/model/model";
import { coordinates } from "../../../src/numbers/subspace";
import { distinctLetters, select, wordsApart } from "../../../src/prompts/acronyms";
import { loadAcronyms } from "../../../src/prompts/dataset";
import { near, nearly } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(5, 1);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel();
});

describe("the causal model", () => {
  test("says the next word of the places, and nothing after the last", () => {
    assert.deepEqual(nextWords(UNMOVED), [1, 2, 3]);
    assert.deepEqual(EXCHANGES.map(nextWords), [
      [2, 3, 1],
      [3, null, 1],
      [1, 3, null],
    ]);
    // word 1 takes place 2, word 2 place 3, word 3 place 1: first word 3, after word 1 (place 2) word 2 (place 3), after word 2 nothing
    assert.deepEqual(TURNS.map(nextWords), [
      [3, 2, null],
      [2, null, 3],
    ]);
  });
  test("wrong words are other words wherever something is predicted", () => {
    for (const places of EXCHANGES)
      for (const by of [1, 2] as const)
        shiftedWords(by)(places).forEach((word, i) => {
          const right = nextWords(places)[i];
          assert.equal(word === null, right === null);
          if (word !== null) assert.notEqual(word, right);
        });
  });
  test("names and letters", () => {
    assert.deepEqual([...EXCHANGES, ...TURNS, UNMOVED].map(placesName), [
      "C1↔C2",
      "C1↔C3",
      "C2↔C3",
      "C1→C2→C3→C1",
      "C1→C3→C2→C1",
      "none",
    ]);
    assert.deepEqual(predictedLetters("KPW", [[3, 2, 1]]), [
      { exchange: "C1↔C3", letter_1: "W", letter_2: "–", letter_3: "K" },
    ]);
  });
});

describe("what is exchanged", () => {
  const same = (own: ReturnType<typeof swapPositions>, other: ReturnType<typeof swapPositions>) => {
    const [a, b] = [own, other].map((interventions) => forward(model, data.tokens, { interventions }));
    near(a.logits, b.logits);
    disposeRun(a, b);
  };
  test("position embeddings and attention to BOS are those of the paper's swaps", () => {
    const clean = forward(model, data.tokens, { keep: () => true });
    const heads = allHeads(TINY);
    same(activationSite({ site: "", at: "hook_pos_embed" }).exchange(clean, [3, 2, 1]), swapPositions("C1", "C3"));
    same(bosSite("", heads).exchange(clean, [3, 2, 1]), swapBosAttention(heads, clean, "C1", "C3"));
    disposeRun(clean);
  });
  test("the tokens before layer 0, exchanged with all they have, are the prompt with its capitals exchanged", () => {
    const clean = forward(model, data.tokens, { keep: ["hook_embed"] });
    const site = activationSite({ site: "", at: "hook_embed" });
    const run = forward(model, data.tokens, { interventions: site.exchange(clean, [2, 3, 1]) });
    const turned = forward(
      model,
      data.tokens.map((row) => placedRows([2, 3, 1]).map((from) => row[from])),
    );
    near(run.logits, turned.logits);
    disposeRun(clean, run, turned);
  });
  test("as many directions as there are make the whole; unmoved places change nothing; no tensor stays", async () => {
    const points = [...residualPoints(TINY), ...headPoints(TINY)];
    const none = tf.memory().numTensors;
    const means = await placeMeans(model, data, points);
    assert.equal(tf.memory().numTensors, none);
    assert.deepEqual(
      means.map((own) => [own.length, own[0].length]),
      points.map(({ head }) => [3, head === undefined ? TINY.d_model : TINY.d_head]),
    );
    const sites = points.flatMap((point, p) => partsOf(point, means[p], 0));
    assert.deepEqual(
      sites.slice(0, 4).map(({ part }) => part),
      Object.values(PARTS),
    );
    const tensors = tf.memory().numTensors;
    const rows = await interchangeAccuracy(model, data, [
      ...sites,
      together("both", [sites[0], bosSite("", allHeads(TINY))]),
    ]);
    assert.equal(rows.length, 3 * (sites.length + 1));
    const unmoved = await interchangeAccuracy(model, data, [sites[3]], {
      exchanges: [UNMOVED],
      predict: () => [null, null, null],
    });
    assert.equal(unmoved[0].iia, 1); // nothing is predicted, so nothing fails
    assert.deepEqual([unmoved[0].letter_1, unmoved[0].n], [null, 5]);
    assert.equal(tf.memory().numTensors, tensors);
  });
  test("words lie where their coordinates say; the means of points are the places' means", async () => {
    const point = residualPoints(TINY)[1];
    const [means] = await placeMeans(model, data, [point]);
    const plane = [...Array(TINY.d_model).keys()].map((i) => [Number(i === 0), Number(i === 1)]);
    const rows = await wordsInPlane(model, data, point, plane);
    const own = rows
      .filter(({ word }) => word === "C2")
      .map(({ direction_1, direction_2 }) => [direction_1, direction_2]);
    near(
      [0, 1].map((d) => own.reduce((sum, row) => sum + row[d] / own.length, 0)),
      coordinates([means[1]], plane)[0],
    );
  });
  test("heads of several layers together: all of them are each of them, and of one layer it is that layer's", async () => {
    const points = headPoints(TINY);
    const means = await placeMeans(model, data, points);
    const sites = layersTogether(TINY, means);
    assert.deepEqual(
      sites.map(({ site }) => site),
      ["heads of layer 0", "heads of layer 0, positions", "heads of layers 0–1", "heads of layers 0–1, positions"],
    );
    const clean = forward(model, data.tokens, { keep: () => true });
    same(sites[0].exchange(clean, [2, 3, 1]), headPlanes(TINY, means)[TINY.n_heads].exchange(clean, [2, 3, 1]));
    assert.equal(sites[3].exchange(clean, [2, 1, 3]).length, 2 * TINY.n_heads + 1);
    same(
      sites[1].exchange(clean, [2, 1, 3]),
      together("", [sites[0], activationSite({ site: "", at: "hook_pos_embed" })]).exchange(clean, [2, 1, 3]),
    );
    disposeRun(clean);
  });
  test("no sites and no exchanges are refused", async () => {
    await assert.rejects(interchangeAccuracy(model, data, []), /no sites/);
    await assert.rejects(
      interchangeAccuracy(model, data, [activationSite(residualPoints(TINY)[0])], { exchanges: [] }),
      /no exchanges/,
    );
  });
});

describe("alignment search", () => {
  test("finds perpendicular directions, seeded, that lower the loss, and leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    const options = { k: 2, seed: 1, steps: 12, batch: 5, rate: 0.1 };
    const point = residualPoints(TINY)[1];
    const { subspace, losses } = await alignedSubspace(model, data, point, options);
    assert.equal(tf.memory().numTensors, before);
    const [a, b] = [0, 1].map((j) => subspace.map((row) => row[j]));
    const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
    near([dot(a, a), dot(b, b), dot(a, b)], [1, 1, 0]);
    assert.equal(losses.length, 12);
    assert.ok(losses[11] < losses[0], `${losses}`);
    assert.ok(
      losses.every((loss) => loss > 0), // a cross-entropy
      `${losses}`,
    );
    const again = await alignedSubspace(model, data, point, options);
    near(again.subspace.flat(), subspace.flat());
  });
  test("a head's output, k beyond its size", async () => {
    const { subspace } = await alignedSubspace(model, data, headPoints(TINY)[1], { k: 99, seed: 1, steps: 1 });
    assert.deepEqual([subspace.length, subspace[0].length], [TINY.d_head, TINY.d_head]);
  });
  test("bad options are refused", async () => {
    const point = residualPoints(TINY)[1];
    const last = { site: "head 2.0", at: "blocks.2.attn.hook_z", head: 0 } as const;
    await assert.rejects(alignedSubspace(model, data, last, { k: 1, seed: 1 }), /no letter depends on head 2.0/);
    await assert.rejects(alignedSubspace(model, data, point, { k: 0, seed: 1 }), /k must be/);
    await assert.rejects(alignedSubspace(model, data, point, { k: 1, seed: 1, steps: 0 }), /steps must be/);
    await assert.rejects(alignedSubspace(model, data, point, { k: 1, seed: 1, exchanges: [] }), /no exchanges/);
  });
});

test("on the embedded model the plane of means carries the place: in turn, too, where the tokens themselves don't", async () => {
  const loaded = await loadModel("embedded");
  const tested = distinctLetters(loadAcronyms("data/acronyms/held-out.txt", loaded.tokenizer, { n: 60, seed: 1 }), 20);
  const found = wordsApart(loadAcronyms("data/acronyms/train.txt", loaded.tokenizer, { n: 60, seed: 1 }), tested);
  const points = residualPoints(loaded.model.config).slice(0, 2);
  const means = await placeMeans(loaded.model, found, points);
  const sites = [activationSite(points[0]), ...partsOf(points[1], means[1], 0)];
  const rows = await interchangeAccuracy(loaded.model, tested, sites, { exchanges: [...EXCHANGES, ...TURNS] });
  const of = (s: number) => rows.slice(5 * s, 5 * s + 5).map(({ iia }) => iia);
  const [tokens, , plane, random] = [0, 1, 2, 3].map(of);
  assert.ok(
    plane.every((iia) => iia > 0.6),
    `${plane}`,
  );
  assert.deepEqual(
    random.map((iia) => iia < 0.1),
    [true, true, true, true, true],
  );
  assert.deepEqual(
    tokens.map((iia) => iia > 0.5),
    [true, true, true, false, false],
  );
  disposeModel(loaded.model);
});

test("prompts of distinct letters, and prompts without each other's words", () => {
  const prompts = tinyPrompts(40, 3);
  const named = {
    ...prompts,
    words: prompts.acronyms.map((a) => [...a].map((letter) => `${letter}x`) as [string, string, string]),
  };
  const distinct = distinctLetters(named, 5);
  assert.equal(distinct.prompts.length, 5);
  assert.ok(distinct.acronyms.every((acronym) => new Set(acronym).size === 3));
  const one = select(named, [0]);
  assert.ok(wordsApart(named, one).words.every((words) => !words.some((word) => one.words[0].includes(word))));
  assert.throws(() => wordsApart(one, one), /no prompts without a word of the others/);
  const equal = { ...one, acronyms: ["AAB"] };
  assert.throws(() => distinctLetters(equal, 1), /no prompts of three different letters/);
  nearly(distinctLetters(named, 1000).prompts.length, named.acronyms.filter((a) => new Set(a).size === 3).length);
});
