// Every exercise, on a small embedded model's few prompts: what is wrong is refused for its own reason, what is no answer is none.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Exercise, ExerciseContext } from "../../../src/lessons/exercise";
import { verdictBundle } from "../../../src/lessons/notebook/output";
import { TOPICS } from "../../../src/lessons/topics";
import { loadModel } from "../../../src/load/load";
import { buildAcronyms, loadAcronyms } from "../../../src/prompts/dataset";
import { WRONG_ANSWERS, type WrongAnswer } from "./wrong-answers";

const exercises: readonly Exercise[] = Object.values(TOPICS).flat();
const wrongAnswers: Record<string, readonly WrongAnswer[]> = WRONG_ANSWERS;
let context: ExerciseContext;

before(async () => {
  const { model, tokenizer } = await loadModel("embedded");
  const data = loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n: 20, seed: 0 });
  context = { model, tokenizer, data, seed: 0, promptsOf: (words) => buildAcronyms(words, tokenizer) };
});

test("ids are unique", () => {
  const ids = exercises.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
});

for (const one of exercises) {
  describe(one.id, () => {
    test("its words are there, and two typical wrong answers at least", () => {
      for (const text of [one.title, one.misconception, ...one.hints]) assert.ok(text.trim());
      assert.ok(one.minutes > 0);
      assert.match(one.id, /^[a-z]+(-[a-z]+)*$/);
      const answers = wrongAnswers[one.id] ?? [];
      assert.ok(new Set(answers.map(({ says }) => String(says))).size >= 2, "say them in wrong-answers.ts");
      assert.ok(
        answers.some(({ says }) => /As if/.test(String(says))),
        "one must show a misconception",
      );
    });

    let truth: unknown;
    const judged = async (answer: unknown) => {
      truth ??= await one.truth(context);
      return one.judge(answer, truth, context);
    };

    for (const { says, answer } of wrongAnswers[one.id] ?? [])
      test(`refused: ${says}`, async () => {
        const verdict = await judged(await answer(context));
        assert.equal(verdict.verdict, "wrong");
        assert.match(verdictBundle(one.id, one.title, verdict)["text/plain"], says);
      });

    test("whatever is given, it throws nothing and takes no nonsense for right", async () => {
      for (const nonsense of [0, -1, Number.NaN, "?", true, [1], { a: 1 }, () => undefined, Symbol("x"), 10n])
        assert.notEqual((await judged(nonsense)).verdict, "right");
    });
  });
}
