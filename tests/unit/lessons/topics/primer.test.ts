import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Exercise, ExerciseContext } from "../../../../src/lessons/exercise";
import { lastToken, logitsToProbability, streamWidth } from "../../../../src/lessons/topics/primer";
import { loadModel } from "../../../../src/load/load";
import { buildAcronyms, loadAcronyms } from "../../../../src/prompts/dataset";

const MODELS = ["embedded", "data/embedded/others/shallow-0", "data/embedded/others/deep-0"];
const contexts: ExerciseContext[] = [];

before(async () => {
  for (const id of MODELS) {
    const { model, tokenizer } = await loadModel(id);
    const data = loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n: 5, seed: 2 });
    contexts.push({ model, tokenizer, data, seed: 2, promptsOf: (words) => buildAcronyms(words, tokenizer) });
  }
});

async function verdict(one: Exercise, answer: (context: ExerciseContext) => unknown) {
  const all = contexts.map(async (context) => one.judge(answer(context), await one.truth(context), context));
  return (await Promise.all(all)).map((each) => each.verdict);
}
const everywhere = (what: string) => MODELS.map(() => what);

test("last-token: the letter just written, whichever prompt is the first", async () => {
  assert.deepEqual(await verdict(lastToken, ({ data }) => data.prompts[0].split("(")[1][0]), everywhere("right"));
});

test("stream-width: as wide as the embedding's rows", async () => {
  assert.deepEqual(await verdict(streamWidth, ({ model }) => model.W_E.shape[1]), everywhere("right"));
});

test("logits-to-probability: e to the logit, as a share of all; a function that sorts its list is no harm", async () => {
  const probability = (logits: number[], token: number) => {
    const own = Math.exp(logits[token]);
    return own / logits.sort((a, b) => a - b).reduce((total, logit) => total + Math.exp(logit), 0);
  };
  assert.deepEqual(await verdict(logitsToProbability, () => probability), everywhere("right"));
  assert.deepEqual(await verdict(logitsToProbability, () => () => undefined), everywhere("unanswered"));
});

test("stream-width: as many layers as the MLP is wider than the stream leave two ways to the same wrong number", async () => {
  for (const context of contexts) {
    const { d_mlp, d_model, n_layers } = context.model.config;
    const said = JSON.stringify(await streamWidth.judge(d_mlp, await streamWidth.truth(context), context));
    assert.equal(/but layers add, they don.t append/.test(said), d_mlp === n_layers * d_model);
  }
});
