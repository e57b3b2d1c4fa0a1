import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { swapBosAttention, swapPositions } from "../../../src/experiments/word-swaps";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads, type HeadId, headsOutside } from "../../../src/model/heads";
import { type HookName, type Intervention, merge } from "../../../src/model/hooks";
import { freezeHeads, freezeMlps, hideKeys, patchHeads } from "../../../src/model/interventions";
import { disposeRun, type Model, type Run } from "../../../src/model/model";
import { position } from "../../../src/prompts/positions";
import { apart, near } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(4, 1);
const others = tinyPrompts(4, 2).tokens;
const all = () => true;
const heads = allHeads(TINY);
let model: Model;
let clean: Run;
let other: Run;

before(async () => {
  await initBackend();
  model = tinyModel();
  clean = forward(model, data.tokens, { keep: all });
  other = forward(model, others, { keep: all });
});

/** What was put in, not computed, is the same to the bit. */
const same = (a: tf.Tensor, b: tf.Tensor) => assert.deepEqual(a.arraySync(), b.arraySync());
const runWith = (interventions: Intervention) => forward(model, data.tokens, { interventions, keep: all });
const z = (run: Run, { layer, head }: HeadId) =>
  (run.cache[`blocks.${layer}.attn.hook_z`] as tf.Tensor4D).slice([0, 0, head, 0], [-1, -1, 1, -1]);

test("only the patched head's output is the other run's, of its layer", () => {
  const run = runWith(patchHeads([{ layer: 1, head: 1 }], "z", other.cache));
  same(z(run, { layer: 1, head: 1 }), z(other, { layer: 1, head: 1 }));
  near(z(run, { layer: 1, head: 0 }), z(clean, { layer: 1, head: 0 }));
  apart(z(run, { layer: 2, head: 0 }), z(clean, { layer: 2, head: 0 }));
  disposeRun(run);
});

test("positions say where; for a pattern they are the queries", () => {
  const name = "blocks.1.attn.hook_pattern" as const;
  const run = runWith(patchHeads([{ layer: 1, head: 0 }], "pattern", other.cache, [9]));
  const [mine, its, before] = [run, other, clean].map((r) => r.cache[name].arraySync());
  mine.forEach((prompt, i) => {
    prompt[0].forEach((row, query) => {
      near(row, query === 9 ? its[i][0][query] : before[i][0][query], `${query}`);
    });
  });
  disposeRun(run);
});

test("heads of several layers make one edit a layer", () => {
  const hooks = patchHeads(heads, "z", other.cache).map(({ at }) => at);
  assert.deepEqual(hooks, ["blocks.0.attn.hook_z", "blocks.1.attn.hook_z", "blocks.2.attn.hook_z"] as HookName[]);
});

test("in another prompt's run all frozen heads write what they wrote, and with frozen MLPs only the embedding differs", () => {
  const interventions = merge(freezeHeads(clean), freezeMlps(clean));
  const run = forward(model, others, { interventions, keep: all });
  for (const head of heads) same(z(run, head), z(clean, head));
  const end = "blocks.2.hook_resid_post" as const;
  const expected = tf.tidy(() => clean.cache[end].sub(clean.cache.hook_embed).add(other.cache.hook_embed));
  near(run.cache[end], expected);
  disposeRun(run);
  expected.dispose();
});

test("all heads but the excepted are frozen", () => {
  const sender = { layer: 1, head: 0 };
  const run = forward(model, others, { interventions: freezeHeads(clean, { except: [sender] }), keep: all });
  for (const head of heads) {
    const isSender = head.layer === 1 && head.head === 0;
    (isSender ? apart : same)(z(run, head), z(clean, head));
  }
  disposeRun(run);
});

test("the heads outside a circuit are the rest of the model", () => {
  const circuit = [heads[0], heads[5]];
  assert.deepEqual(headsOutside(circuit, TINY), heads.slice(1, 5));
  assert.deepEqual(headsOutside(heads, TINY), []);
});

