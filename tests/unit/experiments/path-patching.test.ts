import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { type Against, letterLogitDiff, letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import { columnMean } from "../../../src/experiments/measure";
import { ordinalMeans } from "../../../src/experiments/order-ablation";
import {
  type PathRow,
  pathPatch,
  pathsInto,
  type Receiver,
  strongestPaths,
} from "../../../src/experiments/path-patching";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { headWeights } from "../../../src/model/head-weights";
import { allHeads, type HeadId } from "../../../src/model/heads";
import { type ActivationCache, type Intervention, merge } from "../../../src/model/hooks";
import { freezeHeads, freezeMlps, patchHeads } from "../../../src/model/interventions";
import type { Model, ModelConfig } from "../../../src/model/model";
import { ACRONYMS } from "../../../src/prompts/acronym-task";
import { LETTERS, readoutPosition } from "../../../src/prompts/positions";
import { readoutPositions, wordPositions } from "../../../src/prompts/task";
import { apart, near } from "../../fixtures/close";
import { processedModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_ctx: 12 };
const WORD_POSITIONS = wordPositions(ACRONYMS);
const data = randomPrompts(5, 3);
const corrupted = randomPrompts(5, 13).tokens;
const heads = allHeads(config);
const everything = () => true;
let model: Model;

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
});

const changes = (found: readonly { change: number }[]) => found.map(({ change }) => change);
const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]);
const of = (found: readonly PathRow[], { layer, head }: HeadId) =>
  found.filter((row) => row.layer === layer && row.head === head);
const means = (interventions: Intervention, against: Against = "max") =>
  tf.tidy(() => {
    const run = forward(model, data.tokens, { interventions, readout: letterReadout(data) });
    const values = logitDiffs(run, data, LETTERS, against);
    return LETTERS.map((_, i) => columnMean(values, i)) as never;
  }) as number[];
const runs = () => ({
  clean: forward(model, data.tokens, { keep: everything }),
  other: forward(model, corrupted, { keep: everything }),
});

/** The procedure as the official code writes it: all heads frozen at every layer and position, no run reused. */
function plainly(sender: HeadId, receiver: Receiver, mlps: "live" | "frozen", source?: ActivationCache): number[] {
  return tf.tidy(() => {
    const { clean, other } = runs();
    const writes = source ? patchHeads([sender], "z", source, WORD_POSITIONS) : patchHeads([sender], "z", other.cache);
    const frozen = freezeHeads(clean, { except: source ? [] : [sender] });
    const interventions = merge(frozen, writes, mlps === "frozen" ? freezeMlps(clean) : []);
    if (receiver === "logits") return means(interventions) as never;
    const sent = forward(model, data.tokens, { interventions, keep: everything });
    return means(patchHeads(receiver.heads, receiver.input, sent.cache)) as never;
  }) as unknown as number[];
}

const RECEIVERS: readonly Receiver[] = [
  "logits",
  ...(["q", "k", "v"] as const).map((input) => ({ heads: [{ layer: 2, head: 1 }], input })),
  { heads: [heads[3], heads[4]], input: "k" },
];

for (const mlps of ["live", "frozen"] as const)
  for (const lost of ["content", "order"] as const)
    test(`shortcuts change nothing: ${lost}, MLPs ${mlps}`, async () => {
      const base = means([]);
      const source = lost === "order" ? await ordinalMeans(model, data) : undefined;
      const found = await pathsInto(model, data, RECEIVERS, { corrupted, mlps, lost, batch: 2 });
      for (const [r, receiver] of RECEIVERS.entries())
        for (const sender of [heads[0], heads[3]]) {
          const own = of(found, sender).filter((row) => (row as { receiver?: number }).receiver === r);
          const expected = plainly(sender, receiver, mlps, source);
          near(own.length > 0 ? changes(own) : [0, 0, 0], minus(expected, base));
        }
      if (source) tf.dispose(Object.values(source));
    });

test("what is sent unchanged changes nothing", async () => {
  const found = await pathsInto(model, data, RECEIVERS, { corrupted: data.tokens });
  assert.ok(found.length > 0);
  for (const { change } of found) near(change, 0);
});

test("the direct path adds the difference of a head's output to the final residual stream and no more", async () => {
  const found = await pathPatch(model, data, { corrupted, receiver: "logits", mlps: "frozen" });
  const base = means([]);
  for (const { layer, head } of heads) {
    const expected = tf.tidy(() => {
      const { clean, other } = runs();
      const z = (cache: ActivationCache) =>
        cache[`blocks.${layer}.attn.hook_z`].slice([0, 0, head], [-1, -1, 1]).reshape([-1, config.d_head]);
      const moved = tf.matMul(
        z(other.cache).sub(z(clean.cache)) as tf.Tensor2D,
        headWeights(model, { layer, head }).W_O,
      );
      const resid = clean.cache["blocks.2.hook_resid_post"].add(moved.reshape([5, 11, config.d_model]));
      const centred = resid.sub(resid.mean(-1, true));
      const normalized = centred.div(centred.square().mean(-1, true).add(config.eps).sqrt());
      const read = tf.gather(normalized, readoutPositions(ACRONYMS), 1).reshape([-1, config.d_model]) as tf.Tensor2D;
      const logits = tf.matMul(read, model.W_U).add(model.b_U).slice([0, 0], [-1, 26]).reshape([5, 3, 26]);
      const values = letterLogitDiff(logits as tf.Tensor3D, data.answerLetters);
      return LETTERS.map((_, i) => columnMean(values, i)) as never;
    }) as unknown as number[];
    near(changes(of(found, { layer, head })), minus(expected, base));
  }
});

