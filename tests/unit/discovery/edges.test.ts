import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { acdc } from "../../../src/discovery/acdc";
import { attributeEdges, attributeThroughReceivers } from "../../../src/discovery/edge-attribution";
import {
  alongEdge,
  edgeFaithfulness,
  levelsWithoutEdges,
  openEdges,
  patchEdges,
} from "../../../src/discovery/edge-circuits";
import { edgeCount, edgeGraph, edgeName } from "../../../src/discovery/edges";
import { removeEdges } from "../../../src/discovery/removed-edges";
import { gradients, meanLogitDiff } from "../../../src/experiments/gradients";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import type { Intervention } from "../../../src/model/hooks";
import { patch } from "../../../src/model/hooks";
import type { Model } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { random } from "../../../src/numbers/random";
import { mean } from "../../../src/numbers/statistics";
import { resample } from "../../../src/prompts/corruption";
import { apart, near } from "../../fixtures/close";
import { processedModel, TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(4, 0);
const corrupted = resample(data, 0);
const graph = edgeGraph(TINY);
const { senders, receivers, edges } = graph;
const all = range(edges.length);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel();
});

const level = (interventions: Intervention, tokens = data.tokens): number =>
  tf.tidy(() => {
    const run = forward(model, tokens, { interventions, readout: letterReadout(data) });
    return mean(logitDiffs(run, data).flat());
  });
const source = () => forward(model, corrupted, { keep: () => true, readout: "none" }).cache;
const edgesWhere = (wanted: (edge: (typeof edges)[number]) => boolean) => all.filter((e) => wanted(edges[e]));

test("a model of four layers of four heads has 479 edges, GPT-2 Small 32,491", () => {
  assert.equal(edgeCount({ n_layers: 4, n_heads: 4 }), 479);
  assert.equal(edgeCount({ n_layers: 12, n_heads: 12 }), 32_491);
  assert.equal(edgeCount({ n_layers: 1, n_heads: 1 }), 3 + 2 + 3);
  const small = edgeGraph({ n_layers: 1, n_heads: 1 });
  assert.deepEqual(
    small.edges.map((edge) => edgeName(small, edge)),
    [
      ...["embed → 0.0.q", "embed → 0.0.k", "embed → 0.0.v", "embed → mlp 0", "0.0 → mlp 0"],
      ...["embed → logits", "0.0 → logits", "mlp 0 → logits"],
    ],
  );
});

test("without any edge the model says what it says of the corrupted prompts, without none what it says", async () => {
  const tensors = tf.memory().numTensors;
  const [none, whole] = await levelsWithoutEdges(model, data, [all, []], { corrupted, batch: 3 });
  assert.equal(tf.memory().numTensors, tensors);
  near(none, level([], corrupted));
  near(whole, level([]));
  apart(none, whole);
});

test("without a sender's edges its output is the corrupted one", async () => {
  const cache = source();
  const sets = range(senders.length).map((s) => edgesWhere(({ sender }) => sender === s));
  const levels = await levelsWithoutEdges(model, data, sets, { corrupted });
  for (const [s, { at, head, name }] of senders.entries())
    near(levels[s], level(patch(at as "blocks.0.attn.hook_z", cache[at as "blocks.0.attn.hook_z"], { head })), name);
});

test("without its edges a receiver reads the corrupted stream, and it alone", async () => {
  const cache = source();
  const sets = range(receivers.length).map((r) => edgesWhere(({ receiver }) => receiver === r));
  const levels = await levelsWithoutEdges(model, data, sets, { corrupted });
  for (const [r, { at, head, name }] of receivers.entries())
    near(levels[r], level(patch(at as "blocks.0.hook_q_input", cache[at as "blocks.0.hook_q_input"], { head })), name);
});

test("any edges: planned from the clean run is as without a plan", () => {
  const { uniform } = random(1);
  const { runs, close } = openEdges(model, data, corrupted);
  for (const share of [0.02, 0.3, 0.8])
    for (const _ of range(3)) {
      const removed = edges.filter(() => uniform() < share);
      const logits = [true, false].map((plan) => {
        const { intervention, dispose } = removeEdges(runs, removed);
        const run = forward(model, data.tokens, { interventions: intervention, from: runs.clean, plan });
        dispose();
        return run.logits;
      });
      near(logits[0], logits[1]);
    }
  close();
});

test("along an edge: nothing at its beginning, exact patching at its end, the gradient's slope at first", async () => {
  const exact = await patchEdges(model, data, { corrupted });
  const scores = await attributeEdges(model, data, { corrupted });
  const edge = exact.reduce((best, value, e) => (Math.abs(value) > Math.abs(exact[best]) ? e : best), 0);
  const rows = await alongEdge(model, data, edge, { corrupted, shares: [0, 1 / 32, 1] });
  near(rows[0].change, 0);
  near(rows[2].change, exact[edge]);
  assert.ok(
    Math.abs(32 * rows[1].change - scores[edge]) < 0.1 * Math.abs(scores[edge]),
    `${rows[1].change}, ${scores[edge]}`,
  );
});

