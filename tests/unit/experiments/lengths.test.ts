// Prompts of another length than their task's are refused by name, by every experiment, before anything is computed.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { attentionAgainstLogits, attentionRows, ovInPrompts } from "../../../src/experiments/attention";
import { attributionByPosition, logitAttribution } from "../../../src/experiments/attribution";
import { averagedInputs, inputSite } from "../../../src/experiments/averaged-inputs";
import { behaviour } from "../../../src/experiments/behaviour";
import { completeness, faithfulness, minimality } from "../../../src/experiments/circuit-criteria";
import { circuitValues, evaluateCircuits } from "../../../src/experiments/circuit-evaluation";
import { compareCircuits } from "../../../src/experiments/circuit-ranks";
import { forcedLetters } from "../../../src/experiments/forced-letters";
import { givingBack } from "../../../src/experiments/giving-back";
import { logitLens } from "../../../src/experiments/logit-lens";
import { lossByMean, ordinalAblation } from "../../../src/experiments/order-ablation";
import { strongestWriters } from "../../../src/experiments/ov-circuit";
import { blockSite, headSite, promptSite } from "../../../src/experiments/patch-sites";
import { activationPatch, patchByPrompt } from "../../../src/experiments/patching";
import { pathPatch } from "../../../src/experiments/path-patching";
import { seenSelectivity, wordSelectivity } from "../../../src/experiments/query-key";
import { swapAttention } from "../../../src/experiments/swap-attention";
import { bosProbes, headProbes, residualProbes, wordProbes } from "../../../src/experiments/word-probes";
import { fourSwaps, swapBosOfPairs, swapEffects, WORD_PAIRS } from "../../../src/experiments/word-swaps";
import { writeLetters } from "../../../src/experiments/writing";
import { headEvidence } from "../../../src/groups/evidence";
import { gpt2Tokenizer } from "../../../src/load/tokenizer";
import { initBackend } from "../../../src/model/backend/choose";
import type { Model } from "../../../src/model/model";
import type { AcronymDataset } from "../../../src/prompts/acronyms";
import { corrupt, permuteTokens, resample } from "../../../src/prompts/corruption";
import { tokenRows } from "../../../src/prompts/token-rows";
import { processedModel, randomTokens, TINY, tinyPrompts } from "../../fixtures/tiny-prompts";

const HEAD = { layer: 1, head: 0 };
let model: Model;

before(async () => {
  await initBackend();
  const { config, ln_final, ...weights } = processedModel({ ...TINY, n_ctx: 16 }, 0);
  assert.equal(ln_final, null);
  const touched = Object.fromEntries(
    Object.keys(weights).map((name) => [
      name,
      {
        get: (): never => {
          throw new Error(`${name} was computed with`);
        },
      },
    ]),
  );
  model = Object.defineProperties({ config, ln_final: null }, touched) as unknown as Model;
});

/** Acronym prompts in all but their tokens' number. */
const cut = (length: number): AcronymDataset => ({
  ...tinyPrompts(4, 0),
  tokens: randomTokens(4, length, TINY.d_vocab, 1),
});

