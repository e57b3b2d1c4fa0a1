import assert from "node:assert/strict";
import { before, test } from "node:test";
import { evaluateCircuits } from "../../../src/experiments/circuit-evaluation";
import { choices } from "../../../src/experiments/random-circuits";
import { loadModel } from "../../../src/load/load";
import { allHeads, headList, headsOutside } from "../../../src/model/heads";
import { mean } from "../../../src/numbers/statistics";
import { embeddedCircuits, everyRemoval } from "../../../src/paper/embedded-tables";
import { resample } from "../../../src/prompts/corruption";
import { HELD_OUT, loadAcronyms } from "../../../src/prompts/dataset";

const { n, seed, circuit, level, there_are, better, best, without } = embeddedCircuits();
let levelsOf: (names: string) => Promise<{ letters: number[]; config: { n_layers: number; n_heads: number } }>;

before(async () => {
  const { model, tokenizer } = await loadModel("embedded");
  const data = loadAcronyms(HELD_OUT, tokenizer, { n, seed });
  const corrupted = resample(data, seed);
  levelsOf = async (names) => {
    const heads = allHeads(model.config).filter((head) => names.split(", ").includes(headList([head])));
    const rows = await evaluateCircuits(model, data, [heads], { corrupted });
    return { letters: rows.map(({ logit_diff }) => logit_diff), config: model.config };
  };
});

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 0.02, `${a} and ${b}`); // the table has two decimals

test("the committed levels are those of the model: the circuit's, the best one's, and without some heads", async () => {
  const own = await levelsOf(circuit);
  near(mean(own.letters), level);
  near(mean((await levelsOf(best[0].heads)).letters), best[0].level);
  assert.equal(there_are, choices(allHeads(own.config), circuit.split(", ").length).length);
  assert.ok(best[0].level > level && better > 0 && better < there_are);
  const set = without.find(({ removed }) => removed.split(", ").length === 3) ?? assert.fail();
  const gone = set.removed.split(", ");
  const left = circuit.split(", ").filter((head) => !gone.includes(head));
  for (const [i, value] of (await levelsOf(left.join(", "))).letters.entries()) near(value, set.circuit[i]);
  const removed = allHeads(own.config).filter((head) => gone.includes(headList([head])));
  const rest = headList(headsOutside(removed, own.config));
  for (const [i, value] of (await levelsOf(rest)).letters.entries()) near(value, set.model[i]);
});

test("every set of the circuit's heads is there once, and rows come with the widest gap first", () => {
  assert.equal(new Set(without.map(({ removed }) => removed)).size, 2 ** circuit.split(", ").length);
  const rows = everyRemoval({
    without: [
      { removed: "a", circuit: [1, 1, 1], model: [2, 1, 0] },
      { removed: "b", circuit: [0, 0, 0], model: [5, 0.5, 0] },
    ],
  });
  assert.deepEqual(
    rows.map(({ removed, letter, gap }) => [removed, letter, gap]),
    [
      ["b", 1, 5],
      ["a", 1, 1],
      ["b", 2, 0.5],
      ["a", 2, 0],
      ["b", 3, 0],
      ["a", 3, -1],
    ],
  );
});
