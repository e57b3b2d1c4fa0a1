import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { activationMeans } from "../../../src/experiments/activation-means";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { blockSite, headSite, promptSite, type Site } from "../../../src/experiments/patch-sites";
import {
  activationPatch,
  headsHarmingMost,
  type PatchOptions,
  patchBetween,
  patchByPrompt,
} from "../../../src/experiments/patching";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import { type HookName, type Intervention, patch } from "../../../src/model/hooks";
import { patchHeads } from "../../../src/model/interventions";
import { disposeRun, type Model, type Tokens } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { meanAndStd } from "../../../src/numbers/statistics";
import { CORRUPTIONS, type Corruption, corrupt, resample } from "../../../src/prompts/corruption";
import {
  LETTERS,
  type Letter,
  lastLetterPosition,
  position,
  readoutPosition,
  wordPosition,
} from "../../../src/prompts/positions";
import { apart, near } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(6, 1);
const corrupted = resample(data, 3);
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

/** Logit differences of one letter `[prompt]`, by a plain forward over all positions. */
function plainly(tokens: Tokens, letter: Letter, interventions: Intervention = []): number[] {
  const run = forward(model, tokens, { interventions, readout: letterReadout(data, [letter]) });
  const values = logitDiffs(run, data, [letter]).map(([value]) => value);
  disposeRun(run);
  return values;
}
const other = (corruption: Corruption, letter: Letter) => corrupt(data.tokens, corrupted, corruption, letter);
const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]);
/** What a whole corruption does to a letter. */
const whole = (corruption: Corruption, letter: Letter) =>
  meanAndStd(minus(plainly(other(corruption, letter), letter), plainly(data.tokens, letter)));