test("above the last heads all paths are one: patching a head of the last layer", async () => {
  const found = await pathPatch(model, data, { corrupted, receiver: "logits" });
  const base = means([]);
  for (const head of heads.filter(({ layer }) => layer === 2)) {
    const { other } = runs();
    const patched = means(patchHeads([head], "z", other.cache));
    near(changes(of(found, head)), minus(patched, base));
  }
});

test("which word is which never reaches the logits without a head that reads it", async () => {
  const found = await pathPatch(model, data, { corrupted, receiver: "logits", lost: "order" });
  for (const { change } of found) near(change, 0); // not to the bit: products with fewer rows round differently
});

test("order is not lost at other positions: a receiver's queries at the read-outs see nothing", async () => {
  const clean = forward(model, data.tokens, { keep: everything });
  const source = await ordinalMeans(model, data);
  const interventions = merge(freezeHeads(clean), patchHeads([heads[0]], "z", source, WORD_POSITIONS));
  const { cache } = forward(model, data.tokens, { interventions, keep: everything });
  const change = (pos: number) =>
    cache["blocks.2.attn.hook_q"]
      .slice([0, pos], [-1, 1])
      .sub(clean.cache["blocks.2.attn.hook_q"].slice([0, pos], [-1, 1]))
      .abs()
      .max()
      .dataSync()[0];
  for (const letter of LETTERS) assert.equal(change(readoutPosition(letter)), 0);
  apart(change(WORD_POSITIONS[1]), 0);
});

test("the score is the damage to the mean logit difference as a share of the corrupted run's", async () => {
  const [row] = of(await pathPatch(model, data, { corrupted, receiver: "logits" }), heads[4]);
  const [clean] = means([], "mean");
  const sent = tf.tidy(() => {
    const { clean: run, other } = runs();
    return means(
      merge(freezeHeads(run, { except: [heads[4]] }), patchHeads([heads[4]], "z", other.cache)),
      "mean",
    ) as never;
  }) as unknown as number[];
  const bad = tf.tidy(() => {
    const run = forward(model, corrupted, { readout: letterReadout(data) });
    return columnMean(logitDiffs(run, data, LETTERS, "mean"), 0) as never;
  }) as unknown as number;
  near(row.score, -(sent[0] - clean) / (bad - clean));
});

test("several receivers at once are the same as one by one, in their order", async () => {
  const together = await pathsInto(model, data, RECEIVERS, { corrupted });
  for (const [r, receiver] of RECEIVERS.entries()) {
    const alone = await pathPatch(model, data, { corrupted, receiver });
    const own = together.filter((row) => row.receiver === r).map(({ receiver: _, ...row }) => row);
    near(own, alone);
  }
});

test("only senders below a receiver, and only those asked for", async () => {
  const receiver: Receiver = { heads: [{ layer: 1, head: 0 }], input: "v" };
  const all = await pathPatch(model, data, { corrupted, receiver });
  assert.deepEqual(new Set(all.map(({ layer }) => layer)), new Set([0]));
  const one = await pathPatch(model, data, { corrupted, receiver, senders: [heads[1], heads[5]] });
  const expected = of(all, heads[1]);
  const where = ({ layer, head, letter }: PathRow) => ({ layer, head, letter });
  assert.deepEqual(one.map(where), expected.map(where));
  near(changes(one), changes(expected));
});

test("strongestPaths: by share of the letter's own level, not by logits", () => {
  const found = [
    { to: "a", letter: 1 as const, change: -1 },
    { to: "a", letter: 2 as const, change: -2 },
    { to: "b", letter: 3 as const, change: 0.5 },
  ];
  const best = strongestPaths(found, ({ to }) => to, [1, 10, 1]);
  assert.deepEqual(best, [
    { to: "a", letter: 1, change: -1, share: 1 },
    { to: "b", letter: 3, change: 0.5, share: -0.5 },
  ]);
});

test("corrupted prompts must be as many", async () => {
  const few = corrupted.slice(1);
  await assert.rejects(
    pathPatch(model, data, { corrupted: few, receiver: "logits" }),
    /4 corrupted prompts for 5 clean/,
  );
});

test("nothing is left behind", async () => {
  const before = tf.memory().numTensors;
  await pathsInto(model, data, RECEIVERS, { corrupted, lost: "order", batch: 2 });
  await pathsInto(model, data, RECEIVERS, { corrupted, mlps: "frozen" });
  assert.equal(tf.memory().numTensors, before);
});
