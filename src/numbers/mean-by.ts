import { checkFinite } from "./check";
import { groupBy } from "./rows";
import { meanAndStd } from "./statistics";

/** A group's own columns, with the mean of the value in place of the values. */
export type MeanRow<R, K extends keyof R, V extends keyof R> = Pick<R, K | V> & {
  /** Over the group's rows, with n − 1. */
  readonly std: number;
  /** Rows in the group. */
  readonly n: number;
};

/**
 * The mean of `value` for each combination of the columns `by`, in the order in which they first come.
 * Throws a RangeError naming the row whose value is not a finite number.
 */
export function meanBy<R extends object, K extends Extract<keyof R, string>, V extends Extract<keyof R, string>>(
  rows: readonly R[],
  by: readonly K[],
  value: V,
): MeanRow<R, K, V>[] {
  for (const [i, row] of rows.entries()) checkFinite(`"${value}" of row ${i}`, row[value]);
  const groups = groupBy(rows, (row) => JSON.stringify(by.map((column) => row[column])));
  return [...groups.values()].map((same) => {
    const values = same.map((row) => row[value] as number);
    const { mean, std } = meanAndStd(values);
    const own = Object.fromEntries(by.map((column) => [column, same[0][column]]));
    return { ...own, [value]: mean, std, n: values.length } as MeanRow<R, K, V>;
  });
}
