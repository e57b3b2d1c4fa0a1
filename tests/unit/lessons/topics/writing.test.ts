import assert from "node:assert/strict";
import { before, test } from "node:test";
import { logitAttribution } from "../../../../src/experiments/attribution";
import { headSite } from "../../../../src/experiments/patch-sites";
import { activationPatch } from "../../../../src/experiments/patching";
import type { ExerciseContext, Verdict } from "../../../../src/lessons/exercise";
import { attributeByHand, mattersButHardlyWrites, noisingOrDenoising } from "../../../../src/lessons/topics/writing";
import { loadModel } from "../../../../src/load/load";
import { headName } from "../../../../src/model/heads";
import { where } from "../../../../src/numbers/rows";
import { mean } from "../../../../src/numbers/statistics";
import { resample } from "../../../../src/prompts/corruption";
import { buildAcronyms, loadAcronyms } from "../../../../src/prompts/dataset";
import { lastLetterPosition } from "../../../../src/prompts/positions";

const EMBEDDED = "embedded";
const SHALLOW = "data/embedded/others/shallow-0";
const DEEP = "data/embedded/others/deep-0";
const contexts = new Map<string, ExerciseContext>();
const contextOf = (id: string) => contexts.get(id) ?? assert.fail();

before(async () => {
  for (const id of [EMBEDDED, SHALLOW, DEEP]) {
    const { model, tokenizer } = await loadModel(id);
    const data = loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n: 30, seed: 1 });
    contexts.set(id, { model, tokenizer, data, seed: 1, promptsOf: (words) => buildAcronyms(words, tokenizer) });
  }
});

const why = (verdict: Verdict) => ("why" in verdict ? verdict.why : verdict.verdict);

test("attribute-by-hand: the numbers are those whose mean logitAttribution gives, on both models and for every head", async () => {
  for (const id of [EMBEDDED, SHALLOW]) {
    const context = contextOf(id);
    const truth = (await attributeByHand.truth(context)) as {
      heads: { name: string; logits: number[][] }[];
      scale: number[];
      letters: [number, number][];
    };
    const parts = where(await logitAttribution(context.model, context.data), { kind: "head", letter: 3 });
    for (const [h, { component, layer, head, logit_diff }] of parts.entries()) {
      const { name, logits } = truth.heads[h];
      assert.equal(name, component);
      const written = logits.map((row, i) => (row[truth.letters[i][0]] - row[truth.letters[i][1]]) / truth.scale[i]);
      assert.ok(Math.abs(mean(written) - logit_diff) < 1e-4, `${name}: ${mean(written)} and ${logit_diff}`);
      const verdict = await attributeByHand.judge({ head: { layer, head }, written }, truth, context);
      assert.equal(verdict.verdict, "right", why(verdict));
    }
  }
});

test("noising-or-denoising: the reason follows what is left, and near a half both will do", async () => {
  const context = contextOf(EMBEDDED);
  const sums = (left: number) => ({
    max: { noising: 0.6, denoising: 1 },
    mean: { noising: 0.9, denoising: 0.9 + 0.4 * left },
  });
  const given = (left: number, reason: string) =>
    noisingOrDenoising.judge({ larger: "denoising", left, why: reason }, sums(left), context) as Verdict;
  const verdicts = [0.2, 0.45, 0.55, 0.8].map((left) => [given(left, "measure"), given(left, "stand-ins")]);
  const names = verdicts.map((pair) => pair.map(({ verdict }) => verdict));
  assert.deepEqual(names, [
    ["right", "wrong"],
    ["right", "right"],
    ["right", "right"],
    ["wrong", "right"],
  ]);
  assert.match(JSON.stringify(given(0.2, "stand-ins")), /heads stand in for each other/);
  assert.match(JSON.stringify(given(0.8, "measure")), /it is only the measure/);
  const other = (left: unknown) =>
    why(noisingOrDenoising.judge({ larger: "denoising", left, why: "measure" }, sums(0.2), context) as Verdict);
  assert.match(other(0.08), /as a share of that against the largest/);
  assert.match(other(0.8), /the share which is gone/);
  assert.match(other(0.98), /compares one sum with itself/);
});

test("noising-or-denoising: equal sums are 'neither', and a larger noising sum is 'noising'", () => {
  const context = contextOf(EMBEDDED);
  const judge = (larger: string, noising: number) => {
    const sums = { max: { noising, denoising: 1 }, mean: { noising: 1, denoising: 1.1 } };
    return noisingOrDenoising.judge({ larger }, sums, context) as Verdict;
  };
  assert.equal(judge("neither", 0.99).verdict, "right");
  assert.match(why(judge("denoising", 0.99)), /Add them up/);
  assert.match(why(judge("noising", 1.2)), /larger is right/);
});

test("matters-but-hardly-writes: its numbers are those of the library, another head on another model", async () => {
  for (const [id, name] of [
    [EMBEDDED, "1.2"],
    [SHALLOW, "1.2"],
    [SHALLOW, { layer: 1, head: 2 }],
    [DEEP, "2.2"],
  ] as const) {
    const context = contextOf(id);
    const { model, data, seed } = context;
    const truth = await mattersButHardlyWrites.truth(context);
    const patched = await activationPatch(model, data, {
      site: headSite("z", lastLetterPosition),
      corruption: "previous_words",
      corrupted: resample(data, seed),
    });
    const heads = where(await logitAttribution(model, data), { kind: "head", letter: [2, 3] });
    const wanted = typeof name === "string" ? name : headName(name);
    const costs = -mean(
      where(patched, { letter: [2, 3] })
        .filter((row) => headName(row) === wanted)
        .map(({ change }) => change),
    );
    const writes = mean(where(heads, { component: wanted }).map(({ logit_diff }) => logit_diff));
    const given = (answer: object) =>
      mattersButHardlyWrites.judge({ head: name, ...answer }, truth, context) as Verdict;
    assert.equal(given({ costs, writes }).verdict, "right", why(given({ costs, writes })));
    assert.match(why(given({ costs: -costs, writes })), /wrong sign: it is what is lost/);
    assert.match(why(given({ costs: 2 * costs, writes })), /costs is a sum/);
    assert.match(why(given({ costs })), /Now say what makes you think so: writes/);
    assert.equal(given({ costs, writes: writes + 1 }).verdict, "wrong");
  }
});

test("matters-but-hardly-writes: a writer, a head that matters elsewhere, and a model without such a head", () => {
  const context = contextOf(EMBEDDED);
  const head = (number: number, costs: number, writes: number, current = 0) => ({
    layer: 0,
    head: number,
    costs,
    writes,
    current,
  });
  const truth = { heads: [head(0, 5, 3), head(1, 2, 0.1), head(2, 0.5, 0, 9), head(3, 0.2, 0)], clean: 8 };
  const given = (name: string, of: object = truth) =>
    JSON.stringify(mattersButHardlyWrites.judge({ head: name }, of as never, context));
  assert.match(given("0.0"), /important = writes.*matters most there, but it also writes/);
  assert.match(given("0.2"), /what matters somewhere matters everywhere/);
  assert.match(given("0.3"), /quiet = important/);
  assert.match(given("none"), /There is one that writes only 0\.10/);
  const without = { heads: [head(0, 5, 3), head(3, 0.1, 0)], clean: 8 };
  assert.match(given("none", without), /"right"/);
  assert.match(given("0.3", without), /"wrong"/);
});