/** The residual stream before a layer at several positions at once. */
const atPositions = (at: (pos: number, letter: Letter) => boolean): Site<{ layer: number }> => ({
  points: ({ n_layers }) => range(n_layers).map((layer) => ({ layer })),
  hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.hook_resid_pre` as const),
  intervene: ({ layer }, source, positions, letter) => {
    const pos = positions.filter((p) => at(p, letter as Letter));
    const hook = `blocks.${layer}.hook_resid_pre` as const;
    return pos.length > 0 ? patch(hook, source[hook], { pos }) : [];
  },
});
const everywhere = atPositions(() => true);
/** At least one effect is more than rounding. */
const changed = (rows: readonly { change: number }[]) =>
  apart(
    rows.map(({ change }) => change),
    rows.map(() => 0),
  );
const measure = <P extends object>(options: Omit<PatchOptions<P>, "corrupted">) =>
  activationPatch(model, data, { corrupted, ...options });

test("the whole residual stream of the corrupted run does what the corruption does, before every layer", async () => {
  for (const corruption of CORRUPTIONS) {
    const rows = await measure({ site: everywhere, corruption });
    assert.equal(rows.length, TINY.n_layers * 3);
    for (const { layer, letter, change, std, n } of rows) {
      const expected = whole(corruption, letter);
      near(change, expected.mean, `${corruption} ${letter} before layer ${layer}`);
      near(std, expected.std);
      assert.equal(n, 6);
    }
  }
});

test("denoising with the whole residual stream repairs exactly what was lost", async () => {
  for (const { letter, change } of await measure({
    site: everywhere,
    corruption: "current_word",
    direction: "denoising",
  }))
    near(change, -whole("current_word", letter).mean);
});

test("prompts patched with themselves don't change at all", async () => {
  const rows = await activationPatch(model, data, {
    site: blockSite(),
    corruption: "current_word",
    corrupted: data.tokens,
  });
  assert.ok(rows.every(({ change, std }) => change === 0 && std === 0));
});

test("previous words and letters change letter 1 nowhere, exactly", async () => {
  for (const corruption of ["previous_words", "previous_letters"] as const)
    for (const site of [blockSite(), headSite()] as const) {
      const rows = await measure({ site: site as Site<object>, corruption });
      assert.ok(rows.filter(({ letter }) => letter === 1).every(({ change }) => change === 0));
      changed(rows.filter(({ letter }) => letter > 1));
    }
});

test("previous letters change letter 2 at A1 by the same before every layer: all that the corruption does", async () => {
  const rows = await measure({ site: blockSite(), corruption: "previous_letters", letters: [2] });
  const expected = whole("previous_letters", 2).mean;
  apart(expected, 0);
  for (const { position: label, change } of rows) near(change, label === "A1" ? expected : 0, label);
});

test("before layer 0 only what differs can matter, and nothing after a letter's read-out ever", async () => {
  const rows = await measure({ site: blockSite(), corruption: "current_word" });
  for (const { layer, position: label, letter, change } of rows) {
    if (layer === 0 && ![`C${letter}`, `T${letter}`].includes(label)) near(change, 0, `${letter} ${label}`);
    if (position(label) > readoutPosition(letter)) assert.equal(change, 0);
  }
});

test("corrupting some positions is repairing all the others", async () => {
  const some = (pos: number, letter: Letter) => pos === wordPosition(letter);
  const noising = await measure({ site: atPositions(some), corruption: "current_word" });
  const rest = atPositions((pos, letter) => !some(pos, letter));
  const denoising = await measure({ site: rest, corruption: "current_word", direction: "denoising" });
  for (const [i, { letter, change }] of noising.entries()) {
    near(change, whole("current_word", letter).mean + denoising[i].change, `letter ${letter}`);
    apart(change, 0);
  }
});

test("a head at the position that depends on the letter is a patch at that position", async () => {
  const corruption = "previous_words";
  for (const at of [wordPosition, lastLetterPosition]) {
    const found = await measure({ site: headSite("z", at), corruption, letters: [2] });
    const here: Site<{ layer: number; head: number }> = {
      ...headSite(),
      intervene: (head, source) => patchHeads([head], "z", source, [at(2)]),
    };
    const byHand = await measure({ site: here, corruption, letters: [2] });
    near(
      found.map(({ change }) => change),
      byHand.map(({ change }) => change),
    );
  }
});

test("all heads of a layer together are what attention adds there", async () => {
  const heads: Site<{ layer: number }> = {
    points: ({ n_layers }) => range(n_layers).map((layer) => ({ layer })),
    hooks: headSite().hooks,
    intervene: ({ layer }, source) =>
      patchHeads(
        allHeads(TINY).filter((head) => head.layer === layer),
        "z",
        source,
        [position("C2")],
      ),
  };
  const options = { corruption: "previous_words", letters: [2, 3] as const } as const;
  const attention = (await measure({ site: blockSite("hook_attn_out"), ...options })).filter(
    (row) => row.position === "C2",
  );
  const together = await measure({ site: heads, ...options });
  changed(together);
  for (const [i, { change }] of together.entries()) near(change, attention[i].change);
});

test("head patches are those of a plain forward over all positions", async () => {
  for (const letter of LETTERS) {
    const tokens = other("current_word", letter);
    const source = forward(model, tokens, { keep: (name) => name.endsWith("hook_z") });
    const clean = plainly(data.tokens, letter);
    const rows = await measure({ site: headSite(), corruption: "current_word", letters: [letter] });
    for (const { layer, head, change, std } of rows) {
      const patched = plainly(data.tokens, letter, patchHeads([{ layer, head }], "z", source.cache));
      const expected = meanAndStd(minus(patched, clean));
      near(change, expected.mean, `${layer}.${head} letter ${letter}`);
      near(std, expected.std);
    }
    disposeRun(source);
  }
});

test("queries, keys, values and patterns can be patched too, and each does something of its own", async () => {
  const sums = [];
  for (const activation of ["q", "k", "v", "pattern"] as const) {
    const rows = await measure({ site: headSite(activation), corruption: "current_word", letters: [2] });
    sums.push(rows.reduce((sum, { change }) => sum + Math.abs(change), 0));
  }
  for (const sum of sums) apart(sum, 0);
  assert.equal(new Set(sums.map((sum) => sum.toFixed(4))).size, 4);
});

test("the mean over one prompt is that prompt, and over many it is no prompt's", async () => {
  const one = tinyPrompts(1, 1);
  const others = tinyPrompts(1, 9).tokens;
  const options = { site: headSite(), corruption: "current_word", corrupted: others } as const;
  const [mean, resampled] = [
    await activationPatch(model, one, { ...options, source: "mean" }),
    await activationPatch(model, one, options),
  ];
  for (const [i, { change }] of mean.entries()) near(change, resampled[i].change);
  const many = await measure({ site: headSite(), corruption: "current_word", source: "mean" });
  const rows = await measure({ site: headSite(), corruption: "current_word" });
  apart(many, rows);
});

test("means are those over all prompts, in batches of any size", async () => {
  const hooks: HookName[] = ["blocks.1.attn.hook_z", "hook_embed"];
  const run = forward(model, data.tokens, { keep: hooks });
  for (const batch of [1, 4, 100]) {
    const means = await activationMeans(model, data.tokens, hooks, { batch });
    for (const hook of hooks) {
      const expected = (run.cache[hook] as tf.Tensor).mean(0, true);
      near(means[hook], expected, hook);
      expected.dispose();
    }
    tf.dispose(Object.values(means));
  }
  disposeRun(run);
});

test("batches of any size give the same rows, and progress counts to its end once", async () => {
  for (const source of ["resample", "mean"] as const) {
    const options = { site: headSite("z", lastLetterPosition), corruption: "previous_words", source } as const;
    const rows = await measure(options);
    const seen: [number, number][] = [];
    const streamed = await measure({ ...options, batch: 4, progress: (done, total) => seen.push([done, total]) });
    for (const [i, row] of streamed.entries()) near(row.change, rows[i].change, `${row.layer}.${row.head}`);
    assert.equal(seen.length, 3 * 2 * 7); // letters, batches, heads and the unchanged run
    assert.ok(seen.every(([done, total], i) => done === i + 1 && total === seen.length));
  }
});

test("between two runs: the base is the run as it is, also against the mean of the wrong letters", async () => {
  const [into, outOf] = [other("current_word", 2), data.tokens];
  const options = { site: everywhere, against: "mean" } as const;
  const [{ base, values }] = await patchBetween(model, data, [{ letter: 2, into, outOf }], options);
  const run = (tokens: Tokens) => {
    const one = forward(model, tokens, { readout: letterReadout(data, [2]) });
    const diffs = logitDiffs(one, data, [2], "mean");
    disposeRun(one);
    return diffs;
  };
  for (const [i, [value]] of run(into).entries()) near(base[i][0], value);
  for (const [i, [value]] of run(outOf).entries()) near(values[1][i][0], value);
});

test("prompt by prompt: changes whose mean is the row of activationPatch, in the order of the prompts", async () => {
  const options = { site: headSite(), corruption: "current_word", corrupted, batch: 4 } as const;
  const rows = await activationPatch(model, data, options);
  const changes = await patchByPrompt(model, data, options);
  assert.equal(changes.length, rows.length * data.tokens.length);
  for (const { layer, head, letter, change, std } of rows) {
    const own = changes.filter((row) => row.layer === layer && row.head === head && row.letter === letter);
    assert.deepEqual(
      own.map(({ prompt }) => prompt),
      range(6),
    );
    const found = meanAndStd(own.map((row) => row.change));
    near([found.mean, found.std], [change, std]);
  }
  const everything = await patchByPrompt(model, data, { ...options, site: promptSite(), letters: [3] });
  const plain = minus(plainly(other("current_word", 3), 3), plainly(data.tokens, 3));
  for (const { prompt, change } of everything) near(change, plain[prompt], `prompt ${prompt}`);
});

test("the whole prompt is one point: it takes what the corruption takes, and gives it back", async () => {
  for (const direction of ["noising", "denoising"] as const)
    for (const { letter, change } of await measure({ site: promptSite(), corruption: "current_word", direction }))
      near(change, (direction === "noising" ? 1 : -1) * whole("current_word", letter).mean, `letter ${letter}`);
  const [first] = await measure({ site: promptSite(), corruption: "previous_words", letters: [1] });
  assert.equal(first.change, 0);
});

test("against the mean of the wrong letters, effects are those of patchBetween", async () => {
  const options = { site: headSite(), against: "mean" } as const;
  const rows = await measure({ ...options, corruption: "current_word", letters: [2] });
  const between = { letter: 2 as const, into: data.tokens, outOf: other("current_word", 2) };
  const [{ base, values }] = await patchBetween(model, data, [between], options);
  for (const [i, { change }] of rows.entries())
    near(change, meanAndStd(values[i].map(([value], prompt) => value - base[prompt][0])).mean);
  const [max] = await measure({ site: headSite(), corruption: "current_word", letters: [2] });
  apart(rows[0].change, max.change);
});

test("a site of some heads or positions gives the rows of the whole site", async () => {
  const heads = [
    { layer: 1, head: 0 },
    { layer: 0, head: 1 },
  ];
  const all = await measure({ site: headSite(), corruption: "current_word" });
  const some = await measure({ site: headSite("z", undefined, heads), corruption: "current_word" });
  const wanted = LETTERS.flatMap((letter) =>
    heads.map((own) => all.find((row) => row.letter === letter && row.layer === own.layer && row.head === own.head)),
  );
  near(some, wanted);
  const places = await measure({ site: blockSite("hook_resid_pre", ["C2", "A1"]), corruption: "current_word" });
  const everywhere = await measure({ site: blockSite(), corruption: "current_word" });
  near(
    places,
    everywhere.filter(({ position }) => position === "C2" || position === "A1"),
  );
  const outside = headSite("z", undefined, [{ layer: 0, head: 9 }]);
  await assert.rejects(measure({ site: outside, corruption: "current_word" }), /no head 0\.9; layers are 0/);
});

test("the heads that harm most: so many a letter, each once", () => {
  const row = (letter: Letter, head: number, change: number) => ({ letter, layer: 3, head, change });
  const rows = [row(2, 0, 5), row(2, 1, -1), row(2, 2, -3), row(3, 1, -9), row(3, 0, -2), row(3, 2, 0)];
  const names = (count: number) => headsHarmingMost(rows, count).map(({ head }) => head);
  assert.deepEqual(
    [names(1), names(2)],
    [
      [2, 1],
      [2, 1, 0],
    ],
  );
  assert.deepEqual(headsHarmingMost(rows, 1)[0], { layer: 3, head: 2 });
  assert.throws(() => headsHarmingMost(rows, 0), /count must be a whole number from 1 on, not 0/);
});

test("patching leaves nothing behind, also when it fails", async () => {
  const tensors = tf.memory().numTensors;
  await measure({ site: headSite(), corruption: "current_word" });
  await measure({ site: blockSite(), corruption: "current_word", source: "mean", direction: "denoising", batch: 4 });
  assert.equal(tf.memory().numTensors, tensors);
  const failing: Site<{ layer: number }> = {
    ...everywhere,
    intervene: () => {
      throw new Error("no such site");
    },
  };
  for (const source of ["resample", "mean"] as const)
    await assert.rejects(measure({ site: failing, corruption: "current_word", source }), /no such site/);
  assert.equal(tf.memory().numTensors, tensors);
});

test("another number of corrupted prompts is refused", async () => {
  const options = { site: headSite(), corruption: "current_word", corrupted: corrupted.slice(2) } as const;
  await assert.rejects(
    activationPatch(model, data, options),
    /4 corrupted prompts for 6 clean ones; give one for each/,
  );
});
