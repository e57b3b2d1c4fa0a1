import assert from "node:assert/strict";
import { before, test } from "node:test";
import { METHODS, rocCurve, scoreEdges, scoreQuality, strongestEdges } from "../../../src/discovery/edge-scores";
import { edgeCount } from "../../../src/discovery/edges";
import { attributeHeads } from "../../../src/discovery/head-attribution";
import { circuitValues } from "../../../src/experiments/circuit-evaluation";
import { initBackend } from "../../../src/model/backend/choose";
import { allHeads, headsWithout } from "../../../src/model/heads";
import { mean } from "../../../src/numbers/statistics";
import { resample } from "../../../src/prompts/corruption";
import { nearly } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

before(async () => {
  await initBackend();
});

const exact = [-5, 1, -0.5, 0.01, 0, 0.02];
const scored = (scores: number[]) => scoreQuality([{ method: "m", scores, seconds: 1 }], exact)[0];

test("scores that are the exact ones are perfect, others by what is wrong with them", () => {
  const same = scored(exact);
  nearly([same.r ?? 0, same.r_without_largest ?? 0, same.sign ?? 0, same.auc ?? 0], [1, 1, 1, 1]);
  const turned = scored(exact.map((effect) => -effect));
  nearly([turned.r ?? 0, turned.sign ?? 1, turned.auc ?? 0], [-1, 0, 1]);
  const even = scored(exact.map(() => 1));
  assert.deepEqual([even.r, even.r_without_largest], [null, null]);
  nearly([even.auc ?? 0, even.sign ?? 0], [0.5, 1 / 3]);
  nearly(
    scored([0, 0.3, 0, 0.2, 0.1, 0.4]).auc ?? 0,
    (1 / 3) * (2 / 3),
    "one of three before two of three, the rest last",
  );
  const exactRow = { method: METHODS.exact, scores: exact, seconds: 0 };
  assert.deepEqual(scoreQuality([exactRow], exact), [], "exact scores are not judged by themselves");
});

test("a ROC curve goes from nothing to everything, equal scores in one step", () => {
  assert.deepEqual(
    rocCurve("m", [3, 2, 2, 2, 0, 0], exact).map(({ false_alarms, found }) => [false_alarms, found]),
    [
      [0, 0],
      [0, 1 / 3],
      [1 / 3, 1],
      [1, 1],
    ],
  );
  assert.deepEqual(rocCurve("m", [1, 2], [0, 0]), [], "no edge matters");
  assert.deepEqual(strongestEdges([1, -3, 2], 2), [1, 2]);
});

test("every method scores every edge", async () => {
  const data = tinyPrompts(3, 0);
  const options = { corrupted: resample(data, 1), seed: 0 };
  const methods = await scoreEdges(tinyModel(), data, options);
  assert.deepEqual(
    methods.map(({ method }) => method),
    Object.values(METHODS),
  );
  for (const { scores } of methods) assert.equal(scores.length, edgeCount(TINY));
});

test("attributed heads: in a model whose last layer is all there is, what small ablations do", async () => {
  const data = tinyPrompts(6, 0);
  const corrupted = resample(data, 0);
  const model = tinyModel();
  const rows = await attributeHeads(model, data, { corrupted, batch: 4 });
  const all = allHeads(TINY);
  const [whole, ...without] = await circuitValues(model, data, [all, ...all.map((head) => headsWithout(all, [head]))], {
    corrupted,
  });
  const changes = without.map((values) => mean(values.flat()) - mean(whole.flat()));
  const sizes = changes.map(Math.abs);
  for (const [i, { change }] of rows.entries())
    assert.ok(Math.abs(change - changes[i]) < 0.5 * Math.max(...sizes), `head ${i}: ${change}, ${changes[i]}`);
  const largest = sizes.indexOf(Math.max(...sizes));
  assert.equal(Math.sign(rows[largest].change), Math.sign(changes[largest]));
});
