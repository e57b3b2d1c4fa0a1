import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, quoted } from "../../../src/numbers/text";

test("nearest sorts by edit distance, without regard to case, then by alphabet", () => {
  assert.deepEqual(nearest("zebraz", ["Zulu", "Zeta", "Zebra", "ZEBRAS"]), ["ZEBRAS", "Zebra", "Zeta", "Zulu"]);
  assert.deepEqual(nearest("b", ["d", "c", "a", "b"], 3), ["b", "a", "c"]);
});

test("nearest counts an insertion, a deletion and a replacement as one each", () => {
  assert.deepEqual(nearest("lark", ["larks", "ark", "lurk", "shirk"]), ["ark", "larks", "lurk", "shirk"]);
});

test("quoted shows spaces", () => assert.equal(quoted([" K", "e"]), '" K", "e"'));
