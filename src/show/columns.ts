/** Rows as a table: every row with the same columns, every value a plain one. */
import type { DataFrame } from "danfojs-node";

/** Throws a RangeError if there are no rows, rows differ in their columns, or a value is no plain one (such as a tensor). */
export function checkedColumns(rows: readonly object[]): string[] {
  if (rows.length === 0) throw new RangeError("a table needs at least one row: there are none");
  const columns = Object.keys(rows[0]);
  rows.forEach((row, i) => {
    const found = Object.keys(row);
    const differs = found.length !== columns.length || columns.some((column) => !Object.hasOwn(row, column));
    if (differs) throw new RangeError(`row ${i} has columns ${found.join(", ")}; row 0 has ${columns.join(", ")}`);
    for (const [column, value] of Object.entries(row)) checkPlain(value, column, i);
  });
  return columns;
}

function checkPlain(value: unknown, column: string, row: number): void {
  if (value === null || ["number", "string", "boolean"].includes(typeof value)) return;
  const isTensor = typeof value === "object" && "dataSync" in (value as object);
  const what = isTensor ? "a tensor: take its numbers first, with arraySync()" : `a ${typeof value}`;
  throw new RangeError(`column "${column}" must hold numbers, text or booleans; row ${row} has ${what}`);
}

/** Rows, or a danfo DataFrame, as columns and lines of values. Throws a RangeError as `checkedColumns`. */
export function columnsAndValues(rows: readonly object[] | DataFrame): { columns: string[]; values: unknown[][] } {
  if (!Array.isArray(rows)) {
    const { columns, values } = rows as DataFrame;
    return { columns, values: values as unknown[][] };
  }
  const columns = checkedColumns(rows);
  return { columns, values: rows.map((row) => columns.map((column) => row[column])) };
}