test("exact patching is each edge by itself", async () => {
  const changes = await patchEdges(model, data, { corrupted, batch: 3 });
  const levels = await levelsWithoutEdges(model, data, [[], [7], [40]], { corrupted });
  near([changes[7], changes[40]], [levels[1] - levels[0], levels[2] - levels[0]]);
  assert.equal(changes.length, edges.length);
});

test("the scores of a sender's edges add up to gradient × change of its output", async () => {
  const scores = await attributeEdges(model, data, { corrupted, batch: 3 });
  const { at: grads } = gradients(
    model,
    data,
    meanLogitDiff(),
    senders.map(({ at }) => at),
  );
  const [clean, other] = [forward(model, data.tokens, { keep: () => true }).cache, source()];
  for (const [s, { at, head, name }] of senders.entries()) {
    const products = (other[at] as tf.Tensor).sub(clean[at]).mul(grads[at]).div(data.tokens.length);
    const total = (head === undefined ? products : products.gather([head], 2)).sum().arraySync() as number;
    const sum = edgesWhere(({ sender }) => sender === s).reduce((so_far, e) => so_far + scores[e], 0);
    near(sum, total, name);
  }
  apart(
    scores,
    scores.map(() => 0),
  );
});

test("one step of integrated gradients is the clean run's; more are others", async () => {
  const [eap, one, three] = await Promise.all(
    [0, 1, 3].map((steps) => attributeEdges(model, data, { corrupted, steps })),
  );
  near(one, eap);
  apart(three, eap);
  await assert.rejects(attributeEdges(model, data, { corrupted, steps: -1 }), /steps must be a whole number/);
});

test("through the receiver: edges into the logits are exact, and others by what the receiver then writes", async () => {
  const options = { corrupted, batch: 3 };
  const [scores, exact] = [
    await attributeThroughReceivers(model, data, options),
    await patchEdges(model, data, options),
  ];
  const direct = edgesWhere(({ receiver }) => receivers[receiver].name === "logits");
  near(
    direct.map((e) => scores[e]),
    direct.map((e) => exact[e]),
  );
  const edge = edgesWhere(({ sender, receiver }) => sender === 3 && receivers[receiver].name === "2.1.q")[0];
  const out = "blocks.2.attn.hook_z";
  const { runs } = openEdges(model, data, corrupted);
  const { intervention } = removeEdges(runs, [edges[edge]]);
  const [after, whole] = [intervention, []].map(
    (interventions) => forward(model, data.tokens, { interventions, keep: [out] }).cache[out],
  );
  const gradient = gradients(model, data, meanLogitDiff(), [out]).at[out];
  near(scores[edge], (after.sub(whole).mul(gradient).sum().arraySync() as number) / data.tokens.length);
});

test("a circuit of all edges is the model, of none nothing; ACDC leaves fewer the higher its threshold", async () => {
  const model = processedModel({ ...TINY, n_layers: 2 }, 0); // ACDC runs it once for each edge
  const all = range(edgeCount({ ...TINY, n_layers: 2 }));
  const [whole, none] = await edgeFaithfulness(model, data, [all, []], { corrupted });
  near([whole.faithfulness ?? 0, none.faithfulness ?? 1], [1, 0]);
  const [every, some, nothing] = [
    await acdc(model, data, { corrupted, threshold: -100 }),
    await acdc(model, data, { corrupted, threshold: 0.002 }),
    await acdc(model, data, { corrupted, threshold: 100 }),
  ];
  assert.deepEqual([every, nothing], [all, []]);
  assert.ok(some.length > 0 && some.length < all.length, `${some.length} edges`);
  const [left] = await edgeFaithfulness(model, data, [some], { corrupted });
  const [start] = await levelsWithoutEdges(model, data, [[]], { corrupted });
  assert.ok(left.logit_diff > start - 0.002 * (all.length - some.length), "each edge taken out cost less than that");
});

test("what isn't there is refused", async () => {
  await assert.rejects(levelsWithoutEdges(model, data, [[9999]], { corrupted }), /edge 9999 is not one of 0 …/);
  await assert.rejects(
    patchEdges(model, data, { corrupted: corrupted.slice(1) }),
    /3 corrupted prompts for 4 clean ones/,
  );
  await assert.rejects(acdc(model, data, { corrupted, threshold: Number.NaN }), /threshold is NaN/);
});
