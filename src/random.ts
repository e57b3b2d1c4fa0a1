import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A seeded source of random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** One item of a non-empty list. */
  pick<T>(items: readonly T[]): T;
  /** A copy in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** The internal state, so that a stopped run can go on exactly where it was. */
  state(): readonly number[];
}

/**
 * @param seed an integer, or the `state()` of an earlier source.
 * @throws RangeError if the seed is not an integer.
 */
export function random(seed: number | readonly number[]): Random {
  if (typeof seed === "number" && !Number.isSafeInteger(seed))
    throw new RangeError(`seed must be an integer, not ${seed}`);
  const generator = typeof seed === "number" ? xoroshiro128plus(seed) : xoroshiro128plusFromState(seed);
  const uniform = () => uniformFloat64(generator);
  const int = (n: number) => {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`int(n) needs a positive integer, not ${n}`);
    return uniformInt(generator, 0, n - 1);
  };
  return {
    uniform,
    int,
    // Box–Muller; 1 - u keeps the logarithm's argument above 0
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    pick: (items) => items[int(items.length)],
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [out[i], out[j]] = [out[j], out[i]];
      }
      return out;
    },
    state: () => generator.getState(),
  };
}
