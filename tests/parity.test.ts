/** Our numbers against TransformerLens's and the official scripts', on the copy of the fixture. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { parity } from "../scripts/parity/parity";

test("every tensor that has a counterpart is within the fixture's tolerance", async (t) => {
  const rows = await parity(path.join(__dirname, "fixtures", "tiny-a"));
  for (const { name, status, worst, tol, why } of rows.filter(
    ({ status }) => status === "equal" || status === "failed",
  ))
    await t.test(name, () => assert.equal(status, "equal", why ?? `differs by ${worst}, tolerance ${tol}`));
  const missing = rows.filter(({ status }) => status === "not covered");
  await t.test("no tensor is left without a counterpart", () => assert.deepEqual(missing, []));
});
