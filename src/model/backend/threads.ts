import { availableParallelism } from "node:os";

/** More are no use to anybody, and systems limit how many a process may have. */
const MOST = 512;

/**
 * How many threads a backend computes with: what the environment variable ACRONYM_THREADS says, for programs that run side by side, else
 * as many as the machine runs at once.
 * Throws a RangeError if that is no whole number from 1 to 512.
 */
export function threads(): number {
  const { ACRONYM_THREADS } = process.env;
  if (!ACRONYM_THREADS) return Math.min(availableParallelism(), MOST);
  const wanted = Number(ACRONYM_THREADS);
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= MOST) return wanted;
  throw new RangeError(
    `ACRONYM_THREADS is "${ACRONYM_THREADS}"; it can be a whole number from 1 to ${MOST}, or unset for as many as the machine runs at once`,
  );
}
