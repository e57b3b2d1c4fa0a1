import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { ExerciseContext, Verdict } from "../../../../src/lessons/exercise";
import { embeddingOrStream, evenAttention, queryKeyValue } from "../../../../src/lessons/topics/reading";
import { loadModel } from "../../../../src/load/load";
import { headOf } from "../../../../src/model/heads";
import { buildAcronyms, loadAcronyms } from "../../../../src/prompts/dataset";

const contexts = new Map<string, ExerciseContext>();
const contextOf = (id: string) => contexts.get(id) ?? assert.fail();
/** Letter movers of each model, as notebook 05 finds them. */
const MOVERS = {
  embedded: ["2.0", "2.1", "2.3", "2.2", "1.0", "1.1"],
  "data/embedded/others/shallow-0": ["2.3", "2.2"],
  "data/embedded/others/deep-0": ["3.2", "3.0", "4.0", "3.1"],
};
const EACH = Object.entries(MOVERS).map(([id, names]) => {
  return { id, heads: names.map(headOf) };
});

before(async () => {
  for (const { id } of EACH) {
    const { model, tokenizer } = await loadModel(id);
    const data = loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n: 40, seed: 1 });
    contexts.set(id, { model, tokenizer, data, seed: 1, promptsOf: (words) => buildAcronyms(words, tokenizer) });
  }
});

const why = (verdict: Verdict) => ("why" in verdict ? verdict.why : verdict.verdict);

test("query-key-value: letters and words before come in by the query, the word itself by the value, on every model", async () => {
  const hurt = { current_word: "v", previous_words: "q", previous_letters: "q" };
  for (const { id, heads } of EACH) {
    const context = contextOf(id);
    const truth = await queryKeyValue.truth(context);
    const verdict = await queryKeyValue.judge({ heads, hurt }, truth, context);
    assert.equal(verdict.verdict, "right", why(verdict));
    assert.doesNotMatch(why(verdict), /-0\.00/);
    const other = await queryKeyValue.judge({ heads, hurt: { ...hurt, previous_letters: "k" } }, truth, context);
    assert.equal(other.verdict, "wrong");
  }
});

test("query-key-value: an input that loses nearly as much is as good an answer, and numbers decide", async () => {
  const context = contextOf("embedded");
  const { heads } = EACH[0];
  const losses = { q: 1, k: 0.95, v: 0.5 };
  const truth = async () => ({ current_word: losses, previous_words: losses, previous_letters: losses });
  const given = (input: string) =>
    queryKeyValue.judge(
      { heads, hurt: { current_word: input, previous_words: input, previous_letters: input } },
      truth as never,
      context,
    );
  assert.equal((await given("q")).verdict, "right");
  assert.equal((await given("k")).verdict, "right");
  assert.match(why(await given("v")), /queries 1\.00, keys 0\.95, values 0\.50/);
});

type Matrix = (number[] | null)[];
const copied = (matrix: Matrix) => {
  const seen = matrix.flatMap((row, i) => (row ? [row[i] === Math.max(...row)] : []));
  return seen.filter(Boolean).length / seen.length;
};

test("embedding-or-stream: on every model the stream and not the embedding", async () => {
  for (const { id, heads } of EACH) {
    const context = contextOf(id);
    const truth = await embeddingOrStream.truth(context);
    const verdict = await embeddingOrStream.judge({ heads, copied, from: "stream" }, truth, context);
    assert.equal(verdict.verdict, "right", why(verdict));
  }
});

test("embedding-or-stream: which source it is follows the matrices", async () => {
  const context = contextOf("embedded");
  const size = 26;
  const own = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));
  const next = own.map((_, i) => own[(i + 1) % size]);
  const judge = (from: string, embedding: Matrix, stream: Matrix) =>
    embeddingOrStream.judge(
      { heads: EACH[0].heads, copied, from },
      (async () => ({ embedding, stream })) as never,
      context,
    );
  for (const [right, embedding, stream] of [
    ["both", own, own],
    ["embedding", own, next],
    ["stream", next, [null, ...own.slice(1)]],
    ["neither", next, next],
  ] as const)
    for (const from of ["both", "embedding", "stream", "neither"]) {
      const { verdict } = await judge(from, embedding as Matrix, stream as Matrix);
      assert.equal(verdict, from === right ? "right" : "wrong", `${from} where it is ${right}`);
    }
});

test("even-attention: what this model's mask gives is the formula, and both functions are wanted", async () => {
  const context = contextOf("embedded");
  const truth = await evenAttention.truth(context);
  const toBos = (i: number) => 1 / (i + 1);
  const judge = (answer: object) => evenAttention.judge(answer, truth, context) as Verdict;
  assert.equal(judge({ toBos, place: (attention: number) => Math.round(1 / attention) - 1 }).verdict, "right");
  assert.match(why(judge({ toBos })), /Now place/);
  assert.match(why(judge({ toBos, place: () => Number.NaN })), /the mask alone tells them apart/);
  assert.equal(judge({ toBos: () => undefined, place: () => undefined }).verdict, "unanswered");
});
