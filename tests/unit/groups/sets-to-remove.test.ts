import assert from "node:assert/strict";
import { test } from "node:test";
import { randomSubsets } from "../../../src/experiments/random-circuits";
import { RANDOM_HALF, setsToRemove } from "../../../src/groups/sets-to-remove";

const [a, b, c] = [0, 1, 2].map((head) => ({ layer: 1, head }));
const groups = { letter_movers: [a, b], propagation: [], fuzzy_previous_token: [c], circuit: [a, b, c] };

test("each group that has a head, then random halves of the circuit", () => {
  const sets = setsToRemove(groups, { halves: 2, seed: 5 });
  assert.deepEqual(sets, [
    { K: "without letter movers", heads: [a, b] },
    { K: "without fuzzy previous token heads", heads: [c] },
    ...randomSubsets(groups.circuit, { draws: 2, seed: 5 }).map((heads) => ({ K: RANDOM_HALF, heads })),
  ]);
  assert.equal(setsToRemove({ ...groups, propagation: [b] }, { halves: 0, seed: 5 })[1].K, "without propagation heads");
});
