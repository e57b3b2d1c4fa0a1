import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { activationMeans } from "../../../src/experiments/activation-means";
import {
  attentionAgainstLogits,
  attentionRows,
  headPattern,
  ovInPrompts,
  writtenBy,
} from "../../../src/experiments/attention";
import { attributionByPosition } from "../../../src/experiments/attribution";
import { averagedInputs, inputSite } from "../../../src/experiments/averaged-inputs";
import { behaviour } from "../../../src/experiments/behaviour";
import { completeness, faithfulness, minimality } from "../../../src/experiments/circuit-criteria";
import { evaluateCircuits } from "../../../src/experiments/circuit-evaluation";
import { ordinalAblation } from "../../../src/experiments/order-ablation";
import {
  copyingScores,
  diagonalStatistics,
  moveThrough,
  ovCircuit,
  strongestWriters,
} from "../../../src/experiments/ov-circuit";
import { blockSite, headSite } from "../../../src/experiments/patch-sites";
import { activationPatch, patchBetween } from "../../../src/experiments/patching";
import { pathPatch, pathsInto, strongestPaths } from "../../../src/experiments/path-patching";
import { selectivityBy, wordSelectivity } from "../../../src/experiments/query-key";
import { randomCircuits } from "../../../src/experiments/random-circuits";
import { swapAttention } from "../../../src/experiments/swap-attention";
import { residualProbes, wordProbes } from "../../../src/experiments/word-probes";
import { headsHurtBy, swapBosSweep, swapEffects } from "../../../src/experiments/word-swaps";
import { CRITERIA, classifyHeads } from "../../../src/groups/classify";
import { circuitPaths } from "../../../src/groups/paths-between";
import type { Tokenizer } from "../../../src/load/tokenizer";
import { initBackend } from "../../../src/model/backend/choose";
import { forward, forwardEach } from "../../../src/model/forward";
import { headWeights } from "../../../src/model/head-weights";
import { checkHead, checkHeads, headsOutside } from "../../../src/model/heads";
import { freezeHeads } from "../../../src/model/interventions";
import type { Model } from "../../../src/model/model";
import { checkAllFinite, checkCount, checkFinite, checkIndex, checkIndices } from "../../../src/numbers/check";
import { range } from "../../../src/numbers/lists";
import { fitProbe, predictClasses } from "../../../src/numbers/softmax-regression";
import { compareWithPaper } from "../../../src/paper/compare";
import { select } from "../../../src/prompts/acronyms";
import { corrupt, drawPermutations, permuteTokens } from "../../../src/prompts/corruption";
import type { Letter } from "../../../src/prompts/positions";
import type { Prompts } from "../../../src/prompts/task";
import { randomPrompts, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = randomPrompts(3, 1);
const { tokens } = data;
const corrupted = randomPrompts(3, 2).tokens;
const whole = tinyPrompts(3, 1);
let model: Model;
/** Computing with it fails: what is refused must be refused before. */
let untouched: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
  untouched = new Proxy(model, {
    get(target, name) {
      if (name === "config" || name === "ln_final") return Reflect.get(target, name); // sizes; whether it is processed
      if (name === "blocks") return [];
      throw new Error(`${String(name)} was computed with`);
    },
  });
});

test("an index is one of 0 … n − 1, and nothing like one", () => {
  for (const good of [0, 10]) checkIndex("position", good, 11);
  for (const bad of [11, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, "2", null, undefined, true, [2]])
    assert.throws(() => checkIndex("position", bad, 11), RangeError, `${bad}`);
  assert.throws(() => checkIndex("position", "2", 11), /^RangeError: position "2" is not one of 0 … 10$/);
});

test("a list of indices is a plain one without holes", () => {
  checkIndices("head", [], 2);
  checkIndices("head", [1, 0, 1], 2);
  assert.throws(() => checkIndices("head", [0, 2], 2), /RangeError: head 2 is not one of 0 … 1/);
  const sparse = [0, 1];
  delete sparse[0];
  assert.throws(() => checkIndices("head", sparse, 2), /RangeError: head undefined is not/);
  for (const bad of [new Int32Array([1]), 1, "01", undefined, null, { length: 1, 0: 1 }])
    assert.throws(() => checkIndices("head", bad, 2), TypeError);
  assert.throws(() => checkIndices("head", new Int32Array([1]), 2), /head: a plain list.*Array.from.*not Int32Array/);
});

