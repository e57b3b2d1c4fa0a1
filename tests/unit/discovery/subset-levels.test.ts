import assert from "node:assert/strict";
import { test } from "node:test";
import { subsetOf } from "../../../src/discovery/head-subsets";
import {
  bestBySize,
  faithfulnessAlong,
  frontRows,
  greedyOrder,
  headWorth,
  orderBy,
  shapleyValues,
  shareOfHeads,
} from "../../../src/discovery/subset-levels";
import { allHeads } from "../../../src/model/heads";
import { range } from "../../../src/numbers/lists";
import { random } from "../../../src/numbers/random";
import { nearly } from "../../fixtures/close";

const config = { n_layers: 2, n_heads: 2 };
/** Each head adds its worth; the first and the last together three more. */
const worth = [1, 2, 0, -1];
const levels = range(16).map(
  (subset) => 10 + worth.reduce((sum, value, i) => sum + ((subset >> i) & 1) * value, 0) + ((subset & 9) === 9 ? 3 : 0),
);

test("Shapley values: what a head adds, and half of what two add together", () => {
  nearly(
    shapleyValues(levels, config).map(({ shapley }) => shapley),
    [1 + 1.5, 2, 0, -1 + 1.5],
  );
  const { normal } = random(0);
  const any = range(512).map(() => normal());
  const sum = shapleyValues(any, { n_layers: 3, n_heads: 3 }).reduce((total, { shapley }) => total + shapley, 0);
  nearly(sum, any[511] - any[0], "they add up to what all do together");
});

test("the best of each size", () => {
  const rows = bestBySize(levels, config);
  assert.deepEqual(
    rows.map(({ heads, subsets, best, logit_diff }) => [heads, subsets, best, logit_diff]),
    [
      [0, 1, "none", 10],
      [1, 4, "0.1", 12],
      [2, 6, "0.0, 0.1", 13],
      [3, 4, "0.0, 0.1, 1.1", 15],
      [4, 1, "0.0, 0.1, 1.0, 1.1", 15],
    ],
  );
  nearly([rows[1].faithfulness ?? 0, rows[1].mean ?? 0, rows[4].low ?? 0], [2 / 5, 0.5 / 5, 1]);
  assert.deepEqual([rows[1].low, rows[1].high], [-1 / 5, 2 / 5]);
  assert.equal(shareOfHeads([1, 2, 2, 1], 1), null, "heads do nothing");
  assert.equal(bestBySize([1, 2, 2, 1], { n_layers: 1, n_heads: 2 })[1].mean, null);
});

test("greedy takes what helps most at each step, and can miss two that need each other", () => {
  const order = greedyOrder(levels, config);
  assert.deepEqual(
    order.map((head) => subsetOf(config, [head])),
    [2, 1, 8, 4],
  );
  const along = faithfulnessAlong(levels, config, "greedy", order);
  nearly(
    along.map(({ faithfulness }) => faithfulness ?? Number.NaN),
    [0.4, 0.6, 1, 1],
  );
  assert.deepEqual(along.map(({ heads, method }) => [heads, method])[2], [3, "greedy"]);
  assert.equal(order.length, allHeads(config).length);
});

test("heads by their Shapley value, beside what each costs alone and what its gradient says", () => {
  const attributed = allHeads(config).map((head, i) => ({ ...head, change: -i }));
  const rows = headWorth(levels, config, attributed);
  assert.deepEqual(
    rows.map(({ head }) => head),
    ["0.0", "0.1", "1.1", "1.0"],
  );
  nearly([rows[0].alone, rows[0].by_gradient, rows[2].alone, rows[2].by_gradient], [4, 0, 2, 3]);
  assert.deepEqual(orderBy(attributed, ({ change }) => change)[3], { layer: 1, head: 1 });
  const rowsOfFront = frontRows(bestBySize(levels, config));
  assert.deepEqual(
    rowsOfFront.filter(({ heads }) => heads === 4).map(({ faithfulness }) => faithfulness),
    [1, 1],
  );
});
