import { allHeads, checkHeads, type HeadId, hasHead } from "../model/heads";
import type { ModelConfig } from "../model/model";
import { checkOneOf } from "../numbers/check";
import { range } from "../numbers/lists";
import { random } from "../numbers/random";

/** Subsets of a circuit for `completeness` and `minimality`: each head is in each with probability ½. */
export function randomSubsets(
  circuit: readonly HeadId[],
  { draws, seed }: { draws: number; seed: number },
): HeadId[][] {
  const { uniform } = random(seed, "subsets");
  return range(draws).map(() => circuit.filter(() => uniform() < 0.5));
}

/** Any heads of the model, as many as the circuit has; or from each layer as many as the circuit has there. */
export type Among = "all" | "same layers";

interface RandomCircuitsOptions {
  readonly draws: number;
  readonly seed: number;
  /** Default `"all"`. */
  readonly among?: Among;
}

type HeadCounts = Pick<ModelConfig, "n_layers" | "n_heads">;

/**
 * Circuits of the same size made of heads drawn at random: what a circuit must beat. A draw may come twice, or be the circuit.
 * Throws a RangeError if the circuit has heads that the model lacks, or an option is none of those there are.
 */
export function randomCircuits(
  config: HeadCounts,
  circuit: readonly HeadId[],
  { draws, seed, among = "all" }: RandomCircuitsOptions,
): HeadId[][] {
  const pools = poolsOf(config, circuit, among);
  const { shuffle } = random(seed, `circuits from ${among}`);
  return range(draws).map(() => pools.flatMap(({ heads, size }) => shuffle(heads).slice(0, size)));
}

/** What a circuit is compared with. */
interface OtherCircuits {
  readonly circuits: readonly (readonly HeadId[])[];
  /** How many there are, without the circuit itself. */
  readonly there_are: number;
  /** Whether `circuits` are some of them, drawn at random; else they are all. */
  readonly drawn: boolean;
}

/** So many circuits are rather listed than drawn. */
const FEW = 50;

/**
 * All other circuits of the same size where there are few, at most 50 with the circuit itself; else `randomCircuits`.
 * Throws as `randomCircuits`.
 */
export function otherCircuits(
  config: HeadCounts,
  circuit: readonly HeadId[],
  options: RandomCircuitsOptions,
): OtherCircuits {
  const pools = poolsOf(config, circuit, options.among ?? "all");
  const count = pools.reduce((product, { heads, size }) => product * binomial(heads.length, size), 1);
  const drawn = count > FEW;
  const circuits = drawn ? randomCircuits(config, circuit, options) : everyChoice(pools);
  const others = drawn ? circuits : circuits.filter((heads) => !heads.every((head) => hasHead(circuit, head)));
  return { circuits: others, there_are: count - 1, drawn };
}

/** Heads of which a circuit takes `size`. */
interface Pool {
  readonly heads: readonly HeadId[];
  readonly size: number;
}

function poolsOf(config: HeadCounts, circuit: readonly HeadId[], among: Among): Pool[] {
  checkHeads(config, circuit);
  checkOneOf("among", among, ["all", "same layers"]);
  const all = allHeads(config);
  if (among === "all") return [{ heads: all, size: circuit.length }];
  const inLayer = (heads: readonly HeadId[], layer: number) => heads.filter((head) => head.layer === layer);
  return range(config.n_layers).map((layer) => ({ heads: inLayer(all, layer), size: inLayer(circuit, layer).length }));
}

const everyChoice = (pools: readonly Pool[]): HeadId[][] =>
  pools.reduce<HeadId[][]>(
    (chosen, { heads, size }) => chosen.flatMap((before) => choices(heads, size).map((heads) => [...before, ...heads])),
    [[]],
  );

/** Every choice of `size` items, in their order. */
export function choices<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  const first = items.slice(0, items.length - size + 1); // after a later one too few are left: all ways there would be in vain
  return first.flatMap((item, i) => choices(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

/** How many choices of k out of n there are; every step is a whole number. */
const binomial = (n: number, k: number): number => range(k).reduce((count, i) => (count * (n - i)) / (i + 1), 1);
