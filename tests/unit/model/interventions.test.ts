import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { swapBosAttention, swapPositions } from "../../../src/experiments/word-swaps";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads, type HeadId, headsOutside } from "../../../src/model/heads";
import { type HookName, type Intervention, merge, patch } from "../../../src/model/hooks";
import { freezeHeads, freezeMlps, hideKeys, patchHeads, patchWithin } from "../../../src/model/interventions";
import { disposeRun, type Model, type Run } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { randomSubspace } from "../../../src/numbers/subspace";
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

const middle = "blocks.1.hook_resid_mid" as const;
const slice = { pos: [2, 4] };

test("along all directions there are, patching within a subspace is patching", () => {
  for (const subspace of [
    range(TINY.d_model).map((i) => range(TINY.d_model).map((j) => Number(i === j))),
    randomSubspace(TINY.d_model, TINY.d_model, 0),
  ]) {
    const [whole, within] = [
      runWith(patch(middle, other.cache[middle], slice)),
      runWith(patchWithin(middle, other.cache[middle], subspace, slice)),
    ];
    near(within.logits, whole.logits);
    apart(within.logits, clean.logits);
    disposeRun(whole, within);
  }
});

test("what is perpendicular to the directions stays, what lies along them is the source's; other positions stay as they are", () => {
  const subspace = tf.tensor2d(randomSubspace(TINY.d_model, 2, 3));
  const run = runWith(patchWithin(middle, other.cache[middle], subspace, slice));
  tf.tidy(() => {
    const parts = (one: Run) => {
      const x = tf.gather(one.cache[middle] as tf.Tensor3D, slice.pos, 1).reshape([-1, TINY.d_model]) as tf.Tensor2D;
      const inside = tf.matMul(x, subspace);
      return { inside, outside: x.sub(tf.matMul(inside, subspace, false, true)) };
    };
    near(parts(run).inside, parts(other).inside);
    near(parts(run).outside, parts(clean).outside);
    apart(parts(run).inside, parts(clean).inside);
    same(run.cache[middle].slice([0, 5, 0], [-1, -1, -1]), clean.cache[middle].slice([0, 5, 0], [-1, -1, -1]));
  });
  disposeRun(run);
  subspace.dispose();
});

test("a head's output has directions of its own, and a source of batch 1 serves every prompt", () => {
  const at = "blocks.1.attn.hook_z" as const;
  const first = tf.tidy(() => (other.cache[at] as tf.Tensor4D).slice([0, 0, 0, 0], [1, -1, -1, -1]) as tf.Tensor4D);
  const run = runWith(patchWithin(at, first, randomSubspace(TINY.d_head, TINY.d_head, 0), { head: 1 }));
  near(
    z(run, { layer: 1, head: 1 }),
    tf.tidy(() => z({ ...other, cache: { [at]: first.tile([4, 1, 1, 1]) } } as unknown as Run, { layer: 1, head: 1 })),
  );
  near(z(run, { layer: 1, head: 0 }), z(clean, { layer: 1, head: 0 }));
  disposeRun(run);
  first.dispose();
});

test("directions and sources that don't fit are named; patching within leaves no tensor behind", () => {
  const before = tf.memory().numTensors;
  const within = (source: tf.Tensor, d: number) => () =>
    runWith(patchWithin(middle, source as tf.Tensor3D, randomSubspace(d, 2, 0)));
  assert.throws(within(other.cache[middle], 7), /has 16 numbers a position; the directions have 7/);
  assert.throws(within(other.cache["blocks.0.mlp.hook_post"], 16), /\[4,11,32\]/);
  disposeRun(within(other.cache[middle], 16)());
  assert.equal(tf.memory().numTensors, before);
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
