import assert from "node:assert/strict";
import { test } from "node:test";
import type { MinimalityRow } from "../../../src/experiments/circuit-criteria";
import { neededHeads } from "../../../src/experiments/needed-heads";
import { LETTERS } from "../../../src/prompts/positions";
import { nearly } from "../../fixtures/close";

/** All heads do 10 logits for letter 1, 20 for 2, 30 for 3, on average over two seeds. */
const levels = LETTERS.flatMap((letter) =>
  [-1, 1].map((off) => ({ letter, circuit: 0, model: 6 * letter + off, none: -4 * letter, faithfulness: 0 })),
);
const losses = (head: number, own: readonly (readonly [alone: number, most: number])[]): MinimalityRow[] =>
  LETTERS.map((letter, i) => ({ layer: 1, head, letter, alone: own[i][0], most: own[i][1], removed: 0 }));

test("a head is needed that costs a hundredth of what all heads do: for one letter, alone or with others out", () => {
  const rows = [
    ...losses(0, [
      [0, 0],
      [1, 2],
      [0, 0],
    ]),
    ...losses(1, [
      [0.15, -9],
      [0, 0],
      [0, 0],
    ]),
    ...losses(2, [
      [0, 0.09],
      [0, 0.19],
      [0.29, -5],
    ]),
    ...losses(3, [
      [-5, -9],
      [-5, -9],
      [-5, -9],
    ]),
  ];
  const found = neededHeads(rows, levels);
  assert.deepEqual(
    found.map(({ layer, head, needed }) => [layer, head, needed]),
    [
      [1, 0, true],
      [1, 1, true],
      [1, 2, false], // nearly, three times
      [1, 3, false], // it only harms
    ],
  );
  nearly(
    found.map(({ most_lost }) => most_lost),
    [0.1, 0.015, 0.29 / 30, -5 / 30],
  );
});
