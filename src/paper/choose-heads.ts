import type { StreamOptions } from "../experiments/measure";
import { strongestWriters } from "../experiments/ov-circuit";
import { PAPER_MODEL, THIS_MODEL } from "../figures/style";
import { type CircuitHeads, CRITERIA, type Criteria, circuitHeads, classifyHeads } from "../groups/classify";
import { headEvidence } from "../groups/evidence";
import { type HeadId, headList, headName, headsWithout } from "../model/heads";
import type { Model } from "../model/model";
import { checkOneOf } from "../numbers/check";
import { range } from "../numbers/lists";
import { type AcronymDataset, select } from "../prompts/acronyms";
import { resample } from "../prompts/corruption";
import { paperHeads } from "./paper";

/** Whose heads an experiment looks at: those that this model's own evidence shows, or the paper's list for GPT-2 Small. */
export type HeadChoice = "found" | "paper";

export interface ChooseOptions extends StreamOptions {
  /** Default `"found"`. */
  readonly heads?: HeadChoice;
  /** Mixes the corrupted prompts from which the evidence is measured. */
  readonly seed: number;
  readonly criteria?: Criteria;
}

/** A circuit that has letter movers in any case. */
export interface ChosenHeads extends CircuitHeads {
  /** True where no head meets the criteria of a letter mover, so that those which write most to the logits stand in. */
  readonly standIns: boolean;
}

/** Prompts that are enough to tell one group of heads from another. */
const ENOUGH = 50;
const STAND_INS = 4;

/**
 * The heads that a notebook looks at, by group: found from evidence on up to 50 of the prompts, or the paper's.
 * Throws a RangeError if `heads` is neither "found" nor "paper", or the model lacks one of the paper's heads.
 */
export async function chooseHeads(model: Model, data: AcronymDataset, options: ChooseOptions): Promise<ChosenHeads> {
  const { heads = "found", seed, criteria = CRITERIA, ...stream } = options;
  checkOneOf("heads", heads, ["found", "paper"]);
  if (heads === "paper") return { ...checkedPaperHeads(model), standIns: false };
  const few = select(data, range(Math.min(data.prompts.length, ENOUGH)));
  const evidence = await headEvidence(model, few, { corrupted: resample(few, seed), ...stream });
  const found = circuitHeads(classifyHeads(evidence, criteria));
  if (found.letter_movers.length > 0) return { ...found, standIns: false };
  const letter_movers = await strongestWriters(model, few, { top: STAND_INS, batch: stream.batch });
  // a stand-in may be in another group, too: in the circuit it stands once
  const others = headsWithout(found.circuit, letter_movers);
  return { ...found, letter_movers, circuit: [...letter_movers, ...others], standIns: true };
}

function checkedPaperHeads({ config }: Model): CircuitHeads {
  const paper = paperHeads();
  const missing = paper.circuit.filter(({ layer, head }) => layer >= config.n_layers || head >= config.n_heads);
  if (missing.length === 0) return paper;
  const names = missing.map(headName).join(", ");
  throw new RangeError(
    `${config.name} has ${config.n_layers} layers of ${config.n_heads} heads, so not the paper's ${names}; choose heads "found"`,
  );
}

/** The groups of this model and of GPT-2 Small in the paper, a row a group, for `table`. */
export function groupTable(chosen: ChosenHeads): Readonly<Record<string, string>>[] {
  const paper = paperHeads();
  return (["letter_movers", "propagation", "fuzzy_previous_token"] as const).map((group) => ({
    group:
      group === "letter_movers" && chosen.standIns ? "strongest writers (no letter mover)" : group.replaceAll("_", " "),
    [THIS_MODEL]: headList(chosen[group]),
    [PAPER_MODEL]: headList(paper[group]),
  }));
}

/** The circuit as its groups come together: letter movers, with the propagation heads, all. Where a group adds no head its circuit is left out. */
export function growingGroups({ letter_movers, propagation, circuit }: CircuitHeads): HeadId[][] {
  const circuits = [letter_movers, [...letter_movers, ...headsWithout(propagation, letter_movers)], circuit];
  return circuits.filter((heads, i) => heads.length > 0 && circuits[i + 1]?.length !== heads.length);
}
