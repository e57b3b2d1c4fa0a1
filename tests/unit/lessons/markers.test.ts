import assert from "node:assert/strict";
import { test } from "node:test";
import { solutionIn, withoutSolution } from "../../../src/lessons/markers.mjs";

const cell = ["function f(x) {", "  // BEGIN SOLUTION", "  const y = x;", "  return y;", "  // END SOLUTION", "}"].join(
  "\n",
);

test("the solution's place holds the stub, indented as it was", () => {
  assert.equal(withoutSolution(cell, "// HERE"), "function f(x) {\n  // HERE\n}");
  assert.equal(withoutSolution("no solution", "// HERE"), "no solution");
  assert.equal(withoutSolution(`${cell}\n${cell}`, "?").split("\n").length, 6);
});

test("the solution is what stands between the markers", () => {
  assert.equal(solutionIn(cell), "  const y = x;\n  return y;");
  assert.equal(solutionIn("no solution"), "");
});

test("markers that don't fit are refused", () => {
  for (const [text, message] of [
    ["// BEGIN SOLUTION\nx", /has no END SOLUTION/],
    ["// END SOLUTION", /has not begun/],
    ["// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION", /inside another/],
  ] as const)
    assert.throws(() => withoutSolution(text, ""), message);
});
