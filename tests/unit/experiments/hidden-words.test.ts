import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { hideFromWords, hidingTable, replacedBos, wordHidings } from "../../../src/experiments/hidden-words";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import { disposeRun, type Model } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { near } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const { tokens } = tinyPrompts(3, 0);
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

/** Keys that nothing is paid to, where the clean model pays something: by query. */
function unseen(what: Parameters<typeof hideFromWords>[1]): Record<number, number[]> {
  const at = "blocks.0.attn.hook_pattern" as const;
  const run = forward(model, tokens, { keep: [at], interventions: hideFromWords([{ layer: 0, head: 1 }], what) });
  const [prompt] = run.cache[at].arraySync();
  disposeRun(run);
  const hidden = prompt[1].map((row, query) => range(query + 1).filter((key) => row[key] === 0));
  return Object.fromEntries(Object.entries(hidden).filter(([, keys]) => keys.length > 0));
}

test("what all prompts have is hidden from both tokens of every word", () => {
  const [bos, both] = [[0], [0, 1]];
  assert.deepEqual(unseen(["BOS"]), { 2: bos, 3: bos, 4: bos, 5: bos, 6: bos, 7: bos });
  assert.deepEqual(unseen(["BOS", "The"]), { 2: both, 3: both, 4: both, 5: both, 6: both, 7: both });
});

test("of earlier words the capitals are hidden, or the rests: never the word's own", () => {
  assert.deepEqual(unseen(["earlier C"]), { 4: [2], 5: [2], 6: [2, 4], 7: [2, 4] });
  assert.deepEqual(unseen(["earlier T"]), { 4: [3], 5: [3], 6: [3, 5], 7: [3, 5] });
});

test("with BOS replaced the run is that of prompts which begin with the other token", () => {
  const one = forward(model, tokens, { interventions: replacedBos(model, 52) });
  const other = forward(
    model,
    tokens.map(([, ...rest]) => [52, ...rest]),
  );
  near(one.logits, other.logits);
  disposeRun(one, other);
  assert.throws(() => replacedBos(model, TINY.d_vocab), /token 60 is not one of 0 … 59/);
});

test("hidings begin with none; heads looked at alone come beside all and the first layer's", () => {
  const before = tf.memory().numTensors;
  const names = (heads = allHeads(TINY).slice(0, 0)) =>
    wordHidings(model, { heads, filler: 3 }).map(({ hidden, from }) => `${hidden}: ${from}`);
  assert.equal(names()[0], "nothing: –");
  assert.deepEqual(
    names([{ layer: 1, head: 0 }]).filter((name) => name.startsWith("BOS:")),
    ["BOS: all heads", "BOS: layer 0", "BOS: 1.0"],
  );
  assert.equal(names().length, 1 + 5 * 2 + 1);
  assert.throws(() => names([{ layer: 9, head: 0 }]), /no head 9\.0/);
  assert.equal(tf.memory().numTensors, before);
});

test("the table has a row for each hiding", () => {
  const row = { hidden: "BOS", from: "layer 0" };
  const rows = ([1, 2, 3] as const).map((letter) => ({ ...row, letter, accuracy: letter / 4, logit_diff: letter }));
  assert.deepEqual(hidingTable(rows), [
    { ...row, "letter 1": 0.25, "letter 2": 0.5, "letter 3": 0.75, "logit differences": "1.00 / 2.00 / 3.00" },
  ]);
});
