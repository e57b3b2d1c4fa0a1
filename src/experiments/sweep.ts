import * as tf from "@tensorflow/tfjs";
import { host } from "../model/host";
import { type ProgressOption, reporter } from "./progress";

/** Thrown by a sweep that was interrupted; rows measured so far are in `rows`. */
export class SweepInterrupted extends Error {
  constructor(
    readonly rows: readonly object[],
    total: number,
  ) {
    super(`interrupted after ${rows.length} of ${total} points; the kernel is ready for the next cell`);
    this.name = "SweepInterrupted";
  }
}

/** How a sweep tells how far it is. */
interface SweepOptions {
  readonly progress?: ProgressOption;
}

/**
 * Measures each point and gives its row, the point's fields and the measurement's. See `sweepTogether`.
 * Throws SweepInterrupted.
 */
export function sweep<P extends object, R extends object>(
  points: readonly P[],
  measure: (point: P) => R,
  options: SweepOptions = {},
): Promise<(P & R)[]> {
  return sweepTogether(points, (start) => [{ ...points[start], ...measure(points[start]) }], options);
}

/**
 * The only loop of the library. `measure` measures the point of that index and, if it likes, some of the next ones along with it;
 * it gives a row for each. Tensors that it makes are freed. In between the loop lets the kernel breathe, reports progress and stops
 * on an interrupt (the kernel's stop button).
 * Throws SweepInterrupted.
 */
export async function sweepTogether<R extends object>(
  points: readonly unknown[],
  measure: (start: number) => readonly R[],
  { progress }: SweepOptions = {},
): Promise<R[]> {
  const rows: R[] = [];
  const report = reporter(progress);
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  const { breathe, onInterrupt } = host();
  await breathe(); // a listener added inside the cell's own turn would make the next interrupt end the kernel
  const forget = onInterrupt(stop);
  try {
    while (rows.length < points.length) {
      if (stopped) throw new SweepInterrupted(rows, points.length);
      const before = rows.length;
      tf.tidy(() => {
        for (const row of measure(before)) rows.push(row); // not rows.push(...): a call takes about 125,000 arguments at most
      });
      if (rows.length === before) throw new Error(`point ${before} of ${points.length} was not measured`);
      for (let done = before + 1; done <= rows.length; done++) report?.(done, points.length);
      await breathe();
    }
    return rows;
  } finally {
    forget();
  }
}
