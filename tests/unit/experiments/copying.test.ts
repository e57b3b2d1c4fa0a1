import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ovInPrompts } from "../../../src/experiments/attention";
import { attentionLogits, copiedByHead, otherCopiers } from "../../../src/experiments/copying";
import { copyingScores, diagonalStatistics, ovCircuit } from "../../../src/experiments/ov-circuit";
import { initBackend } from "../../../src/model/backend/choose";
import { allHeads, type HeadId, hasHead, headName } from "../../../src/model/heads";
import type { Model } from "../../../src/model/model";
import { nearly } from "../../fixtures/close";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel(1);
});
const prompts = tinyPrompts(6, 1);
const capitals = { from: prompts.letters, to: prompts.letters };

test("other copiers: highest score first, none of the heads that are given", () => {
  const scores = new Map(copyingScores(model, capitals).map((row) => [headName(row), row.copying]));
  const given = [{ layer: 0, head: 0 }];
  const others = otherCopiers(model, given, { ...capitals, top: 3 });
  assert.equal(others.length, 3);
  assert.ok(!hasHead(others, given[0]));
  const score = (head: HeadId) => scores.get(headName(head))!;
  const rest = allHeads(TINY).filter((head) => !hasHead([...given, ...others], head));
  assert.ok(others.slice(1).every((head, i) => score(head) <= score(others[i])));
  assert.ok(rest.every((head) => score(head) <= score(others[2])));
});

test("what a head copies is what its own circuits say, one row an input", async () => {
  const head = { layer: 1, head: 1 };
  const seen: number[] = [];
  const progress = (done: number, total: number) => seen.push(done / total);
  const rows = await copiedByHead(model, prompts, [{ layer: 0, head: 0 }, head], { ...capitals, progress });
  assert.equal(rows.length, 6);
  assert.deepEqual(
    rows.slice(3).map(({ head, input, copied }) => [head, input, copied]),
    [
      ["1.1", "embedding", diagonalStatistics(ovCircuit(model, [head], capitals)).copied],
      [
        "1.1",
        "first MLP, top 5 (TransformerLens)",
        copyingScores(model, capitals).find((row) => row.layer === 1 && row.head === 1)!.copying,
      ],
      ["1.1", "as found at C", diagonalStatistics(await ovInPrompts(model, prompts, [head])).copied],
    ],
  );
  assert.equal(seen.at(-1), 1);
  assert.ok(seen.every((share, i) => i === 0 || share > seen[i - 1]));
});

test("attention and logits of a head, by hand", () => {
  const point = (letter: 1 | 2, word: 1 | 2, attention: number, logit: number) => ({
    ...{ layer: 8, head: 11, prompt: 0, letter, word, attention, logit },
  });
  const points = [point(1, 1, 0.5, 4), point(1, 2, 0.1, 1), point(2, 2, 0.7, 2), point(2, 1, 0.3, 3)];
  const other = points.map((row) => ({ ...row, layer: 9, logit: row.attention }));
  const [first, second] = attentionLogits([...points, ...other]);
  assert.deepEqual([first.head, second.head], ["8.11", "9.11"]);
  nearly([first.attentionRight, first.logitRight, first.logitOthers], [0.6, 3, 2]);
  // attention less 0.4: 0.1 −0.3 0.3 −0.1; logits less 2.5: 1.5 −1.5 −0.5 0.5; of the right word alone the line falls
  nearly([first.correlation, first.correlationRight], [0.4 / Math.sqrt(0.2 * 5), -1]);
  nearly([second.correlation, second.correlationRight], [1, 1]);
});
