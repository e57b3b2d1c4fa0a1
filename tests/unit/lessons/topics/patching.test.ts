import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Exercise, ExerciseContext } from "../../../../src/lessons/exercise";
import { headSweep } from "../../../../src/lessons/topics/head-sweep";
import { nothingAndEverything, patchTheLastLetter, whereTheWordCounts } from "../../../../src/lessons/topics/patching";
import { loadModel } from "../../../../src/load/load";
import { buildAcronyms, loadAcronyms } from "../../../../src/prompts/dataset";
import { position } from "../../../../src/prompts/positions";
import { type Own, sweep, third, whole } from "../wrong-answers/patching";

const MODELS = ["embedded", "data/embedded/others/shallow-0", "data/embedded/others/deep-0"];

for (const id of MODELS)
  describe(id, () => {
    let context: ExerciseContext;
    const contextOf = async (n: number): Promise<ExerciseContext> => {
      const { model, tokenizer } = await loadModel(id);
      const data = loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n, seed: 1 });
      return { model, tokenizer, data, seed: 1, promptsOf: (words) => buildAcronyms(words, tokenizer) };
    };
    before(async () => {
      context = await contextOf(6);
    });
    const truths = new Map<ExerciseContext, Map<Exercise, unknown>>();
    const judged = async (one: Exercise, answer: unknown, where = context) => {
      const known = truths.get(where) ?? new Map<Exercise, unknown>();
      truths.set(where, known);
      if (!known.has(one)) known.set(one, await one.truth(where));
      return one.judge(answer, known.get(one), where);
    };
    const given = async (one: Exercise, answer: unknown, where = context) => (await judged(one, answer, where)).verdict;

    test("a word counts by its capital; a list, a name and a repeated name will do", async () => {
      for (const answer of [["C2"], "C2", ["C2", "C2"]]) assert.equal(await given(whereTheWordCounts, answer), "right");
      assert.equal(await given(whereTheWordCounts, ["T2"]), "wrong");
    });

    test("with one prompt alone the other word is its own: nothing counts, nothing changes", async () => {
      const alone = await contextOf(1);
      assert.equal(await given(whereTheWordCounts, "none", alone), "right");
      assert.equal(await given(whereTheWordCounts, ["C2"], alone), "wrong");
      assert.equal(await given(patchTheLastLetter, [0, 0, 0], alone), "right");
      assert.equal(await given(nothingAndEverything, { itself: 0, everything: 0 }, alone), "right");
      assert.equal(await given(headSweep, sweep(alone), alone), "right");
    });

    test("numbers are right to a thousandth of a logit, not bit by bit", async () => {
      const [a2, all] = [third(context), whole(context)];
      for (const [off, verdict] of [
        [5e-4, "right"],
        [-5e-4, "right"],
        [2e-3, "wrong"],
      ] as const) {
        assert.equal(await given(patchTheLastLetter, [off, 0, a2]), verdict);
        assert.equal(await given(patchTheLastLetter, [0, off / 2, a2 + off]), verdict);
        assert.equal(await given(nothingAndEverything, { itself: off, everything: all }), verdict);
        assert.equal(await given(nothingAndEverything, { itself: 0, everything: all + off }), verdict);
        const shifted: Own = { value: (after, before) => after - before + off };
        assert.equal(await given(headSweep, sweep(context, shifted)), verdict);
      }
    });

    test("a sweep may wait, and give its rows in any order", async () => {
      const own = sweep(context);
      const slow = async (...given: Parameters<typeof own>) => own(...given).reverse();
      assert.equal(await given(headSweep, slow), "right");
      const twice = (...given: Parameters<typeof own>) => own(...given).map((row) => ({ ...row, layer: 0, head: 0 }));
      assert.match(JSON.stringify(await judged(headSweep, twice)), /0\.1 is missing/);
    });

    test("where every A2 is the same letter, to exchange it changes nothing", async () => {
      const at = position("A2");
      const tokens = context.data.tokens.map((row) => row.with(at, context.data.letters[0]));
      const other = { ...context, data: { ...context.data, tokens } };
      assert.equal(await given(patchTheLastLetter, [0, 0, 0], other), "right"); // A2 is A in all: exchanged for itself
      assert.equal(await given(patchTheLastLetter, [0, 1, 0], other), "wrong");
    });
  });
