import assert from "node:assert/strict";
import { test } from "node:test";
import { meanBy } from "../../../src/numbers/mean-by";

const rows = [
  { letter: 2, what: "b", logit_diff: 1 },
  { letter: 1, what: "a", logit_diff: 5 },
  { letter: 2, what: "b", logit_diff: 3 },
];

test("one row for each combination, with mean, spread and number", () => {
  assert.deepEqual(meanBy(rows, ["letter", "what"], "logit_diff"), [
    { letter: 2, what: "b", logit_diff: 2, std: Math.SQRT2, n: 2 },
    { letter: 1, what: "a", logit_diff: 5, std: 0, n: 1 },
  ]);
});

test("without columns all rows are one group; without rows there is none", () => {
  assert.deepEqual(meanBy(rows, [], "logit_diff"), [{ logit_diff: 3, std: 2, n: 3 }]);
  assert.deepEqual(meanBy([], ["letter"] as never[], "logit_diff" as never), []);
});

test("a value that is no finite number is named", () => {
  assert.throws(
    () => meanBy([...rows, { ...rows[0], logit_diff: Number.NaN }], ["letter"], "logit_diff"),
    /row 3.*NaN/,
  );
});
