import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { near } from "../tests/close";
import { behaviour } from "./behaviour";
import { buildAcronyms } from "./dataset";
import { forward } from "./forward";
import { patch } from "./hooks";
import { type LoadedModel, loadModel } from "./load";
import { disposeRun } from "./model";
import { say } from "./playground";

let loaded: LoadedModel;
before(async () => {
  loaded = await loadModel();
});

describe("say", () => {
  it("agrees with behaviour, which reads the whole vocabulary", async () => {
    const { model, tokenizer } = loaded;
    const data = buildAcronyms(
      [
        ["Ketchup", "Lark", "Wreck"],
        ["Kite", "Pint", "Wren"],
      ],
      tokenizer,
    );
    const [said, rows] = [say(model, data), await behaviour(model, data, tokenizer)];
    said.forEach(({ prompt, letter, right, says, logit_diff, probability }, i) => {
      const { letter_logits, ...row } = rows[i];
      assert.deepEqual([prompt, letter, right], [row.prompt, row.letter, row.acronym[letter - 1]]);
      near(logit_diff, row.logit_diff);
      assert.equal(says === right, row.logit_diff > 0);
      const total = letter_logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      near(probability, Math.exp(letter_logits[says.charCodeAt(0) - 65]) / total);
    });
  });

  it("says what the other prompt says when all that it reads is the other's, and frees its tensors", () => {
    const { model, tokenizer } = loaded;
    const [mine, other] = [
      ["Ketchup", "Lark", "Wreck"],
      ["Zeta", "Dune", "Sable"],
    ].map((words) => buildAcronyms([words as [string, string, string]], tokenizer));
    const tensors = tf.memory().numTensors;
    const source = forward(model, other.tokens, { keep: ["hook_embed"] });
    const patched = say(model, mine, patch("hook_embed", source.cache.hook_embed));
    assert.deepEqual(
      patched.map(({ says }) => says),
      say(model, other).map(({ says }) => says),
    );
    disposeRun(source);
    assert.equal(tf.memory().numTensors, tensors);
  });
});
