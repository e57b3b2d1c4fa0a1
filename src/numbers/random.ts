import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

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
 * Throws a RangeError if the seed is not an integer from -(2^53 - 1) to 2^53 - 1, or no state.
 * @param seed an integer, or the `state()` of an earlier source.
 * @param purpose what is drawn. The same seed gives numbers that have nothing to do with each other for different purposes: what is
 *   chosen with it at one place of an experiment says nothing about what is chosen at another. Not looked at if a state is given.
 */
export function random(seed: number | readonly number[], purpose = ""): Random {
  const generator = xoroshiro128plusFromState(typeof seed === "number" ? hashed(seed, purpose) : checkedState(seed));
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

/**
 * The generator's state for a seed. A seed as it is makes a poor state: for small ones the first numbers are nearly alike, and neighbours
 * stay correlated for long. splitmix64, which xoroshiro's authors recommend for this, spreads every bit of it over the whole state.
 * It never gives the state that stands still, 0: its outputs are all different within a period.
 */
function hashed(seed: number, purpose: string): number[] {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be an integer, not ${seed}`);
  let state = BigInt(seed);
  const next = () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  for (const char of purpose) state = next() ^ BigInt(char.codePointAt(0)!);
  return [next(), next()].flatMap((word) => [word >> 32n, word]).map((half) => Number(BigInt.asIntN(32, half)));
}

function checkedState(state: readonly number[]): readonly number[] {
  if (state.length === 4 && state.every((word) => word === (word | 0)) && state.some((word) => word !== 0))
    return state;
  throw new RangeError(`a state is what state() gives, 4 whole numbers of 32 bits that are not all 0, not [${state}]`);
}