test("counts, finite values and heads are named when they are refused", () => {
  checkCount("batch", 1);
  checkCount("n", 0, 0);
  for (const bad of [0, -1, 1.5, Number.NaN, "3", Number.POSITIVE_INFINITY, undefined])
    assert.throws(() => checkCount("batch", bad), /RangeError: batch must be a whole number from 1 on, not/);
  assert.throws(() => checkFinite("value", Number.NaN), /RangeError: value is NaN, not a finite number/);
  assert.throws(() => checkAllFinite("value", [1, Number.NEGATIVE_INFINITY]), /RangeError: value 1 is -Infinity/);
  for (const head of [-1, 2, 0.5, "1" as never, Number.NaN])
    for (const one of [
      { layer: 0, head },
      { layer: head === 2 ? 3 : head, head: 0 },
    ])
      assert.throws(() => checkHead(TINY, one), /RangeError: no head .*; layers are 0 … 2, heads 0 … 1/);
  checkHeads(TINY, []);
  const head = { layer: 1, head: 1 };
  assert.throws(() => checkHeads(TINY, [head, { layer: 0, head: 0 }, head]), /RangeError: head 1.1 comes twice/);
});

type Refusal = readonly [what: string, call: (m: Model) => unknown, message: RegExp];
const at = { layer: 1, head: 1 };
const lost = [{ layer: 1, head: 2 }];
const noHead = /no head 1.2; layers are 0 … 2, heads 0 … 1/;
const options = { corrupted };
const site = blockSite();
const patching = { site, corruption: "current_word" as const, corrupted };
const wrong = (letter: number) => [letter as Letter];
const row = { layer: 0, head: 0, letter: 1 as const, change: -1, std: 0, n: 1, low: 0, high: 0 };
const evidence = {
  ...{ layer: 0, head: 0, direct: 0.5, total: 0, attention_to_word: 0, attention_to_previous_end: 0 },
  ...{ attention_to_previous_tokens: 0, copying: 0, at_word: 0, at_last_letter: 0, ordinal: 0 },
};
const letters = range(26);
const tokenizer = { letters } as unknown as Tokenizer;
const twelve: Prompts = { ...data, tokens: tokens.map((ids) => [...ids, 1]) };

