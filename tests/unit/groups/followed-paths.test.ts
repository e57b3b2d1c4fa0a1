import assert from "node:assert/strict";
import { before, test } from "node:test";
import { pathPatch } from "../../../src/experiments/path-patching";
import {
  besideFrozen,
  circuitReceivers,
  type FollowedPath,
  followPaths,
  inputPanels,
  strongestInto,
  strongestOfRun,
  strongestSenders,
  worstLetterPanels,
} from "../../../src/groups/followed-paths";
import { initBackend } from "../../../src/model/backend/choose";
import { headName } from "../../../src/model/heads";
import type { Model, ModelConfig } from "../../../src/model/model";
import type { Letter } from "../../../src/prompts/positions";
import { near } from "../../fixtures/close";
import { processedModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_ctx: 12 };
const data = randomPrompts(4, 6);
const corrupted = randomPrompts(4, 16).tokens;
const [early, middle, late] = [0, 1, 2].map((layer) => ({ layer, head: 1 }));
const clean = [2, 4, 8];
const receivers = circuitReceivers({ letter_movers: [late], propagation: [middle] });
let model: Model;

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
});

test("receivers: the logits and three inputs of the groups that there are", () => {
  const inputs = (group: string) => ["query", "key", "value"].map((input) => `${group} ${input}`);
  assert.deepEqual(Object.keys(receivers), ["logits", ...inputs("mover"), ...inputs("propagation")]);
  const few = circuitReceivers({ letter_movers: [late], propagation: [] });
  assert.deepEqual(Object.keys(few), ["logits", ...inputs("mover")]);
  assert.deepEqual(few["mover key"], { heads: [late], input: "k" });
});

test("followed by name: each receiver's rows are pathPatch's", async () => {
  const followed = await followPaths(model, data, receivers, { corrupted });
  for (const [name, receiver] of Object.entries(receivers)) {
    const own = followed.filter(({ into }) => into === name);
    const found = await pathPatch(model, data, { corrupted, receiver });
    near(
      own.map(({ into: _, from: __, ...row }) => row),
      found,
    );
    assert.deepEqual(
      own.map(({ from }) => from),
      found.map(headName),
    );
  }
  const panels = inputPanels(followed, "mover");
  assert.equal(panels.length, 3 * 3 * 4);
  assert.deepEqual(new Set(panels.map(({ panel }) => panel)).size, 9);
  assert.equal(panels[0].panel, `${panels[0].into.split(" ")[1]}, letter ${panels[0].letter}`);
  const best = strongestInto(followed, "mover", clean)!;
  assert.equal(best.share, Math.max(...panels.map(({ change, letter }) => -change / clean[letter - 1])));
  assert.equal(strongestInto(followed, "nobody", clean), undefined);
});

function path(head: typeof early, into: string, letter: Letter, change: number): FollowedPath {
  return { ...head, from: headName(head), into, letter, change, std: 0, n: 1, low: change, high: change, score: 0 };
}

test("beside MLPs frozen: the same sender, receiver and letter, or null", () => {
  const live = [path(early, "mover key", 1, -3), path(early, "mover key", 2, -2), path(middle, "mover key", 1, -1)];
  const frozen = [path(early, "mover key", 2, -5), path(early, "logits", 1, -6), path(middle, "mover key", 1, -7)];
  assert.deepEqual(
    besideFrozen(live, frozen).map((row) => [row.live, row.frozen]),
    [
      [-3, null],
      [-2, -5],
      [-1, -7],
    ],
  );
});

const losses = {
  content: [path(early, "mover key", 1, -1), path(early, "mover key", 2, -1.5), path(early, "logits", 1, -9)],
  order: [path(early, "mover key", 3, -8), path(middle, "mover key", 3, -4), path(early, "mover value", 1, -0.01)],
};

test("worst letters: a panel for each loss and input, a row for each sender", () => {
  assert.deepEqual(
    worstLetterPanels(losses, "mover", clean).map(({ panel, from, letter, share }) => [panel, from, letter, share]),
    [
      ["content: key", "0.1", 1, 0.5],
      ["order: key", "0.1", 3, 1],
      ["order: key", "1.1", 3, 0.5],
      ["order: value", "0.1", 1, 0.005],
    ],
  );
  assert.deepEqual(worstLetterPanels(losses, "propagation", clean), []);
});

test("strongest senders: one for each loss and receiver, weak ones left out", () => {
  assert.deepEqual(
    strongestSenders(losses, { clean, least: 0.01 }).map(({ lost, into, from, share }) => [lost, into, from, share]),
    [
      ["content", "mover key", "0.1", 0.5],
      ["content", "logits", "0.1", 4.5],
      ["order", "mover key", "0.1", 1],
    ],
  );
});

test("a run in one line; what was not followed is null", () => {
  assert.deepEqual(strongestOfRun("first", losses.content, clean), {
    run: "first",
    "writes most to the logits": "0.1",
    "strongest path into the movers": "0.1 into mover key",
    letter: 1,
    "share lost": 0.5,
  });
  assert.equal(strongestOfRun("second", losses.order, clean)["writes most to the logits"], null);
  const still = losses.content.map((row) => ({ ...row, change: 0 }));
  for (const rows of [[], still])
    assert.deepEqual(Object.values(strongestOfRun("third", rows, clean)), ["third", null, null, null, null]);
});
