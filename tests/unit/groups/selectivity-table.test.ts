import assert from "node:assert/strict";
import { test } from "node:test";
import { selectivityTable } from "../../../src/groups/selectivity-table";

const row = (query: string, key: string, score: number) => ({ query, key, score, std: 0 });
const rows = [row("1.2", "mlp 0", 3), row("0.1", "mlp 0", 2), row("mlp 0", "1.2", -1)];
const groups = {
  letter_movers: [{ layer: 0, head: 1 }],
  propagation: [{ layer: 1, head: 2 }],
  fuzzy_previous_token: [],
  circuit: [
    { layer: 0, head: 1 },
    { layer: 1, head: 2 },
  ],
};

test("the two strongest parts of either side, with their groups and shares of the whole", () => {
  assert.deepEqual(selectivityTable(new Map([["2.0", rows]]), groups), [
    {
      head: "2.0",
      selectivity: 4,
      "times more attention": Math.exp(4),
      "strongest in the query": "1.2 (propagation) 75%, 0.1 (letter mover) 50%",
      "strongest in the key": "mlp 0 125%, 1.2 (propagation) -25%",
    },
  ]);
});

test("heads that only stand in for letter movers are not called so", () => {
  const [summary] = selectivityTable(new Map([["2.0", rows]]), { ...groups, standIns: true });
  assert.equal(summary["strongest in the query"], "1.2 (propagation) 75%, 0.1 (strong writer) 50%");
});
