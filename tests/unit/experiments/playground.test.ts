import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { behaviour } from "../../../src/experiments/behaviour";
import { say } from "../../../src/experiments/playground";
import { type LoadedModel, loadModel } from "../../../src/load/load";
import { forward } from "../../../src/model/forward";
import { edit, patch } from "../../../src/model/hooks";
import { disposeRun } from "../../../src/model/model";
import { buildAcronyms } from "../../../src/prompts/dataset";
import { near } from "../../fixtures/close";

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

  it("refuses to answer from what is not a number, and frees its tensors", () => {
    const { model, tokenizer } = loaded;
    const data = buildAcronyms([["Ketchup", "Lark", "Wreck"]], tokenizer);
    const tensors = tf.memory().numTensors;
    const blind = edit("blocks.1.attn.hook_attn_scores", (scores) => tf.fill(scores.shape, Number.NEGATIVE_INFINITY), {
      head: 0,
    });
    assert.throws(
      () => say(model, data, blind),
      /RangeError: prompt 0, letter 1: the logit of "A" is NaN.*scores are all −∞/,
    );
    assert.equal(tf.memory().numTensors, tensors);
  });

  it("refuses weights that overflow: too large for layer norm, or for sums", () => {
    const { model, tokenizer } = loaded;
    const data = buildAcronyms([["Ketchup", "Lark", "Wreck"]], tokenizer);
    for (const [size, message] of [
      [3e38, /not a finite number.*too large for float32/],
      [1e25, /too large for float32, so its logits say nothing/],
    ] as const) {
      const signs = tf.sign(model.W_E) as tf.Tensor2D;
      const large = { ...model, W_E: signs.mul<tf.Tensor2D>(size) };
      const tensors = tf.memory().numTensors;
      assert.throws(() => say(large, data), message);
      assert.equal(tf.memory().numTensors, tensors);
      tf.dispose([signs, large.W_E]);
    }
    const logits = { ...model, W_U: model.W_U.mul<tf.Tensor2D>(1e38) };
    assert.throws(() => say(logits, data), /prompt 0, letter 1: the logit of "." is -?Infinity/);
    logits.W_U.dispose();
  });
});
