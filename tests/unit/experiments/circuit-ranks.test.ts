import assert from "node:assert/strict";
import { before, test } from "node:test";
import { evaluateCircuits } from "../../../src/experiments/circuit-evaluation";
import { circuitRanks, compareCircuits, type RivalRow } from "../../../src/experiments/circuit-ranks";
import { otherCircuits } from "../../../src/experiments/random-circuits";
import { initBackend } from "../../../src/model/backend/choose";
import { allHeads } from "../../../src/model/heads";
import type { Model } from "../../../src/model/model";
import { where } from "../../../src/numbers/rows";
import { resample } from "../../../src/prompts/corruption";
import { LETTERS } from "../../../src/prompts/positions";
import { near } from "../../fixtures/close";
import { tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(4, 1);
const corrupted = resample(data, 0);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel(2); // 3 layers of 2 heads
});
const circuit = [
  { layer: 0, head: 1 },
  { layer: 2, head: 0 },
];

test("all others of few are measured, and the circuit beside them", async () => {
  const rows = await compareCircuits(model, data, circuit, { corrupted, draws: 3, seed: 0 });
  const count = (heads: RivalRow["heads"]) => where(rows, { heads }).length / 3;
  assert.deepEqual([count("any heads"), count("same layers"), count("the circuit")], [14, 3, 1]); // 15 choose 2, 2 · 2
  const { circuits } = otherCircuits(model.config, circuit, { draws: 3, seed: 0, among: "same layers" });
  const levels = await evaluateCircuits(model, data, [...circuits, circuit], { corrupted });
  near(
    rows.slice(-12).map(({ logit_diff }) => logit_diff),
    levels.map(({ logit_diff }) => logit_diff),
  );
});

test("a circuit of all heads has no other", async () => {
  const rows = await compareCircuits(model, data, allHeads(model.config), { corrupted, draws: 3, seed: 0 });
  for (const { there_are, measured, mean, best, beaten } of circuitRanks(rows))
    assert.deepEqual([there_are, measured, mean, best, beaten], [0, 0, null, null, 0]);
});

const rows = (heads: RivalRow["heads"], first: number, levels: number[], there_are = levels.length): RivalRow[] =>
  levels.flatMap((level, i) =>
    LETTERS.map((letter) => ({
      heads,
      circuit: first + i,
      letter,
      logit_diff: level + letter,
      std: 0,
      n: 4,
      there_are,
      drawn: there_are > levels.length,
    })),
  );

test("ranks are by the mean over letters; who is level is not beaten", () => {
  const all = [
    ...rows("any heads", 0, [5, 1, 2], 90),
    ...rows("same layers", 3, [4, 2]),
    ...rows("the circuit", 5, [2]),
  ];
  assert.deepEqual(circuitRanks(all), [
    { heads: "any heads", there_are: 90, measured: 3, drawn: true, mean: 14 / 3, best: 7, circuit: 4, beaten: 1 },
    { heads: "same layers", there_are: 2, measured: 2, drawn: false, mean: 5, best: 6, circuit: 4, beaten: 0 },
  ]);
});
