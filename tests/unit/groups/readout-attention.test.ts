import assert from "node:assert/strict";
import { test } from "node:test";
import { looksMostAt, lookTable, readoutAttention, strongestLooks } from "../../../src/groups/readout-attention";
import { paperHeads } from "../../../src/paper/paper";
import { paperReadoutAttention } from "../../../src/paper/paper-attention";
import { position } from "../../../src/prompts/positions";
import { evenAttention } from "../../fixtures/attention";
import { nearly } from "../../fixtures/close";

test("attention where letters are read: (, A1, A2, without BOS", () => {
  const rows = readoutAttention((["C3", "(", "A1", "A2"] as const).flatMap(evenAttention));
  assert.deepEqual(new Set(rows.map(({ head }) => head)), new Set(["0.2"]));
  assert.deepEqual(
    [1, 2, 3].map((letter) => rows.filter((row) => row.letter === letter).length),
    [8, 9, 10],
  );
  assert.ok(rows.every(({ key }) => key !== "BOS"));
  nearly(rows[0].attention, 1 / 9);
});

test("the paper's: five heads, no token after the one that looks", () => {
  const rows = paperReadoutAttention();
  assert.deepEqual(new Set(rows.map(({ head }) => head)), new Set(["8.11", "9.9", "10.10", "11.4", "5.8"]));
  assert.ok(rows.every(({ key, letter }) => position(key) <= 7 + letter));
  assert.equal(looksMostAt(rows, "8.11", 3), "C3");
  assert.equal(looksMostAt(rows, "5.8", 2), "T1");
  assert.equal(looksMostAt(rows, "7.7", 2), undefined);
});

test("the strongest letter mover and propagation head, in this order; groups without heads are left out", () => {
  const rows = paperReadoutAttention();
  const names = (heads: ReturnType<typeof paperHeads>) => [
    ...new Set(strongestLooks(rows, heads).map(({ who }) => who)),
  ];
  assert.deepEqual(names(paperHeads()), ["letter mover 8.11", "propagation 5.8"]);
  assert.deepEqual(names({ ...paperHeads(), letter_movers: [] }), ["propagation 5.8"]);
});

test("a table of looks: a row a head, null for what there is none of", () => {
  const rows = readoutAttention((["(", "A2"] as const).flatMap(evenAttention));
  const [own, other] = lookTable("tiny", rows, {
    letter_movers: [{ layer: 0, head: 2 }],
    propagation: [{ layer: 0, head: 3 }],
  });
  assert.deepEqual([own.model, own.head, own["letter 2: T1"]], ["tiny", "0.2", null]);
  nearly(own["letter 1: C1"], 1 / 9);
  nearly(own["letter 3: T2"], 1 / 11);
  assert.equal(Object.keys(own).length, 2 + 3 + 4);
  assert.equal(other["letter 1: C1"], null);
});
