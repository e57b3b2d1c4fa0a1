/** What is printed, and what goes into the JSON file. */
import type { Figure } from "./figures";
import { totalRuns } from "./figures";
import type { KernelUses } from "./kernels";
import type { Measured, Work } from "./measure";
import type { Ratios } from "./ratios";
import type { Rule, Size } from "./scaling";

/** One figure, measured: a line of the table and of the JSON file. */
export interface FigureRow extends Measured, Pick<Figure, "what" | "needed" | "official" | "why"> {
  readonly extra: boolean;
  /** Runs of a loop: see `Figure.needed`. */
  readonly points: number;
  /** Of a loop of runs that skip nothing. */
  readonly naive_flop: number;
  readonly ratios?: Ratios;
}

export function figureRow({ make: _, extra = false, ...figure }: Figure, measured: Measured, plain: Work): FigureRow {
  const points = totalRuns(figure.needed);
  return { ...figure, ...measured, extra, points, naive_flop: points * plain.flop };
}

/** Columns as wide as their widest cell, numbers to the right. */
export function alignTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const isNumber = (text: string) => /^[\d.,%×–-]*$/.test(text);
  const numeric = rows[0].map((_, c) => rows.slice(1).every((row) => isNumber(row[c])));
  const cell = (text: string, c: number) => (numeric[c] ? text.padStart(widths[c]) : text.padEnd(widths[c]));
  const [head, ...body] = rows.map((row) => row.map(cell).join("  ").trimEnd());
  return [head, "-".repeat(head.length), ...body].join("\n");
}

const giga = (value: number) => (value / 1e9).toFixed(value < 1e10 ? 2 : 0);
const times = (ratio: number) => (ratio === 0 ? "–" : `${ratio.toFixed(1)}×`);

/** @param rate GFLOP/s of this machine's matrix products: see `measureRates` */
export function figureTable(rows: readonly FigureRow[], rate: number): string {
  const compared = rows.some((row) => row.ratios);
  const header = ["figure", "", "seconds", "runs", "GFLOP", "naive", "GFLOP/s", "of rate", "MB"];
  const lines = rows.map(({ id, what, seconds, points, flop, naive_flop, peak_mb, ratios }) => [
    id,
    what,
    seconds.toFixed(2),
    `${points || "–"}`,
    giga(flop),
    naive_flop === 0 ? "–" : giga(naive_flop),
    giga(flop / seconds),
    `${((100 * flop) / seconds / 1e9 / rate).toFixed(0)}%`,
    peak_mb.toFixed(0),
    ...(compared ? [ratios?.official ?? 0, ratios?.needed ?? 0].map(times) : []),
  ]);
  return alignTable([[...header, ...(compared ? ["official", "needed"] : [])], ...lines]);
}

/** The kernels that took most, over all figures, and how much of the seconds they leave. */
export function kernelTable(rows: readonly Work[], most = 12): string {
  const sums = new Map<string, { calls: number; seconds: number }>();
  for (const uses of rows.map(({ kernels }): KernelUses => kernels))
    for (const [name, { calls, seconds }] of Object.entries(uses)) {
      const sum = sums.get(name) ?? { calls: 0, seconds: 0 };
      sums.set(name, { calls: sum.calls + calls, seconds: sum.seconds + seconds });
    }
  const all = rows.reduce((sum, { seconds }) => sum + seconds, 0);
  const share = (seconds: number) => `${((100 * seconds) / all).toFixed(1)}%`;
  const sorted = [...sums].sort(([, a], [, b]) => b.seconds - a.seconds);
  const outside = all - sorted.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  return alignTable([
    ["kernel", "calls", "seconds", "share"],
    ...sorted.slice(0, most).map(([name, u]) => [name, `${u.calls}`, u.seconds.toFixed(2), share(u.seconds)]),
    ["outside kernels", "–", outside.toFixed(2), share(outside)],
  ]);
}

export const scalingTable = (sizes: readonly Size[]): string =>
  alignTable([
    ["prompts", "seconds", "seconds/n", "peak MB"],
    ...sizes.map(({ n, seconds, peak_mb }) => [
      `${n}`,
      seconds.toFixed(2),
      (seconds / n).toFixed(4),
      peak_mb.toFixed(0),
    ]),
  ]);

export const ruleLines = (rules: readonly Rule[]): string =>
  rules
    .map(
      ({ rule, found, limit, holds }) => `${holds ? "holds" : "FAILS"}: ${rule}: ${found.toFixed(2)}, at most ${limit}`,
    )
    .join("\n");
