import assert from "node:assert/strict";
import { test } from "node:test";
import { predicted } from "../../../../src/lessons/notebook/predicted";
import { inNotebook } from "../../../fixtures/notebook";

const said = async (...given: Parameters<typeof predicted>) =>
  (await inNotebook(() => predicted(...given))).map(({ data }) => String(data["text/plain"]));

test("what was expected stands beside what came out, by name", async () => {
  const [shown] = await said({ "letter 1": 0, "letter 2": -6 }, { "letter 1": 0.5, "letter 2": -5.25 });
  assert.deepEqual(
    shown.split("\n").map((line) => line.split(/ {2,}/)),
    [
      ["what", "expected", "came out"],
      ["letter 1", "0", "0.500"],
      ["letter 2", "-6", "-5.250"],
    ],
  );
});

test("a part may be missing, and a plain value has no name", async () => {
  assert.match((await said({ a: 1, b: undefined }, { a: 2, b: 3 }))[0], /\nb +– +3$/);
  assert.match((await said("the word", "the whole word"))[0], /the word +the whole word$/);
});

test("nothing written down is said, and what comes out is shown all the same", async () => {
  for (const nothing of [undefined, "", {}, { a: undefined }] as const) {
    const [first, second] = await said(nothing, { a: 2 });
    assert.match(first, /You wrote nothing down; here is what comes out\./);
    assert.match(second, /^what +came out\na +2$/);
  }
});

test("nothing to compare with is the notebook's fault", () => {
  assert.throws(() => predicted("x", {}), /second argument/);
});
