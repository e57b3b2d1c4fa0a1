import assert from "node:assert/strict";
import { test } from "node:test";
import { groupBy, strongest, strongestName, where } from "../../../src/numbers/rows";

const rows = [
  { letter: 1, layer: 0, change: -2 },
  { letter: 2, layer: 0, change: 3 },
  { letter: 2, layer: 1, change: -3 },
  { letter: 3, layer: 1, change: 0.5 },
];

test("where: a value or one of several, in every column named", () => {
  assert.deepEqual(where(rows, { letter: 2 }), [rows[1], rows[2]]);
  assert.deepEqual(where(rows, { letter: [2, 3], layer: 1 }), [rows[2], rows[3]]);
  assert.deepEqual(where(rows, {}), rows);
  assert.deepEqual(where(rows, { letter: 7 }), []);
});

test("where: a column that no row has is named with those there are", () => {
  const wanted = { leter: 2 } as never;
  assert.throws(() => where(rows, wanted), /no row has a column "leter"; there are letter, layer, change/);
  assert.deepEqual(where([], wanted), []);
});

test("strongestName: of zeros none is stronger than another", () => {
  const name = ({ change }: { change: number }) => `at ${change}`;
  assert.equal(strongestName([{ change: 1 }, { change: -2 }], "change", name), "at -2");
  assert.equal(strongestName([{ change: 0 }, { change: -0 }], "change", name), "none");
  assert.throws(() => strongestName([], "change" as never, name), /no rows/);
});

test("strongest: farthest from 0 on either side, the first of equals; there must be rows", () => {
  assert.equal(strongest(rows, "change"), rows[1]);
  assert.equal(strongest([rows[0], rows[3]], "change"), rows[0]);
  assert.throws(() => strongest([] as typeof rows, "change"), /no rows/);
});

test("groupBy: in the order in which keys first come, rows in theirs", () => {
  const groups = groupBy(rows, ({ layer }) => layer);
  assert.deepEqual(
    [...groups],
    [
      [0, [rows[0], rows[1]]],
      [1, [rows[2], rows[3]]],
    ],
  );
});