const REFUSED: readonly Refusal[] = [
  ["no points", (m) => forwardEach(m, tokens, []), /there are no interventions to run/],
  ["a head outside a model", () => headsOutside(lost, TINY), noHead],
  ["a frozen head", (m) => freezeHeads({ model: m } as never, { except: lost }), noHead],
  ["a head's weights", (m) => headWeights(m, lost[0]), noHead],
  ["batch 0", (m) => ordinalAblation(m, data, { batch: 0 }), /batch must be a whole number from 1 on, not 0/],
  ["batch NaN", (m) => attentionRows(m, data, [at], { batch: Number.NaN }), /batch must be .*, not NaN/],
  ["batch 1.5", (m) => behaviour(m, whole, tokenizer, { batch: 1.5 }), /batch must be .*, not 1.5/],
  ["batch of means", (m) => activationMeans(m, tokens, [], { batch: -1 }), /batch must be .*, not -1/],
  ["no prompts", (m) => attentionRows(m, { ...data, tokens: [] }, [at]), /there are no prompts/],
  ["no prompts", (m) => activationMeans(m, [], []), /there are no prompts/],
  ["12 tokens", (m) => attentionRows(m, twelve, [at]), /prompt 0 has 12 tokens, not the 11/],
  ["fewer answers", (m) => attentionRows(m, { ...data, answerLetters: [] }, [at]), /0 rows of answers for 3 prompts/],
  ["25 letters", (m) => attentionRows(m, { ...data, letters: range(25) }, [at]), /letters must be .* not 25 tokens/],
  ["letter 4", (m) => activationPatch(m, data, { ...patching, letters: wrong(4) }), /letter 4 is not one of 1, 2, 3/],
  ["letter 0", (m) => activationPatch(m, data, { ...patching, letters: wrong(0) }), /letter 0 is not one of 1, 2, 3/],
  [
    "letter of a pair",
    (m) => patchBetween(m, data, [{ letter: 0 as Letter, into: tokens, outOf: corrupted }], { site }),
    /letter 0 is not one of/,
  ],
  [
    "shorter rows",
    (m) => patchBetween(m, data, [{ letter: 1, into: tokens, outOf: corrupted.map((ids) => ids.slice(1)) }], { site }),
    /corrupted prompt 0 has 10 tokens, the clean one 11/,
  ],
  ["corruption", (m) => activationPatch(m, data, { ...patching, corruption: "word" as never }), /corruption "word" is/],
  ["direction", (m) => activationPatch(m, data, { ...patching, direction: "up" as never }), /direction "up" is not/],
  ["source", (m) => activationPatch(m, data, { ...patching, source: "zero" as never }), /source "zero" is not one of/],
  [
    "a site's position",
    () => headSite("z", () => 11).intervene({ layer: 0, head: 0 }, {} as never, [1], 1, data.task),
    /letter 1: position 11 is not one of 0 … 10/,
  ],
  ["senders", (m) => pathPatch(m, data, { corrupted, receiver: "logits", senders: lost }), noHead],
  [
    "a sender twice",
    (m) => pathPatch(m, data, { corrupted, receiver: "logits", senders: [at, at] }),
    /head 1.1 comes twice/,
  ],
  ["receiver", (m) => pathPatch(m, data, { corrupted, receiver: { heads: lost, input: "q" } }), noHead],
  ["no receiver", (m) => pathsInto(m, data, [], options), /there are no receivers/],
  ["no heads", (m) => pathsInto(m, data, [{ heads: [], input: "q" }], options), /there are no heads that receive/],
  [
    "input",
    (m) => pathsInto(m, data, [{ heads: [at], input: "z" as never }], options),
    /input "z" is not one of "q", "k", "v"/,
  ],
  ["mlps", (m) => pathsInto(m, data, ["logits"], { ...options, mlps: "off" as never }), /mlps "off" is not one of/],
  ["lost", (m) => pathsInto(m, data, ["logits"], { ...options, lost: "all" as never }), /lost "all" is not one of/],
  ["circuit paths", (m) => circuitPaths(m, data, { circuit: lost }, { ...options, clean: [1, 1, 1] }), noHead],
  ["no clean letter", () => strongestPaths([row], () => "", []), /clean logit difference of letter 1 is undefined/],
  ["circuits", (m) => evaluateCircuits(m, data, [[at], lost], options), noHead],
  ["a circuit", (m) => faithfulness(m, data, lost, options), noHead],
  ["ablation", (m) => faithfulness(m, data, [at], { ...options, ablation: "zero" as never }), /ablation "zero" is not/],
  ["removed", (m) => completeness(m, data, [at], { ...options, removed: [lost] }), noHead],
  ["removed", (m) => minimality(m, data, [at], { ...options, removed: [lost] }), noHead],
  ["attention", (m) => attentionRows(m, data, [at, lost[0]]), noHead],
  ["a pattern", (m) => headPattern({ model: m } as never, lost[0]), noHead],
  ["scatter", (m) => attentionAgainstLogits(m, data, lost), noHead],
  ["OV in prompts", (m) => ovInPrompts(m, data, lost), noHead],
  [
    "written where",
    (m) => writtenBy(m, { tokens } as never, at, { activation: "z", pos: 11, vocab: [1] }),
    /position 11 is not one of 0 … 10/,
  ],
  [
    "written what",
    (m) => writtenBy(m, { tokens } as never, at, { activation: "z", pos: 1, vocab: [60] }),
    /vocab 60 is not one of 0 … 59/,
  ],
  ["attribution", (m) => attributionByPosition(m, data, lost), noHead],
  ["OV heads", (m) => ovCircuit(m, lost, { from: [1], to: [1] }), noHead],
  ["OV heads twice", (m) => ovCircuit(m, [at, at], { from: [1], to: [1] }), /head 1.1 comes twice/],
  ["OV from", (m) => ovCircuit(m, [at], { from: [-1], to: [1] }), /from: token -1 is not one of 0 … 59/],
  ["OV to", (m) => ovCircuit(m, [at], { from: [1], to: [1.5] }), /to: token 1.5 is not one of 0 … 59/],
  [
    "OV input",
    (m) => ovCircuit(m, [at], { from: [1], to: [1], input: "mlp" as never }),
    /input "mlp" is not one of "embedding", "first mlp"/,
  ],
  ["moved", (m) => moveThrough(m, lost[0], {} as never), noHead],
  ["copied", (m) => copyingScores(m, { from: [60], to: [1] }), /from: token 60 is not one of/],
  ["copied", (m) => copyingScores(m, { from: [1, 2], to: [1] }), /1 wanted tokens for 2 input tokens/],
  ["none copied", (m) => copyingScores(m, { from: [], to: [] }), /there are no input tokens/],
  ["top", (m) => copyingScores(m, { from: [1], to: [1], top: 0 }), /top must be a whole number from 1 on, not 0/],
  ["top", (m) => copyingScores(m, { from: [1], to: [1], top: 61 }), /top 61 is more than/],
  ["writers", (m) => strongestWriters(m, data, { top: -1 }), /top must be a whole number from 1 on/],
  ["no known row", () => diagonalStatistics([null, null]), /there are no known rows/],
  ["NaN in a matrix", () => diagonalStatistics([[1, Number.NaN], null]), /row 0 of the matrix: value 1 is NaN/],
  ["inputs", (m) => averagedInputs(m, data, lost), noHead],
  ["site of inputs", () => inputSite(lost).hooks(TINY), noHead],
  ["selectivity", (m) => wordSelectivity(m, data, lost[0]), noHead],
  ["a negative layer", (m) => wordSelectivity(m, data, { layer: -1, head: 0 }), /no head -1.0/],
  ["side", () => selectivityBy([], { side: "value" as never }), /side "value" is not one of "query", "key"/],
  ["top", () => selectivityBy([], { side: "key", top: -1 }), /top must be a whole number/],
  ["swapped", (m) => swapBosSweep(m, data, ["C1", "C4" as never]), /"C4" is not a position/],
  ["swap heads", (m) => swapAttention(m, data, [{ pair: ["C1", "C2"], bosHeads: lost }]), noHead],
  ["watched heads", (m) => swapAttention(m, data, [{ pair: ["C1", "C2"] }], { heads: lost }), noHead],
  ["swap heads", (m) => swapEffects(m, data, [{ pair: ["C1", "C2"], bosHeads: lost }]), noHead],
  ["threshold", () => headsHurtBy([row], Number.NaN), /threshold is NaN/],
  ["seeds", (m) => wordProbes(m, data, { site: residualProbes, seeds: [] }), /there are no seeds/],
  ["features", () => fitProbe([[1], [Number.NaN]], [0, 1]), /sample 1: feature 0 is NaN/],
  ["ragged features", () => fitProbe([[1], [1, 2]], [0, 1]), /sample 1 has 2 features, not 1/],
  ["steps", () => fitProbe([[1], [2]], [0, 1], { steps: 0 }), /steps must be/],
  ["predicted", () => predictClasses({ weights: [[1], [2]], bias: [0, 0] }, [[1, 2]]), /sample 0 has 2 features/],
  ["evidence", () => classifyHeads([{ ...evidence, direct: Number.NaN }]), /direct of head 0.0 is NaN/],
  ["criterion", () => classifyHeads([evidence], { ...CRITERIA, floor: Number.NaN }), /criterion floor is NaN/],
  [
    "compared",
    () => compareWithPaper("fig01_res_1", [{ letter: 1, x: "C1", y: 0, value: Number.NaN }]),
    /fig01_res_1, cell "1 \| C1 \| 0 \| ": measured value is NaN/,
  ],
  ["random circuits", () => randomCircuits(TINY, lost, { draws: 1, seed: 0 }), noHead],
  ["among", () => randomCircuits(TINY, [at], { draws: 1, seed: 0, among: "layers" as never }), /among "layers" is not/],
  ["draws", () => randomCircuits(TINY, [at], { draws: 1.5, seed: 0 }), /n must be a whole number from 0 on, not 1.5/],
  ["range", () => range(-1), /n must be a whole number from 0 on, not -1/],
  ["prompts selected", () => select(whole, [1.5]), /prompt 1.5 is not one of 0 … 2/],
  ["prompts selected", () => select(whole, ["length" as never]), /prompt "length" is not one of 0 … 2/],
  ["permutations", () => drawPermutations(2.5, 0), /n must be a whole number/],
  ["permuted", () => permuteTokens(tokens, { words: [0, 1, 3], letters: [0, 1, 2] }), /words: row 3 is not/],
  ["corrupted letter", () => corrupt(tokens, corrupted, "current_word", "1" as never), /letter "1" is not one of/],
  [
    "tokens of behaviour",
    (m) => behaviour(m, select(whole, [0]), tokenizer, { tokens: [[...whole.tokens[0].slice(1), 60]] }),
    /tiny, prompt 0: token 60 is not one of 0 … 59/,
  ],
  ["a hook", (m) => forward(m, tokens, { keep: ["toString" as never] }), /no hook "toString"/],
];

for (const [what, call, message] of REFUSED)
  test(`refused before anything is computed: ${what}, ${message.source}`, async () => {
    const tensors = tf.memory().numTensors;
    await assert.rejects(async () => call(untouched), message);
    assert.equal(tf.memory().numTensors, tensors);
  });
