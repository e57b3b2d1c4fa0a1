import { checkFinite } from "./check";
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
 * @throws RangeError naming the row whose value is not a finite number.
 */
export function meanBy<R extends object, K extends Extract<keyof R, string>, V extends Extract<keyof R, string>>(
  rows: readonly R[],
  by: readonly K[],
  value: V,
): MeanRow<R, K, V>[] {
  const groups = new Map<string, { row: R; values: number[] }>();
  rows.forEach((row, i) => {
    const found: unknown = row[value];
    checkFinite(`"${value}" of row ${i}`, found);
    const key = JSON.stringify(by.map((column) => row[column]));
    const group = groups.get(key) ?? { row, values: [] };
    group.values.push(found as number);
    groups.set(key, group);
  });
  return [...groups.values()].map(({ row, values }) => {
    const { mean, std } = meanAndStd(values);
    const own = Object.fromEntries(by.map((column) => [column, row[column]]));
    return { ...own, [value]: mean, std, n: values.length } as MeanRow<R, K, V>;
  });
}
