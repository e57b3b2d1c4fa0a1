import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { attentionRows, writtenBy } from "../../../src/experiments/attention";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { columnMean } from "../../../src/experiments/measure";
import { ordinalAblation } from "../../../src/experiments/order-ablation";
import { headSite } from "../../../src/experiments/patch-sites";
import { activationPatch } from "../../../src/experiments/patching";
import { pathPatch } from "../../../src/experiments/path-patching";
import type { HeadEvidence } from "../../../src/groups/classify";
import { headEvidence } from "../../../src/groups/evidence";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads, headName } from "../../../src/model/heads";
import { disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { LETTERS, lastLetterPosition, wordPosition } from "../../../src/prompts/positions";
import { apart, near } from "../../fixtures/close";
import { processedModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_layers: 2, n_ctx: 12 };
const data = randomPrompts(4, 4);
const corrupted = randomPrompts(4, 14).tokens;
let model: Model;
let evidence: HeadEvidence[];

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
  evidence = await headEvidence(model, data, { corrupted, batch: 3 });
});

test("every head once, everything known", () => {
  assert.deepEqual(evidence.map(headName), allHeads(config).map(headName));
  for (const head of evidence) for (const value of Object.values(head)) assert.ok(Number.isFinite(value));
});

test("effects are the experiments' largest shares of the clean logit difference", async () => {
  const run = forward(model, data.tokens, { readout: letterReadout(data) });
  const clean = LETTERS.map((_, i) => columnMean(logitDiffs(run, data), i));
  disposeRun(run);
  const patch = (corruption: "current_word" | "previous_words", at?: (letter: 1 | 2 | 3) => number) =>
    activationPatch(model, data, { site: headSite("z", at), corruption, corrupted });
  const experiments = {
    direct: await pathPatch(model, data, { corrupted, receiver: "logits", mlps: "frozen" }),
    total: await patch("current_word"),
    at_word: await patch("previous_words", wordPosition),
    at_last_letter: await patch("previous_words", lastLetterPosition),
    ordinal: await ordinalAblation(model, data),
  };
  for (const [column, found] of Object.entries(experiments))
    for (const head of evidence) {
      const own = found.filter((row) => headName(row) === headName(head));
      const shares = own.map(({ letter, change }) => -change / clean[letter - 1]);
      near(head[column as keyof typeof experiments], Math.max(...shares));
    }
});

test("attention is that of attentionRows at the positions that the columns name", async () => {
  const all = await attentionRows(model, data, allHeads(config));
  for (const head of evidence) {
    const weight = (query: string, key: string) =>
      all.find((row) => headName(row) === headName(head) && row.query === query && row.key === key)!.attention;
    near(head.attention_to_word, Math.max(weight("(", "C1"), weight("A1", "C2"), weight("A2", "C3")));
    near(head.attention_to_previous_end, Math.max(weight("A1", "T1"), weight("A2", "T2")));
    const second = weight("C2", "T1") + weight("C2", "C1") + weight("C2", "The");
    const third = weight("C3", "T2") + weight("C3", "C2") + weight("C3", "T1");
    near(head.attention_to_previous_tokens, (weight("C1", "The") + second + third) / 3);
  }
});

test("copying counts the words whose own capital is what a head writes most for", () => {
  const run = forward(model, data.tokens, { keep: (name) => name.endsWith("hook_v"), readout: "none" });
  for (const head of evidence) {
    const hits = LETTERS.flatMap((letter) => {
      const written = writtenBy(model, run, head, { activation: "v", pos: wordPosition(letter), vocab: data.letters });
      return written.map((row, i) => Number(row[data.answerLetters[i][letter - 1]] === Math.max(...row)));
    });
    near(head.copying, hits.reduce((a, b) => a + b) / hits.length);
  }
  disposeRun(run);
});

test("without corruption only the order can be lost", async () => {
  const found = await headEvidence(model, data, { corrupted: data.tokens });
  for (const { direct, total, at_word, at_last_letter } of found)
    for (const value of [direct, total, at_word, at_last_letter]) near(value, 0);
  apart(
    found.map(({ ordinal }) => ordinal),
    found.map(() => 0),
  );
});

test("progress goes to the end in seven steps", async () => {
  const seen: string[] = [];
  await headEvidence(model, data, { corrupted, progress: (done, total) => seen.push(`${done}/${total}`) });
  assert.deepEqual(seen, ["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"]);
});

test("corrupted prompts must be as many", async () => {
  await assert.rejects(headEvidence(model, data, { corrupted: corrupted.slice(1) }), /3 corrupted prompts for 4 clean/);
});

test("nothing is left behind", async () => {
  const before = tf.memory().numTensors;
  await headEvidence(model, data, { corrupted, batch: 3 });
  assert.equal(tf.memory().numTensors, before);
});
