/** Directions in a space of d numbers, as columns `[d][k]` of unit length that are perpendicular to each other. */
import { checkCount, checkSome } from "./check";
import { range } from "./lists";
import { random } from "./random";
import { mean } from "./statistics";

type Vector = readonly number[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
const length = (a: Vector): number => Math.sqrt(dot(a, a));
const scaled = (a: Vector, by: number): number[] => a.map((x) => x * by);
const minus = (a: Vector, b: Vector): number[] => a.map((x, i) => x - b[i]);

/** Shorter than this, compared with what it was made of, a direction is rounding alone. */
const ROUNDING = 1e-6;

/** Perpendicular directions that span the same as `vectors` (Gram and Schmidt's), fewer where some depend on others; none of zeros. */
function perpendicular(vectors: readonly Vector[]): number[][] {
  const largest = Math.max(...vectors.map(length));
  const found: number[][] = [];
  for (const vector of vectors) {
    let rest = [...vector];
    for (const direction of [...found, ...found]) rest = minus(rest, scaled(direction, dot(rest, direction))); // twice: for rounding
    if (length(rest) > ROUNDING * largest) found.push(scaled(rest, 1 / length(rest)));
  }
  return found;
}

/** Directions as columns `[d][k]`; with none of them a column of zeros, along which nothing lies. */
const columns = (directions: readonly Vector[], d: number): number[][] =>
  range(d).map((i) => (directions.length > 0 ? directions.map((direction) => direction[i]) : [0]));

/**
 * The plane through three points, its directions those of the points' largest and least spread; only the first with `k` = 1.
 * Points on a line span one direction, points that are all the same none: a column of zeros then.
 * Throws a RangeError if they are not three points.
 * @param points `[3][d]`
 * @returns `[d][k]`
 */
export function planeThrough(points: readonly Vector[], k: 1 | 2 = 2): number[][] {
  if (points.length !== 3) throw new RangeError(`a plane goes through 3 points, not ${points.length}`);
  const middle = points[0].map((_, i) => mean(points.map((point) => point[i])));
  const around = points.map((point) => minus(point, middle));
  const [u, v] = perpendicular(around);
  if (v === undefined) return columns(u ? [u] : [], middle.length);
  const [xs, ys] = [u, v].map((direction) => around.map((point) => dot(point, direction)));
  const angle = Math.atan2(2 * dot(xs, ys), dot(xs, xs) - dot(ys, ys)) / 2; // of the longer axis of the points' ellipse
  const turned = (by: number) => u.map((x, i) => Math.cos(by) * x + Math.sin(by) * v[i]);
  return columns([turned(angle), turned(angle + Math.PI / 2)].slice(0, k), middle.length);
}

/**
 * k directions drawn at random out of d, all alike likely; all d if k is more.
 * Throws a RangeError if d or k is no count, or the seed is no integer.
 * @returns `[d][k]`
 */
export function randomSubspace(d: number, k: number, seed: number): number[][] {
  checkCount("d", d);
  checkCount("k", k);
  const { normal } = random(seed, "subspace");
  const drawn = range(Math.min(d, k)).map(() => range(d).map(normal));
  return columns(perpendicular(drawn), d);
}

/** Where points lie along the directions of a subspace: `[point][k]`. Throws a RangeError if there are no points. */
export function coordinates(points: readonly Vector[], subspace: readonly Vector[]): number[][] {
  checkSome("points", points);
  return points.map((point) =>
    subspace[0].map((_, j) =>
      dot(
        point,
        subspace.map((row) => row[j]),
      ),
    ),
  );
}
