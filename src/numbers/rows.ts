/** What is done with rows of results: choose, group, find the largest. */

type Wanted<R> = { readonly [K in keyof R]?: R[K] | readonly R[K][] };

/**
 * The rows whose columns hold these values, or one of them: `where(rows, { letter: [2, 3], layer: 0 })`.
 * Throws a RangeError naming a column that no row has.
 * @example
 * ```ts
 * const rows = [{ letter: 1, change: 0.5 }, { letter: 2, change: -3 }, { letter: 3, change: 1 }];
 * console.log(where(rows, { letter: [1, 3] }).length); // → 2
 * ```
 */
export function where<R extends object>(rows: readonly R[], wanted: Wanted<R>): R[] {
  const columns = Object.entries(wanted) as [keyof R & string, unknown][];
  for (const [column] of columns)
    if (rows.length > 0 && !rows.some((row) => column in row))
      throw new RangeError(`no row has a column "${column}"; there are ${Object.keys(rows[0]).join(", ")}`);
  return rows.filter((row) =>
    columns.every(([column, value]) => (Array.isArray(value) ? value.includes(row[column]) : row[column] === value)),
  );
}

/**
 * The row whose number in this column is farthest from 0, the first of several. Throws a RangeError if there are no rows.
 * @example
 * ```ts
 * const rows = [{ head: "1.2", change: 0.5 }, { head: "2.0", change: -3 }];
 * console.log(strongest(rows, "change").head); // → 2.0
 * ```
 */
export function strongest<R extends object>(rows: readonly R[], column: keyof R & string): R {
  if (rows.length === 0) throw new RangeError(`there are no rows of which one could have the strongest "${column}"`);
  const size = (row: R) => Math.abs(row[column] as number);
  return rows.reduce((best, row) => (size(row) > size(best) ? row : best));
}

/** What there is to name where all values are 0: none is stronger than another. */
export const NO_STRONGEST = "none";

/** What the row of `strongest` is called; "none" if every value is 0. Throws as `strongest`. */
export function strongestName<R extends object>(
  rows: readonly R[],
  column: keyof R & string,
  name: (row: R) => string,
): string {
  const row = strongest(rows, column);
  return row[column] === 0 ? NO_STRONGEST : name(row);
}

/** Rows by what `key` says of them, in the order in which the keys first come. */
export function groupBy<R, K>(rows: Iterable<R>, key: (row: R) => K): Map<K, R[]> {
  const groups = new Map<K, R[]>();
  for (const row of rows) {
    const own = groups.get(key(row));
    if (own) own.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}
