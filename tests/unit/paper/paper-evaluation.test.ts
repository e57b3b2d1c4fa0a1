import assert from "node:assert/strict";
import { test } from "node:test";
import { paperBehaviour, paperFigure } from "../../../src/paper/paper";
import {
  type AblatedFaithfulness,
  faithfulnessTable,
  paperFaithfulness,
  paperGivenBack,
} from "../../../src/paper/paper-evaluation";
import { LETTERS } from "../../../src/prompts/positions";
import { nearly } from "../../fixtures/close";

test("figure 8's points, each beside its letter's whole model", () => {
  const rows = paperGivenBack();
  assert.equal(rows.length, 27);
  assert.deepEqual(rows[0], { given_back: "None", letter: 1, logit_diff: -0.7675, std: 0.5085, clean: 1.2349 });
  assert.deepEqual(
    rows.slice(-9).map(({ given_back, letter }) => `${letter}: ${given_back}`),
    ["None", "8.11", "9.9", "10.10", "11.4", "5.8", "4.11", "2.2", "1.0"].map((step) => `3: ${step}`),
  );
});

test("the paper's circuit: from no head to all of it, as a share of the way to the whole model", () => {
  const at = (letter: number, x: string) =>
    paperFigure("fig08_evaluation").rows.find((row) => row.letter === letter && row.x === x)!.value!;
  const clean = paperBehaviour().logit_diff;
  const shares = LETTERS.map((letter) => {
    const none = at(letter, "None");
    return (at(letter, "1.0") - none) / (clean[letter - 1] - none);
  });
  nearly(paperFaithfulness(), shares);
});

test("the table averages over seeds, the removals apart", () => {
  const row = (letter: 1 | 2 | 3, ablation: "mean" | "resample", level: number): AblatedFaithfulness => {
    return { letter, ablation, circuit: level, model: level + 1, none: level - 1, faithfulness: level / 10 };
  };
  const rows = LETTERS.flatMap((letter) => [
    row(letter, "mean", letter),
    row(letter, "mean", letter + 2),
    row(letter, "resample", 5),
  ]);
  const table = faithfulnessTable(rows, [
    { low: -1, high: -0.5 },
    { low: -2, high: 1 },
    { low: 0.123, high: 1 },
  ]);
  nearly(table[2], {
    letter: 3,
    "F(∅)": 3,
    "F(C)": 4,
    "F(M)": 5,
    "F(C) − F(M), 95% interval": "0.12 … 1.00",
    "faithfulness, mean": 0.4,
    "faithfulness, resample": 0.5,
    "GPT-2 Small, paper: mean": paperFaithfulness()[2],
  });
});
