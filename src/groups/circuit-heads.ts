import type { Prompts } from "../experiments/measure";
import type { HeadId } from "../model/hooks";
import type { Model } from "../model/model";
import { checkOneOf } from "../numbers/check";
import { type PaperHeads, paperHeads } from "../paper/paper";
import { CRITERIA, type Criteria, classifyHeads, headsOf } from "./classify";
import { type EvidenceOptions, headEvidence } from "./evidence";

/** Whose heads an experiment looks at: those that this model's own evidence shows, or the paper's list for GPT-2 Small. */
export type HeadChoice = "found" | "paper";

/** The three groups of a circuit, most effect first, and all of them. A group may be empty. */
export type CircuitHeads = PaperHeads;

export interface ChooseOptions extends EvidenceOptions {
  /** Default `"found"`. */
  readonly heads?: HeadChoice;
  readonly criteria?: Criteria;
}

/**
 * The heads that a notebook shows, by group.
 * @throws RangeError if `heads` is neither "found" nor "paper", or the model lacks one of the paper's heads
 */
export async function chooseHeads(model: Model, data: Prompts, options: ChooseOptions): Promise<CircuitHeads> {
  const { heads = "found", criteria = CRITERIA, ...rest } = options;
  checkOneOf("heads", heads, ["found", "paper"]);
  if (heads === "paper") return checkedPaperHeads(model);
  return circuitHeads(classifyHeads(await headEvidence(model, data, rest), criteria));
}

/** Classified heads by group. */
export function circuitHeads(classified: Parameters<typeof headsOf>[0]): CircuitHeads {
  return {
    letter_movers: headsOf(classified, "letter mover"),
    propagation: headsOf(classified, "propagation"),
    fuzzy_previous_token: headsOf(classified, "fuzzy previous token"),
    circuit: headsOf(classified, "circuit"),
  };
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

/** "8.11": layer and head as they are written. */
export const headName = ({ layer, head }: HeadId): string => `${layer}.${head}`;
