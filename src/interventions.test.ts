import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { TINY, tinyModel, tinyPrompts } from "../tests/fixtures/tiny-prompts";
import { initBackend } from "./backend";
import { position } from "./dataset";
import { forward } from "./forward";
import { type HeadId, type HookName, type Intervention, merge } from "./hooks";
import { freezeHeads, freezeMlps, headsOutside, patchHeads, swapBosAttention, swapPositions } from "./interventions";
import { disposeRun, type Model, type Run } from "./model";
import { allHeads } from "./sweep";

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

const worst = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => a.sub(b).abs().max().dataSync()[0]);
const runWith = (interventions: Intervention) => forward(model, data.tokens, { interventions, keep: all });
const z = (run: Run, { layer, head }: HeadId) =>
  (run.cache[`blocks.${layer}.attn.hook_z`] as tf.Tensor4D).slice([0, 0, head, 0], [-1, -1, 1, -1]);

test("only the patched head's output is the other run's, of its layer", () => {
  const run = runWith(patchHeads([{ layer: 1, head: 1 }], "z", other.cache));
  assert.equal(worst(z(run, { layer: 1, head: 1 }), z(other, { layer: 1, head: 1 })), 0);
  assert.ok(worst(z(run, { layer: 1, head: 0 }), z(clean, { layer: 1, head: 0 })) < 1e-5);
  assert.ok(worst(z(run, { layer: 2, head: 0 }), z(clean, { layer: 2, head: 0 })) > 1e-3);
  disposeRun(run);
});

test("positions say where; for a pattern they are the queries", () => {
  const name = "blocks.1.attn.hook_pattern" as const;
  const run = runWith(patchHeads([{ layer: 1, head: 0 }], "pattern", other.cache, [9]));
  const [mine, its, before] = [run, other, clean].map((r) => r.cache[name].arraySync());
  mine.forEach((prompt, i) => {
    prompt[0].forEach((row, query) => {
      const expected = query === 9 ? its[i][0][query] : before[i][0][query];
      for (const [key, weight] of row.entries()) assert.ok(Math.abs(weight - expected[key]) < 1e-5, `${query} ${key}`);
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
  for (const head of heads) assert.equal(worst(z(run, head), z(clean, head)), 0);
  const end = "blocks.2.hook_resid_post" as const;
  const expected = tf.tidy(() => clean.cache[end].sub(clean.cache.hook_embed).add(other.cache.hook_embed));
  assert.ok(worst(run.cache[end], expected) < 1e-5);
  disposeRun(run);
  expected.dispose();
});

test("all heads but the excepted are frozen", () => {
  const sender = { layer: 1, head: 0 };
  const run = forward(model, others, { interventions: freezeHeads(clean, { except: [sender] }), keep: all });
  for (const head of heads) {
    const isSender = head.layer === 1 && head.head === 0;
    assert.equal(worst(z(run, head), z(clean, head)) === 0, !isSender, `${head.layer}.${head.head}`);
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
  assert.ok(worst(once.logits, clean.logits) > 1e-3);
  const twice = runWith(merge(swapPositions("C1", "C3"), swapPositions("C1", "C3")));
  assert.equal(worst(twice.logits, clean.logits), 0);
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
      for (const [key, weight] of row.entries())
        assert.ok(Math.abs(weight - before[i][1][key === 0 ? source : query][key]) < 1e-6, `${query} ${key}`);
    });
    assert.ok(mine[i][0].every((row, q) => row.every((w, k) => Math.abs(w - before[i][0][q][k]) < 1e-6)));
  });
  disposeRun(run);
});

test("an activation that the source did not keep is named", () => {
  const poor = forward(model, data.tokens, { keep: ["blocks.0.attn.hook_z"] });
  assert.throws(() => patchHeads([{ layer: 1, head: 0 }], "z", poor.cache), /"blocks.1.attn.hook_z" was not kept/);
  disposeRun(poor);
});