/** Every experiment that takes prompts. */
const EXPERIMENTS: Record<string, (data: AcronymDataset, corrupted: number[][]) => Promise<unknown>> = {
  writeLetters: (data) => writeLetters(model, data, { seed: 0 }),
  forcedLetters: (data) => forcedLetters(model, data, { seed: 0 }),
  attentionRows: (data) => attentionRows(model, data, [HEAD]),
  attentionAgainstLogits: (data) => attentionAgainstLogits(model, data, [HEAD]),
  ovInPrompts: (data) => ovInPrompts(model, data, [HEAD]),
  logitAttribution: (data) => logitAttribution(model, data),
  attributionByPosition: (data) => attributionByPosition(model, data, [HEAD]),
  strongestWriters: (data) => strongestWriters(model, data, { top: 1 }),
  logitLens: (data) => logitLens(model, data),
  averagedInputs: (data) => averagedInputs(model, data, [HEAD]),
  behaviour: (data) => behaviour(model, data, gpt2Tokenizer()),
  circuitValues: (data, corrupted) => circuitValues(model, data, [[HEAD]], { corrupted }),
  "circuitValues, resample": (data, corrupted) =>
    circuitValues(model, data, [[HEAD]], { corrupted, ablation: "resample" }),
  evaluateCircuits: (data, corrupted) => evaluateCircuits(model, data, [[HEAD]], { corrupted }),
  faithfulness: (data, corrupted) => faithfulness(model, data, [HEAD], { corrupted }),
  completeness: (data, corrupted) => completeness(model, data, [HEAD], { corrupted, removed: [[HEAD]] }),
  minimality: (data, corrupted) => minimality(model, data, [HEAD], { corrupted, removed: [[HEAD]] }),
  compareCircuits: (data, corrupted) => compareCircuits(model, data, [HEAD], { corrupted, draws: 1, seed: 0 }),
  givingBack: (data) => givingBack(model, data, [HEAD], { seeds: [0] }),
  ordinalAblation: (data) => ordinalAblation(model, data),
  lossByMean: (data, corrupted) => lossByMean(model, data, [HEAD], { corrupted }),
  "activationPatch, blocks": (data, corrupted) =>
    activationPatch(model, data, { site: blockSite(), corruption: "current_word", corrupted }),
  "activationPatch, means": (data, corrupted) =>
    activationPatch(model, data, { site: headSite(), corruption: "current_word", corrupted, source: "mean" }),
  "activationPatch, inputs": (data, corrupted) =>
    activationPatch(model, data, { site: inputSite([HEAD]), corruption: "previous_words", corrupted }),
  patchByPrompt: (data, corrupted) =>
    patchByPrompt(model, data, { site: promptSite(), corruption: "current_word", corrupted }),
  pathPatch: (data, corrupted) => pathPatch(model, data, { corrupted, receiver: "logits" }),
  "pathPatch, order": (data, corrupted) => pathPatch(model, data, { corrupted, receiver: "logits", lost: "order" }),
  wordSelectivity: (data) => wordSelectivity(model, data, HEAD),
  seenSelectivity: (data) => seenSelectivity(model, data, HEAD),
  swapAttention: (data) => swapAttention(model, data, fourSwaps(WORD_PAIRS[0], [HEAD]), { heads: [HEAD] }),
  swapEffects: (data) => swapEffects(model, data, fourSwaps(WORD_PAIRS[0], [HEAD])),
  swapBosOfPairs: (data) => swapBosOfPairs(model, data),
  "wordProbes, residual": (data) => wordProbes(model, data, { site: residualProbes, seeds: [0] }),
  "wordProbes, heads": (data) => wordProbes(model, data, { site: headProbes, seeds: [0] }),
  "wordProbes, BOS": (data) => wordProbes(model, data, { site: bosProbes, seeds: [0] }),
  headEvidence: (data, corrupted) => headEvidence(model, data, { corrupted }),
  resample: async (data) => resample(data, 0),
  corrupt: async (data, corrupted) => corrupt(data.tokens, corrupted, "current_word", 1),
  permuteTokens: async ({ tokens }) => permuteTokens(tokens, { words: [1, 0, 2, 3], letters: [0, 1, 2, 3] }),
  tokenRows: async ({ tokens }) => tokenRows({ "prompt 0": tokens[0] }, gpt2Tokenizer()),
};

for (const [name, run] of Object.entries(EXPERIMENTS))
  for (const length of [8, 14])
    test(`${name} refuses prompts of ${length} tokens, and says what they should have been`, async () => {
      const expected = new RegExp(`prompt 0"? has ${length} tokens, not the 11 of .*: BOS The C1 T1 C2`);
      await assert.rejects(run(cut(length), randomTokens(4, length, TINY.d_vocab, 2)), expected);
    });
