import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { ExerciseContext } from "../../../../src/lessons/exercise";
import { breakTheModel, logitDiff } from "../../../../src/lessons/topics/behaviour";
import { loadModel } from "../../../../src/load/load";
import { buildAcronyms, loadAcronyms } from "../../../../src/prompts/dataset";

const contexts = new Map<string, ExerciseContext>();
const contextOf = (id: string) => contexts.get(id) ?? assert.fail();

before(async () => {
  for (const id of ["embedded", "data/embedded/others/shallow-0"]) {
    const { model, tokenizer } = await loadModel(id);
    const data = loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n: 20, seed: 1 });
    contexts.set(id, { model, tokenizer, data, seed: 1, promptsOf: (words) => buildAcronyms(words, tokenizer) });
  }
});

test("break-the-model follows the model at hand: the same answers, other verdicts", async () => {
  const given = async (id: string, answer: unknown) =>
    (await breakTheModel.judge(answer, await breakTheModel.truth(contextOf(id)), contextOf(id))).verdict;
  const triple = ["Tusk", "Jockey", "Tuna"];
  assert.equal(await given("embedded", triple), "right");
  assert.equal(await given("embedded", "none"), "wrong");
  assert.equal(await given("data/embedded/others/shallow-0", triple), "wrong");
  assert.equal(await given("data/embedded/others/shallow-0", "none"), "right");
});

const metric = (logits: number[], right: number) => {
  const own = logits[right];
  logits.splice(right, 1);
  return own - logits.sort((a, b) => b - a)[0];
};

test("logit-diff takes a function that changes its list, wants the count, and not as a share", async () => {
  const context = contextOf("embedded");
  const truth = await logitDiff.truth(context);
  const { rows, hidden } = truth as { rows: { logit_diff: number; mean_logit_diff: number }[]; hidden: number };
  assert.equal(hidden, rows.filter((row) => row.logit_diff < 0 && row.mean_logit_diff > 0).length);
  const given = (counted: unknown) => logitDiff.judge({ logitDiff: metric, hidden: counted }, truth, context);
  assert.equal((await given(hidden)).verdict, "right");
  assert.match(JSON.stringify(await given(undefined)), /logitDiff is right. Now count/);
  assert.match(JSON.stringify(await given(hidden + 1)), /Count the rows/);
  const one = { rows, hidden: 6 }; // as if there were some to share
  const share = logitDiff.judge({ logitDiff: metric, hidden: 6 / rows.length }, one, context);
  assert.match(JSON.stringify(await share), /the share of rows/);
});
