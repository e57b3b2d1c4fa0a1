/** Rows in, checked values out: every fault names the row, the column and what is there. */

/** Any plain object can be a row; its string keys are the columns. */
export type Column<R> = Extract<keyof R, string>;
/** What stands on a categorical axis. */
export type Label = string | number;
export type Row = Readonly<Record<string, unknown>>;

/**
 * Checks that there are rows and that each has every column.
 * Throws a RangeError naming the first row that lacks a column, and the columns it has.
 * @returns the same rows, seen as plain records.
 */
export function checkRows(rows: readonly object[], columns: readonly (string | undefined)[]): readonly Row[] {
  if (rows.length === 0) throw new RangeError("a figure needs at least one row: there are none");
  const wanted = named(columns);
  rows.forEach((row, i) => {
    for (const column of wanted) {
      if (column in row) continue;
      throw new RangeError(`row ${i} has no column "${column}"; it has ${Object.keys(row).join(", ") || "none"}`);
    }
  });
  return rows as readonly Row[];
}

/** The column's numbers. Throws a RangeError naming the row if one is NaN, infinite or no number. */
export function numbers(rows: readonly Row[], column: string): number[] {
  return rows.map((row, i) => finite(row, column, i));
}

/** Like numbers, but null marks a value that is not known. */
export function numbersOrNull(rows: readonly Row[], column: string): (number | null)[] {
  return rows.map((row, i) => (row[column] === null ? null : finite(row, column, i)));
}

function finite(row: Row, column: string, i: number): number {
  const value = row[column];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new RangeError(`"${column}" must be a finite number, not ${value} (row ${i}: ${describe(row)})`);
}

/** The column's standard deviations. Throws a RangeError if one is negative. */
export function deviations(rows: readonly Row[], column: string): number[] {
  return numbers(rows, column).map((value, i) => {
    if (value >= 0) return value;
    throw new RangeError(`"${column}" is a spread and can't be negative: ${value} (row ${i}: ${describe(rows[i])})`);
  });
}

/** The column's labels. Throws a RangeError naming the row if one is neither text nor a finite number. */
export function labels(rows: readonly Row[], column: string): Label[] {
  return rows.map((row, i) => {
    const value = row[column];
    if (typeof value === "string" || (typeof value === "number" && Number.isFinite(value))) return value;
    throw new RangeError(`"${column}" must be text or a finite number, not ${value} (row ${i}: ${describe(row)})`);
  });
}

/**
 * Each label once: numbers ascending, text in the order in which it comes.
 * Throws a RangeError if one is there as a number and as text, 1 and "1": both would stand at one place.
 */
export function distinct(rows: readonly Row[], column: string): Label[] {
  const found = [...new Set(labels(rows, column))];
  const texts = new Set(found.filter((value) => typeof value === "string"));
  const twice = found.find((value) => typeof value === "number" && texts.has(`${value}`));
  if (twice !== undefined)
    throw new RangeError(
      `"${column}" holds ${twice} both as a number (row ${rows.findIndex((row) => row[column] === twice)}) and as text (row ${rows.findIndex((row) => row[column] === `${twice}`)}), which look the same: make all numbers or all text`,
    );
  return found.every((value) => typeof value === "number") ? found.sort((a, b) => Number(a) - Number(b)) : found;
}

/** The rows of each value of a column, in the order of `distinct`; without a column one group of all rows. */
export function groups(rows: readonly Row[], column: string | undefined): { value?: Label; rows: readonly Row[] }[] {
  if (column === undefined) return [{ rows }];
  return distinct(rows, column).map((value) => ({ value, rows: rows.filter((row) => row[column] === value) }));
}

/** Throws a RangeError if two rows would be drawn at the same place. */
export function checkUnique(rows: readonly Row[], columns: readonly (string | undefined)[]): void {
  const wanted = named(columns);
  const seen = new Map<string, number>();
  rows.forEach((row, i) => {
    const key = JSON.stringify(wanted.map((column) => row[column]));
    const first = seen.get(key);
    if (first !== undefined) {
      const where = wanted.map((column) => `${column} ${row[column]}`).join(", ");
      throw new RangeError(
        `rows ${first} and ${i} are both for ${where}: filter them, or give each its own panel or series`,
      );
    }
    seen.set(key, i);
  });
}

function named(columns: readonly (string | undefined)[]): string[] {
  return columns.filter((column): column is string => column !== undefined);
}

function describe(row: Row): string {
  return Object.entries(row)
    .map(([column, value]) => `${column} ${value}`)
    .join(", ");
}
