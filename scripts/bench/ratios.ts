/** How many times faster than TransformerLens: counts of its runs, times what a run takes it, over our seconds. Pure. */
import { type Figure, RUN_KINDS, type RunKind, type RunSeconds, type Runs } from "./figures";

/** What a run of each kind took over all rounds, e.g. at least. */
export const overRounds = (rounds: readonly RunSeconds[], pick: (values: readonly number[]) => number): RunSeconds =>
  Object.fromEntries(RUN_KINDS.map((kind) => [kind, pick(rounds.map((round) => round[kind]))])) as RunSeconds;

const secondsOf = (runs: Runs, each: RunSeconds): number =>
  Object.entries(runs).reduce((sum, [kind, count]) => sum + count * each[kind as RunKind], 0);

/** Both ratios of one figure, or of several. */
export interface Ratios {
  /** Seconds of the official scripts' runs over ours. */
  readonly official: number;
  /** Seconds of the runs that the figures need over ours. */
  readonly needed: number;
}

/** A figure's runs, and our seconds. */
type Timed = Pick<Figure, "needed" | "official"> & { readonly seconds: number };

/** The ratios of several figures together: sums over sums, not a mean of ratios. */
export function ratios(figures: readonly Timed[], each: RunSeconds): Ratios {
  const total = (of: (figure: Timed) => number) => figures.reduce((sum, f) => sum + of(f), 0);
  const ours = total(({ seconds }) => seconds);
  return {
    official: total(({ official }) => secondsOf(official, each)) / ours,
    needed: total(({ needed }) => secondsOf(needed, each)) / ours,
  };
}

/** What has to be reached on a backend; the fallback is whatever is not native. */
export const required = (backend: string): Ratios =>
  backend === "native" ? { official: 20, needed: 7 } : { official: 15, needed: 5 };

export const reaches = (found: Ratios, wanted: Ratios): boolean =>
  found.official >= wanted.official && found.needed >= wanted.needed;
