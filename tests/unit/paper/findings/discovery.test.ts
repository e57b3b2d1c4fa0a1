import assert from "node:assert/strict";
import { before, test } from "node:test";
import { alongEdge } from "../../../../src/discovery/edge-circuits";
import {
  circuitsOfScores,
  type EdgeScores,
  METHODS,
  type ScoreQuality,
  scoreEdges,
  scoreQuality,
  strongestInto,
} from "../../../../src/discovery/edge-scores";
import { edgeCount } from "../../../../src/discovery/edges";
import { everySubset } from "../../../../src/discovery/head-subsets";
import {
  bestBySize,
  faithfulnessAlong,
  greedyOrder,
  type SizeRow,
  shapleyValues,
} from "../../../../src/discovery/subset-levels";
import { initBackend } from "../../../../src/model/backend/choose";
import { allHeads } from "../../../../src/model/heads";
import { range } from "../../../../src/numbers/lists";
import {
  ATTRIBUTION,
  acdcClaim,
  acdcFaithfulness,
  type EdgeEvidence,
  edgeClaims,
  GREEDY,
  noEdgesIdentity,
  type SubsetEvidence,
  shapleyIdentity,
  subsetClaims,
} from "../../../../src/paper/findings/discovery";
import { resample } from "../../../../src/prompts/corruption";
import { TINY, tinyModel, tinyPrompts } from "../../../fixtures/tiny-prompts";

before(async () => {
  await initBackend();
});

const holds = (claims: readonly { passed: boolean }[]) => claims.map(({ passed }) => passed);
const size = (heads: number, faithfulness: number, high: number): SizeRow => {
  return { heads, subsets: 9, best: `${heads} heads`, logit_diff: 1, faithfulness, mean: 0, low: 0, high };
};
const front = [
  size(0, 0, 0),
  size(1, 0.5, 0.2),
  size(2, 0.9, 0.5),
  size(3, 0.95, 0.6),
  size(4, 0.98, 0.8),
  size(5, 1, 1),
];
const along = (method: string, shares: number[]) =>
  shares.map((faithfulness, i) => ({ method, heads: i + 1, faithfulness }));
const heads: SubsetEvidence = {
  all: 5,
  front,
  shapley: [
    { layer: 0, head: 0, shapley: 3 },
    { layer: 0, head: 1, shapley: 2 },
  ],
  orders: [...along(GREEDY, [0.5, 0.88, 0.95]), ...along(ATTRIBUTION, [0.5, 0.7, 0.95])],
};

test("what is said of circuits of heads holds for such rows and fails for others", () => {
  assert.deepEqual(holds(subsetClaims(heads)), [true, true]);
  assert.deepEqual(holds(subsetClaims({ ...heads, all: 0.1 })), [false, false], "heads do nothing");
  const common = front.map((row) => ({ ...row, high: 0.8 }));
  assert.deepEqual(holds(subsetClaims({ ...heads, front: common })), [false, true], "many circuits are as good");
  const orders = [...along(GREEDY, [0.4]), ...along(ATTRIBUTION, [0.5, 0.7])];
  assert.deepEqual(holds(subsetClaims({ ...heads, orders })), [true, false], "greedy falls short");
  const both = [...along(GREEDY, [0.5, 0.9]), ...along(ATTRIBUTION, [0.5, 0.88])];
  assert.deepEqual(holds(subsetClaims({ ...heads, orders: both })), [true, false], "gradients don't");
});

test("identities fail where numbers don't add up", () => {
  assert.deepEqual(holds([shapleyIdentity(heads), shapleyIdentity({ ...heads, all: 5.1 })]), [true, false]);
  assert.deepEqual(holds([noEdgesIdentity(-3, -3.0001), noEdgesIdentity(-3, -3.1)]), [true, false]);
  assert.ok(shapleyIdentity(heads).given && noEdgesIdentity(0, 0).given);
});

