import { availableParallelism } from "node:os";

/** Systems limit how many threads a process may have. */
export const MOST_THREADS = 512;

/**
 * How many threads a backend computes with: what the environment variable ACRONYM_THREADS says, for programs that run side by side, else
 * as many as the machine runs at once.
 * Throws a RangeError if that is no whole number from 1 to 512.
 */
export function threads(): number {
  const { ACRONYM_THREADS } = process.env;
  if (!ACRONYM_THREADS) return Math.min(availableParallelism(), MOST_THREADS);
  const wanted = Number(ACRONYM_THREADS);
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= MOST_THREADS) return wanted;
  throw new RangeError(
    `ACRONYM_THREADS is "${ACRONYM_THREADS}"; it can be a whole number from 1 to ${MOST_THREADS}, or unset for as many as the machine runs at once`,
  );
}
