import assert from "node:assert/strict";
import { test } from "node:test";
import { headName, headOf } from "../../../src/model/heads";

test("a head is found by its name; what names none is refused", () => {
  for (const head of [
    { layer: 8, head: 11 },
    { layer: 0, head: 0 },
  ])
    assert.deepEqual(headOf(headName(head)), head);
  for (const name of ["logits", "8", "8.", ".1", "8.11.0", "-1.2", "8.x", " 8.1", ""])
    assert.throws(() => headOf(name), { name: "RangeError", message: /names no head; .* as in "8\.11"/ });
});
