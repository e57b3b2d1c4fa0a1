import assert from "node:assert/strict";
import { test } from "node:test";
import { headGiven, headsGiven } from "../../../../src/lessons/topics/heads-given";

const model = { config: { n_layers: 2, n_heads: 12 } } as Parameters<typeof headsGiven>[1];

test("a head is named by a text, also with spaces around it, or by layer and head", () => {
  assert.deepEqual(["1.10", " 1.10\n", { layer: 1, head: 10 }].map(headGiven), ["1.10", "1.10", "1.10"]);
  assert.deepEqual(headsGiven([" 1.10", { layer: 0, head: 2 }], model), [
    { layer: 1, head: 10 },
    { layer: 0, head: 2 },
  ]);
});

test("what is no head is told", () => {
  for (const [answer, says] of [
    [[1.1], /^1\.1 \(a number, in which 1\.10 is 1\.1\) is no head of this model\. Give a list/],
    [["2.0"], /^2\.0 is no head of this model/],
    [[undefined], /^undefined is no head/],
    [["1.1", "1.1 "], /^1\.1 comes twice/],
    ["1.1", /^Give a list of heads, such as \["0\.0", "1\.11"\]/],
  ] as const)
    assert.match(String(headsGiven(answer, model)), says);
});
