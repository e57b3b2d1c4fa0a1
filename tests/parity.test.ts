/** Our numbers against TransformerLens's and the official scripts', on the copy of the fixture. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { parity } from "../scripts/parity/main";

// what the plan leaves out is nothing of batches' account: without it all six prompts are one
for (const [plan, batch] of [
  ["on", 4],
  ["off", 6],
] as const)
  test(`every tensor that has a counterpart is within the fixture's tolerance, plan ${plan}`, async (t) => {
    process.env.ACRONYM_PLAN = plan;
    const rows = await parity(path.join(__dirname, "fixtures", "tiny-a"), batch);
    const compared = rows.filter(({ status }) => status === "equal" || status === "failed");
    for (const { name, status, worst, tol, why } of compared)
      await t.test(name, () => assert.equal(status, "equal", why ?? `differs by ${worst}, tolerance ${tol}`));
    const missing = rows.filter(({ status }) => status === "not covered");
    await t.test("no tensor is left without a counterpart", () => assert.deepEqual(missing, []));
  });

test("a folder that is no fixture is refused with what it lacks", async () => {
  await assert.rejects(parity(__dirname), {
    message:
      /is no fixture folder: it lacks inputs\.json, expected\.safetensors, tolerances\.json\.\n\nusage: npm run parity/,
  });
});
