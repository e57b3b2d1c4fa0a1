import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import {
  accuracyByLayer,
  bosProbes,
  headProbes,
  type ProbeSite,
  probesOfRuns,
  residualProbes,
  rotateWords,
  wordProbes,
} from "../../../src/experiments/word-probes";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import { edit } from "../../../src/model/hooks";
import { equalPositions } from "../../../src/model/interventions";
import { disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { random } from "../../../src/numbers/random";
import { ACRONYMS, type AcronymTask } from "../../../src/prompts/acronym-task";
import type { Prompts } from "../../../src/prompts/task";
import { nearly } from "../../fixtures/close";
import { randomModel, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_layers: 2, n_ctx: 12, d_vocab: 80 };
const { int } = random(1);
/** Letters are the tokens 0 … 25, so that what is written can be told from words. */
const prompts: Prompts<AcronymTask> = (() => {
  const answerLetters = range(20).map(() => [int(26), int(26), int(26)]);
  const word = () => 30 + int(40);
  const tokens = answerLetters.map(([a, b]) => [79, 78, ...range(6).map(word), 77, a, b]);
  return { task: ACRONYMS, tokens, answerLetters, letters: range(26) };
})();
let model: Model;

before(async () => {
  await initBackend();
  model = randomModel(config, 0);
});

describe("rotateWords", () => {
  const rotated = rotateWords(prompts);

  it("gives the prompt itself and its two rotations, with their letters", () => {
    assert.equal(rotated.tokens.length, 3 * prompts.tokens.length);
    assert.deepEqual(rotated.tokens[0], prompts.tokens[0]);
    const [bos, the, a, b, c, d, e, f, open] = prompts.tokens[0];
    const [x, y, z] = prompts.answerLetters[0];
    assert.deepEqual(rotated.tokens[1], [bos, the, c, d, e, f, a, b, open, y, z]);
    assert.deepEqual(rotated.tokens[2], [bos, the, e, f, a, b, c, d, open, z, x]);
    assert.deepEqual(rotated.answerLetters.slice(0, 3), [
      [x, y, z],
      [y, z, x],
      [z, x, y],
    ]);
  });

  it("puts each word in each place once", () => {
    for (const place of [2, 4, 6]) {
      const here = rotated.tokens.slice(3, 6).map((row) => row[place]);
      assert.deepEqual([...here].sort(), [2, 4, 6].map((pos) => prompts.tokens[1][pos]).sort());
    }
  });
});

describe("sites", () => {
  it("read what the hooks hold at C1, C2, C3", () => {
    const run = forward(model, prompts.tokens, { keep: () => true });
    const same = (a: tf.Tensor, b: tf.Tensor) => assert.deepEqual(a.arraySync(), b.arraySync());
    const words = [2, 4, 6];
    same(residualProbes.read(run, { layer: 1 }, ACRONYMS), tf.gather(run.cache["blocks.1.hook_resid_pre"], words, 1));
    same(residualProbes.read(run, { layer: 2 }, ACRONYMS), tf.gather(run.cache["blocks.1.hook_resid_post"], words, 1));
    const z = run.cache["blocks.0.attn.hook_z"].arraySync();
    assert.deepEqual(
      headProbes.read(run, { layer: 0, head: 1 }, ACRONYMS).arraySync(),
      z.map((row) => words.map((pos) => row[pos][1])),
    );
    const pattern = run.cache["blocks.1.attn.hook_pattern"].arraySync();
    assert.deepEqual(
      bosProbes.read(run, { layer: 1, head: 0 }, ACRONYMS).arraySync(),
      pattern.map((heads) => words.map((pos) => [heads[0][pos][0]])),
    );
    disposeRun(run);
  });

  it("have a point for each layer and one after the last, or one for each head", () => {
    assert.deepEqual(residualProbes.points(config), [{ layer: 0 }, { layer: 1 }, { layer: 2 }]);
    for (const site of [headProbes, bosProbes]) assert.deepEqual(site.points(config), allHeads(config));
  });
});

describe("wordProbes", () => {
  const seeds = [0, 1];

  it("with all positions alike, find exactly nothing before the first layer: every word is in every place", async () => {
    const rows = await wordProbes(model, prompts, { site: residualProbes, seeds, interventions: equalPositions() });
    for (const { accuracy } of rows.filter(({ layer }) => layer === 0)) nearly(accuracy, 1 / 3);
  });

  it("find the place in position embeddings that are larger than the words'", async () => {
    const clear = { ...model, W_pos: tf.tidy(() => model.W_pos.mul(10) as tf.Tensor2D) };
    const rows = await wordProbes(clear, prompts, { site: residualProbes, seeds });
    for (const { accuracy } of rows.filter(({ layer }) => layer === 0)) assert.equal(accuracy, 1);
    clear.W_pos.dispose();
  });

  it("find the place in even attention to BOS, from the mask alone", async () => {
    const even = edit("blocks.0.attn.hook_attn_scores", (scores) =>
      tf.where(scores.greater(-1e30), tf.zerosLike(scores), scores),
    );
    const rows = await wordProbes(model, prompts, {
      site: bosProbes,
      seeds,
      interventions: [...equalPositions(), ...even],
    });
    for (const { accuracy } of rows.filter(({ layer }) => layer === 0)) assert.equal(accuracy, 1);
  });

  it("are near chance on shuffled labels", async () => {
    const rows = await wordProbes(model, prompts, { site: headProbes, seeds: [0, 1, 2] });
    const average = rows.reduce((sum, { shuffled }) => sum + shuffled, 0) / rows.length;
    assert.ok(Math.abs(average - 1 / 3) < 0.08, `${average}`);
  });

  it("are tested on other prompts than those they learnt by heart", async () => {
    const noise: ProbeSite<{ seed: number }> = {
      points: () => range(4).map((seed) => ({ seed })),
      hooks: () => [],
      read: ({ tokens }, { seed }) => tf.randomNormal([tokens.length, 3, 100], 0, 1, "float32", seed),
    };
    const rows = await wordProbes(model, prompts, { site: noise, seeds });
    for (const { accuracy } of rows) assert.ok(accuracy < 0.6, `${accuracy} where there is nothing but noise`);
  });

  it("depend on the seed alone, not on the batch, and leave nothing in memory", async () => {
    const tensors = tf.memory().numTensors;
    const rows = await wordProbes(model, prompts, { site: headProbes, seeds });
    assert.deepEqual(await wordProbes(model, prompts, { site: headProbes, seeds, batch: 60 }), rows);
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(rows.length, seeds.length * allHeads(config).length);
  });

  it("need a prompt to train on and another one to test on", async () => {
    const one = { ...prompts, tokens: prompts.tokens.slice(0, 1), answerLetters: prompts.answerLetters.slice(0, 1) };
    await assert.rejects(wordProbes(model, one, { site: headProbes, seeds }), /1 prompt can't be both/);
  });
});

describe("probesOfRuns", () => {
  const options = { site: residualProbes, seeds: [0, 1] };
  const runs = [
    { run: "intact", interventions: [] },
    { run: "alike", interventions: equalPositions() },
  ];

  it("gives what each run alone gives, under its name; progress over all", async () => {
    const told: number[][] = [];
    const rows = await probesOfRuns(model, prompts, { ...options, runs, progress: (...done) => told.push(done) });
    const points = 2 * (config.n_layers + 1);
    assert.deepEqual(
      rows.map(({ run }) => run),
      [...Array(points).fill("intact"), ...Array(points).fill("alike")],
    );
    const alike = await wordProbes(model, prompts, { ...options, interventions: equalPositions() });
    nearly(
      rows.slice(points).map(({ accuracy }) => accuracy),
      alike.map(({ accuracy }) => accuracy),
    );
    assert.deepEqual(told.at(-1), [2 * points, 2 * points]);
    await assert.rejects(probesOfRuns(model, prompts, { ...options, runs: [] }), /runs/);
  });

  it("accuracyByLayer: a mean for each layer and run, and the control's over all runs", () => {
    const row = (run: string, seed: number, accuracy: number, shuffled: number) => {
      return { layer: 0, run, seed, accuracy, chance: 1 / 3, shuffled };
    };
    const rows = accuracyByLayer([row("a", 0, 1, 0.25), row("a", 1, 0.5, 0.25), row("b", 0, 0.25, 0.75)]);
    assert.deepEqual(
      rows.map(({ run, n }) => [run, n]),
      [
        ["a", 2],
        ["b", 1],
        ["labels shuffled", 3],
      ],
    );
    nearly(
      rows.map(({ accuracy }) => accuracy),
      [0.75, 0.25, 5 / 12],
    );
    nearly(rows[0].chance, 1 / 3);
  });
});
