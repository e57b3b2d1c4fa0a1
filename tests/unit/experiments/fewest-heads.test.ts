import assert from "node:assert/strict";
import { test } from "node:test";
import { fewestHeads } from "../../../src/experiments/fewest-heads";
import { allHeads, type HeadId, hasHead, headList, headName } from "../../../src/model/heads";

const heads = allHeads({ n_layers: 4, n_heads: 3 });
const byWorth = (worth: Readonly<Record<string, number>>) => async (sets: readonly (readonly HeadId[])[]) =>
  sets.map((set) => set.reduce((sum, head) => sum + (worth[headName(head)] ?? 0), 0));

test("heads that do nothing are left out, and so are those that the level can spare, the least first", async () => {
  const measure = byWorth({ "0.1": 0.5, "2.2": 0.4, "3.0": 0.08, "1.0": -0.02 });
  assert.equal(headList((await fewestHeads(heads, { measure, least: 0.8 })) ?? []), "0.1, 2.2");
  assert.equal(headList((await fewestHeads(heads, { measure, least: 0.95 })) ?? []), "0.1, 2.2, 3.0");
});

test("a head that stands in for another is measured anew once the other is gone", async () => {
  const either = async (sets: readonly (readonly HeadId[])[]) =>
    sets.map((set) => (hasHead(set, heads[0]) || hasHead(set, heads[5]) ? 1 : 0));
  assert.equal((await fewestHeads(heads, { measure: either, least: 1 }))?.length, 1);
});

test("what all heads together don't reach is undefined", async () => {
  assert.equal(await fewestHeads(heads, { measure: byWorth({ "0.1": 0.5 }), least: 0.8 }), undefined);
});

test("of many heads several go at once: far fewer sets are measured, and those that matter stay", async () => {
  const many = allHeads({ n_layers: 12, n_heads: 12 });
  let sets = 0;
  const worth = byWorth({ "0.1": 0.5, "11.11": 0.5 });
  const measure = (asked: readonly (readonly HeadId[])[]) => {
    sets += asked.length;
    return worth(asked);
  };
  assert.equal(headList((await fewestHeads(many, { measure, least: 1 })) ?? []), "0.1, 11.11");
  assert.ok(sets < 1500, `${sets} sets were measured; one after the other would be about 10,000`);
});
