import assert from "node:assert/strict";
import { before, test } from "node:test";
import { faithfulness } from "../../../src/experiments/circuit-criteria";
import { evaluateCircuits } from "../../../src/experiments/circuit-evaluation";
import { broughtBack, type GivenBackRow, givingBack, growing } from "../../../src/experiments/giving-back";
import { initBackend } from "../../../src/model/backend/choose";
import { allHeads } from "../../../src/model/heads";
import type { Model } from "../../../src/model/model";
import { where } from "../../../src/numbers/rows";
import { resample } from "../../../src/prompts/corruption";
import { LETTERS } from "../../../src/prompts/positions";
import { apart, near, nearly } from "../../fixtures/close";
import { tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(5, 1);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel(2);
});
const circuit = [
  { layer: 2, head: 1 },
  { layer: 0, head: 0 },
];

test("growing: none, the first, the first two", () => assert.deepEqual(growing(circuit), [[], [circuit[0]], circuit]));

test("heads are given back in the circuit's order, for each seed, beside the whole model", async () => {
  const rows = await givingBack(model, data, circuit, { seeds: [4, 5], ablation: "resample" });
  assert.deepEqual(
    rows.map(({ seed, given_back, letter }) => [seed, given_back, letter]),
    [4, 5].flatMap((seed) => ["None", "2.1", "0.0"].flatMap((step) => LETTERS.map((letter) => [seed, step, letter]))),
  );
  const circuits = [...growing(circuit), allHeads(model.config)];
  const options = { corrupted: resample(data, 5), ablation: "resample" } as const;
  const levels = await evaluateCircuits(model, data, circuits, options);
  for (const [i, { logit_diff, std, n, clean, ablation }] of where(rows, { seed: 5 }).entries()) {
    near({ logit_diff, std, n }, { logit_diff: levels[i].logit_diff, std: levels[i].std, n: 5 });
    near(clean, levels[9 + (i % 3)].logit_diff);
    assert.equal(ablation, "resample");
  }
  const [first, second] = [4, 5].map((seed) => where(rows, { seed }).map(({ logit_diff }) => logit_diff));
  apart(first, second);
});

test("what the whole circuit brought back is its faithfulness", async () => {
  const rows = await givingBack(model, data, circuit, { seeds: [4] });
  const expected = await faithfulness(model, data, circuit, { corrupted: resample(data, 4) });
  near(
    broughtBack(rows, circuit).map(({ share }) => share),
    expected.map((row) => row.faithfulness),
  );
});

const level = (given_back: string, logit_diff: number, letter: 1 | 2 | 3): GivenBackRow => {
  return { given_back, letter, logit_diff, std: 0, clean: 4 };
};
const grown = LETTERS.flatMap((letter) => [level("None", 0, letter), level("2.1", 1, letter), level("0.0", 3, letter)]);

test("a head brought its own step, several the sum of theirs", () => {
  const shares = (heads: typeof circuit) => broughtBack(grown, heads).map(({ share }) => share);
  nearly(shares([circuit[0]]), [1 / 4, 1 / 4, 1 / 4]);
  nearly(shares([circuit[1]]), [1 / 2, 1 / 2, 1 / 2]);
  nearly(shares(circuit), [3 / 4, 3 / 4, 3 / 4]);
  nearly(shares([]), [0, 0, 0]);
});

test("a head that was not given back is named, and nothing is a share of nothing", () => {
  assert.throws(() => broughtBack(grown, [{ layer: 1, head: 1 }]), /head 1.1 was not given back; .* are 2.1,0.0/);
  const idle = grown.map((row) => ({ ...row, clean: 0 }));
  for (const { share } of broughtBack(idle, circuit)) assert.equal(share, null);
});
