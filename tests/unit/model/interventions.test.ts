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

import { type HookName, type Intervention, merge, patch } from "../../../src/model/hooks";
import { freezeHeads, freezeMlps, hideKeys, patchHeads, patchWithin } from "../../../src/model/interventions";

});
