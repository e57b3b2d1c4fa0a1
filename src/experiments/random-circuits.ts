import { allHeads, checkHeads, type HeadId } from "../model/heads";
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

/**
 * Circuits of the same size made of heads drawn at random: what a circuit must beat.
 * @param options `among`: "all" heads (default), or as many from each layer as the circuit has ("same layers")
 * @throws RangeError if the circuit has heads that the model lacks, or an option is none of those there are
 */
export function randomCircuits(
  config: Pick<ModelConfig, "n_layers" | "n_heads">,
  circuit: readonly HeadId[],
  { draws, seed, among = "all" }: { draws: number; seed: number; among?: "all" | "same layers" },
): HeadId[][] {
  checkHeads(config, circuit);
  checkOneOf("among", among, ["all", "same layers"]);
  const { shuffle } = random(seed, `circuits from ${among}`);
  const all = allHeads(config);
  const draw = () => {
    if (among === "all") return shuffle(all).slice(0, circuit.length);
    return range(config.n_layers).flatMap((layer) => {
      const size = circuit.filter((head) => head.layer === layer).length;
      return shuffle(all.filter((head) => head.layer === layer)).slice(0, size);
    });
  };
  return range(draws).map(draw);
}