test("swapped positions exchange two embeddings; swapped twice they are as before", () => {
  const once = runWith(swapPositions("C1", "C3"));
  const rows = (run: Run) => run.cache.hook_pos_embed.arraySync()[0];
  const [a, b] = [position("C1"), position("C3")];
  rows(once).forEach((row, p) => {
    assert.deepEqual(row, rows(clean)[p === a ? b : p === b ? a : p]);
  });
  apart(once.logits, clean.logits);
  const twice = runWith(merge(swapPositions("C1", "C3"), swapPositions("C1", "C3")));
  near(twice.logits, clean.logits);
  disposeRun(once, twice);
});

test("swapped BOS attention exchanges two entries of the column of BOS and leaves every other weight", () => {
  const head = { layer: 1, head: 1 };
  const run = runWith(swapBosAttention([head], clean, "C1", "C3"));
  const [a, b] = [position("C1"), position("C3")];
  const [mine, before] = [run, clean].map((r) => r.cache["blocks.1.attn.hook_pattern"].arraySync());
  mine.forEach((prompt, i) => {
    prompt[1].forEach((row, query) => {
      const source = query === a ? b : query === b ? a : query;
      near(
        row,
        row.map((_, key) => before[i][1][key === 0 ? source : query][key]),
        `${query}`,
      );
    });
    near(mine[i][0], before[i][0]);
  });
  disposeRun(run);
});

test("an activation that the source did not keep is named", () => {
  const poor = forward(model, data.tokens, { keep: ["blocks.0.attn.hook_z"] });
  assert.throws(() => patchHeads([{ layer: 1, head: 0 }], "z", poor.cache), /"blocks.1.attn.hook_z" was not kept/);
  disposeRun(poor);
});

test("hidden keys get nothing, and the others what they had, made to add up to 1 again", () => {
  const name = "blocks.1.attn.hook_pattern" as const;
  const hidden = [{ query: 5, keys: [0, 3] }];
  const tensors = tf.memory().numTensors;
  const run = runWith(hideKeys([{ layer: 1, head: 1 }], hidden));
  const [mine, before] = [run, clean].map((r) => r.cache[name].arraySync());
  mine.forEach((prompt, i) => {
    near(prompt[0], before[i][0]);
    prompt[1].forEach((row, query) => {
      const was = before[i][1][query];
      const left = was.map((weight, key) => (query === 5 && hidden[0].keys.includes(key) ? 0 : weight));
      const sum = left.reduce((a, b) => a + b);
      near(
        row,
        left.map((weight) => weight / sum),
      );
    });
  });
  disposeRun(run);
  assert.equal(tf.memory().numTensors, tensors);
});

test("hiding what the mask hides anyway changes nothing, nor does hiding nothing", () => {
  for (const keys of [[6, 10], []]) {
    const run = runWith(hideKeys(heads, [{ query: 5, keys }]));
    near(run.logits, clean.logits);
    disposeRun(run);
  }
});

test("a query keeps something to see; heads, positions and queries are checked by name", () => {
  const hide = (query: number, keys: number[]) => () => hideKeys([heads[0]], [{ query, keys }]);
  assert.throws(hide(2, [0, 1, 2]), /query 2 has nothing left to see: leave it one of the keys 0 … 2/);
  assert.throws(hide(0, [0]), /query 0 has nothing left/);
  assert.throws(hide(1, [-1]), /position must be a whole number from 0 on, not -1/);
  assert.throws(() => hideKeys([], [{ query: 1, keys: [0] }]), /there are no heads to hide keys from/);
  const twice = [1, 1].map((query) => ({ query, keys: [0] }));
  assert.throws(() => hideKeys([heads[0]], twice), /a query comes twice/);
  const past = hideKeys([heads[0]], [{ query: 99, keys: [0] }]);
  assert.throws(() => runWith(past), /query_pos 99 is not one of 0 … 10/);
});
