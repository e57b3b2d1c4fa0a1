import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "../scripts/fuzz/main";

test("10,000 damaged checkpoint files are refused properly or consistent", () => {
  const { accepted, refused } = fuzz(10_000, 20240513);
  // both happen often, and for many reasons: else the test would hold nothing
  assert.ok(accepted > 1000, `only ${accepted} were accepted`);
  assert.ok(refused.size > 20, `only ${refused.size} reasons to refuse were met: ${[...refused.keys()].join("; ")}`);
});

test("the same seed damages the same files", () => {
  assert.deepEqual(fuzz(200, 1).refused, fuzz(200, 1).refused);
  assert.notDeepEqual(fuzz(200, 1).refused, fuzz(200, 2).refused);
});
