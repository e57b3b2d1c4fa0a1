import assert from "node:assert/strict";
import { test } from "node:test";
import { gpt2Tokenizer } from "../../../src/load/tokenizer";
import { buildAcronyms } from "../../../src/prompts/dataset";
import { POSITIONS } from "../../../src/prompts/positions";
import { tokenRows } from "../../../src/prompts/token-rows";

const tokenizer = gpt2Tokenizer();
const triples = [
  ["Ketchup", "Lark", "Wreck"],
  ["Ketchup", "Lark", "Wren"],
] as const;
const { tokens } = buildAcronyms(triples, tokenizer);

test("every token stands at its position and is marked where it isn't the first prompt's", () => {
  const rows = tokenRows({ clean: tokens[0], other: tokens[1] }, tokenizer);
  assert.deepEqual(
    rows.map(({ position }) => position),
    [...POSITIONS, ...POSITIONS],
  );
  assert.deepEqual(
    rows.filter(({ prompt }) => prompt === "clean").map(({ token }) => token),
    ["<|endoftext|>", "The", " K", "etchup", " L", "ark", " W", "reck", " (", "K", "L"],
  );
  assert.deepEqual(
    rows.filter(({ changed }) => changed === 1),
    [{ prompt: "other", position: "T3", token: "ren", changed: 1 }],
  );
});

test("a prompt of another length is named", () => {
  assert.throws(() => tokenRows({ clean: tokens[0], short: [1, 2] }, tokenizer), /"short" has 2 tokens/);
});
