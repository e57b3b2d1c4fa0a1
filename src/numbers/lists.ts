import { checkCount } from "./check";

/** The least and the largest of any number of values. `Math.max(...values)` fails beyond about 125,000: a call takes no more arguments. */
export function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** Every combination of the given values, the first name varying slowest: `grid({ layer: [0, 1], head: [0, 1] })`. */
export function grid<T extends Readonly<Record<string, readonly unknown[]>>>(
  axes: T,
): { [K in keyof T]: T[K][number] }[] {
  return Object.entries(axes).reduce<Record<string, unknown>[]>(
    (points, [name, values]) => points.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
    [{}],
  ) as { [K in keyof T]: T[K][number] }[];
}

/** 0, 1, … n - 1. Throws a RangeError if n is not a whole number, or negative. */
export function range(n: number): number[] {
  checkCount("n", n, 0);
  return Array.from({ length: n }, (_, i) => i);
}
