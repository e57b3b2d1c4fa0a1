import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  besideReference,
  circuitSizes,
  circuitsOfScores,
  METHODS,
  referenceOf,
  rocCurve,
  rocRows,
  scoreEdges,
  scoreQuality,
  strongestEdges,
  strongestInto,
} from "../../../src/discovery/edge-scores";
import { edgeCount, edgeGraph, edgeName } from "../../../src/discovery/edges";
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
const reference = { method: METHODS.exact, scores: exact, seconds: 0 };
const scored = (scores: number[]) => scoreQuality([{ method: "m", scores, seconds: 1 }], reference)[0];

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
  assert.deepEqual(scoreQuality([reference], reference), [], "exact scores are not judged by themselves");
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
  const rows = rocRows([{ method: "m", scores: [3, 2, 1, 2.5, 0, 0], seconds: 0 }, reference], reference);
  nearly(
    rows.map(({ false_alarms, found }) => [false_alarms, found]),
    [
      [0, 1 / 3],
      [1 / 3, 1],
      [1, 1],
    ],
    "of points above each other the highest",
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
  const own = referenceOf(methods);
  assert.equal(own.method, METHODS.exact);
  assert.equal(referenceOf(methods.slice(1)).method, METHODS.ig);
  const circuits = await circuitsOfScores(tinyModel(), data, [own], options);
  assert.deepEqual(
    circuits.map(({ edges }) => edges),
    circuitSizes(edgeCount(TINY)),
  );
  assert.deepEqual(circuitSizes(479), [10, 20, 35, 50, 80, 115, 150, 220, 300]);
  assert.deepEqual(circuitSizes(8), [1, 2, 3, 4, 5]);
  const graph = edgeGraph(TINY);
  const strongest = strongestInto(TINY, "k", own.scores);
  assert.match(edgeName(graph, graph.edges[strongest]), /\.k$/);
  const sizes = own.scores.map(Math.abs);
  const others = graph.edges.flatMap(({ receiver }, e) =>
    graph.receivers[receiver].name.endsWith(".k") ? [sizes[e]] : [],
  );
  assert.equal(sizes[strongest], Math.max(...others));
  const names = graph.edges.map((edge) => edgeName(graph, edge));
  const pairs = besideReference(methods, own, names);
  assert.equal(pairs.length, (methods.length - 1) * names.length);
  assert.deepEqual(pairs[1], {
    method: METHODS.eap,
    edge: names[1],
    exact: own.scores[1],
    score: methods[1].scores[1],
  });
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
