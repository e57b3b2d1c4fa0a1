/** The least and the largest of any number of values. `Math.max(...values)` fails beyond about 125,000: a call takes no more arguments. */
export function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