const scores = (method: string, own: readonly number[]): EdgeScores => ({ method, scores: own, seconds: 1 });
const exact = range(20).map((e) => (e < 2 ? -3 : 0));
const judged = (method: string, r: number, sign: number): ScoreQuality => {
  return { method, r, r_without_largest: r, sign, auc: 0.9 };
};
const quality = [judged(METHODS.eap, 0.3, 0.7), judged(METHODS.ig, 0.95, 0.9), judged(METHODS.through, 0.9, 0.98)];
const circuit = (method: string, faithfulness: number) => ({ method, edges: 150, logit_diff: 1, faithfulness });
const circuits = [
  ...[METHODS.exact, METHODS.ig, METHODS.through].map((method) => circuit(method, 0.97)),
  circuit(METHODS.random, 0),
];
const saturated = { edge: "a → b", exact: -4, eap: 0.1, along: [{ share: 0.5, change: -1 }] };
const edges: EdgeEvidence = { scores: [scores(METHODS.exact, exact)], quality, circuits, saturated };

test("what is said of edges holds for such rows and fails for others, claim by claim", () => {
  assert.deepEqual(holds(edgeClaims(edges)), [true, true, true, true, true]);
  const without = (change: Partial<EdgeEvidence>, at: number) =>
    assert.deepEqual(
      holds(edgeClaims({ ...edges, ...change })),
      range(5).map((i) => i !== at),
    );
  without(
    {
      scores: [
        scores(
          METHODS.exact,
          exact.map(() => 0),
        ),
      ],
    },
    0,
  );
  without(
    {
      scores: [
        scores(
          METHODS.exact,
          exact.map(() => 1),
        ),
      ],
    },
    0,
  );
  without({ quality: [judged(METHODS.eap, 0.3, 0.95), ...quality.slice(1)] }, 1);
  without({ quality: [judged(METHODS.eap, 0.9, 0.7), ...quality.slice(1)] }, 2);
  without({ circuits: [...circuits.slice(0, 3), circuit(METHODS.random, 0.5)] }, 3);
  without({ circuits: [circuit(METHODS.exact, 0.5), ...circuits.slice(1)] }, 3);
  without({ saturated: { ...saturated, eap: -3.9 } }, 4);
});

test("ACDC beside as many edges by themselves", () => {
  const row = (count: number, acdc: number, by_exact_effect: number) => ({
    threshold: 0.1,
    edges: count,
    acdc,
    by_exact_effect,
  });
  assert.equal(acdcClaim([row(50, 0.87, 0.85), row(80, 0.92, 0.93)]).passed, true);
  assert.equal(acdcClaim([row(50, 0.8, 0.85), row(80, 0.95, 0.93)]).passed, false);
  assert.equal(acdcClaim([row(50, 0.1, 0.1)]).passed, false, "neither does anything");
  assert.equal(acdcClaim([row(200, 0.9, 0.1)]).passed, false, "none is small");
});

test("an untrained model: identities hold, nothing else does", async () => {
  const model = tinyModel();
  const data = tinyPrompts(6, 0);
  const options = { corrupted: resample(data, 0) };
  const levels = await everySubset(model, data, options);
  const all = levels[levels.length - 1] - levels[0];
  const shapley = shapleyValues(levels, TINY);
  assert.ok(shapleyIdentity({ all, shapley }).passed);
  const orders = [
    ...faithfulnessAlong(levels, TINY, GREEDY, greedyOrder(levels, TINY)),
    ...faithfulnessAlong(levels, TINY, ATTRIBUTION, allHeads(TINY)),
  ];
  assert.deepEqual(holds(subsetClaims({ all, front: bestBySize(levels, TINY), shapley, orders })), [false, false]);
  const scored = await scoreEdges(model, data, { ...options, seed: 0 });
  const edge = strongestInto(TINY, "q", scored[0].scores);
  const claims = edgeClaims({
    scores: scored,
    quality: scoreQuality(scored, scored[0]),
    circuits: await circuitsOfScores(model, data, scored, options),
    saturated: {
      edge: "",
      exact: scored[0].scores[edge],
      eap: scored[1].scores[edge],
      along: await alongEdge(model, data, edge, { ...options, shares: [0.5] }),
    },
  });
  assert.deepEqual(
    claims.slice(1).map(({ passed }) => passed),
    [false, false, false, false],
    claims.map(({ evidence }) => evidence).join("\n"),
  );
  const circuits50 = [{ threshold: 0.1, edges: range(edgeCount(TINY)).slice(0, 20), seconds: 1 }];
  const rows = await acdcFaithfulness(model, data, circuits50, { ...options, exact: scored[0].scores });
  assert.deepEqual([rows.length, rows[0].edges], [1, 20]);
  assert.deepEqual(await acdcFaithfulness(model, data, [], { ...options, exact: [] }), []);
});
