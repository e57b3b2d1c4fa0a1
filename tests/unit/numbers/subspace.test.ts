import assert from "node:assert/strict";
import { test } from "node:test";
import { range } from "../../../src/numbers/lists";
import { coordinates, planeThrough, randomSubspace } from "../../../src/numbers/subspace";
import { nearly } from "../../fixtures/close";

const columnsOf = (subspace: readonly (readonly number[])[]) =>
  subspace[0].map((_, j) => subspace.map((row) => row[j]));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);

function isPerpendicular(subspace: readonly (readonly number[])[]): void {
  const columns = columnsOf(subspace);
  columns.forEach((a, i) => {
    columns.forEach((b, j) => {
      nearly(dot(a, b), Number(i === j));
    });
  });
}

const points = [
  [1, 0, 3, 2],
  [5, 1, 3, 2],
  [9, -1, 3, 2],
];

test("a plane through three points holds their differences, the longer axis first", () => {
  const plane = planeThrough(points);
  isPerpendicular(plane);
  nearly(Math.abs(plane[0][0]) > Math.abs(plane[1][0]) ? 1 : 0, 1);
  const [a, b] = coordinates(
    [
      [4, 1, 0, 0],
      [4, -2, 0, 0],
    ],
    plane,
  );
  nearly(dot(a, a), 17);
  nearly(dot(b, b), 20);
  nearly(dot(a, b), 14);
  nearly(coordinates([[0, 0, 1, 1]], plane)[0].map(Math.abs), [0, 0]);
  const skewed = [
    [0, 1, 0],
    [5, 0, 0],
    [-4, -2, 0],
  ];
  for (const three of [points, skewed]) {
    const axes = columnsOf(coordinates(three, planeThrough(three)));
    const [xs, ys] = axes.map((own) => own.map((x) => x - (own[0] + own[1] + own[2]) / 3));
    assert.ok(dot(xs, xs) > dot(ys, ys), `${[xs, ys]}`);
    nearly(dot(xs, ys), 0);
  }
  assert.deepEqual(
    planeThrough(points, 1),
    plane.map(([x]) => [x]),
  );
});

test("points on a line span one direction, equal points none; three are needed", () => {
  assert.equal(
    planeThrough([
      [0, 0],
      [1, 1],
      [2, 2],
    ])[0].length,
    1,
  );
  assert.deepEqual(
    planeThrough([
      [1, 2],
      [1, 2],
      [1, 2],
    ]),
    [[0], [0]],
  );
  assert.throws(() => planeThrough([[1], [2]]), /3 points, not 2/);
});

test("a random subspace is perpendicular, seeded, and no larger than the space", () => {
  isPerpendicular(randomSubspace(9, 4, 1));
  assert.deepEqual(randomSubspace(9, 4, 1), randomSubspace(9, 4, 1));
  assert.notDeepEqual(randomSubspace(9, 4, 1), randomSubspace(9, 4, 2));
  assert.equal(randomSubspace(3, 8, 1)[0].length, 3);
  assert.throws(() => randomSubspace(3, 0, 1), /k must be/);
  assert.throws(
    () =>
      coordinates(
        [],
        range(3).map(() => [1]),
      ),
    /no points/,
  );
});
