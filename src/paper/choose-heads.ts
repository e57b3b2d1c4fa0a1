import type { Prompts } from "../experiments/measure";
import { type CircuitHeads, CRITERIA, type Criteria, circuitHeads, classifyHeads } from "../groups/classify";
import { type EvidenceOptions, headEvidence } from "../groups/evidence";
import { headName } from "../model/heads";
import type { Model } from "../model/model";
import { checkOneOf } from "../numbers/check";
import { paperHeads } from "./paper";

/** Whose heads an experiment looks at: those that this model's own evidence shows, or the paper's list for GPT-2 Small. */
export type HeadChoice = "found" | "paper";

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
  if (heads === "paper") return checkedCircuitHeads(model);
  return circuitHeads(classifyHeads(await headEvidence(model, data, rest), criteria));
}

function checkedCircuitHeads({ config }: Model): CircuitHeads {
  const paper = paperHeads();
  const missing = paper.circuit.filter(({ layer, head }) => layer >= config.n_layers || head >= config.n_heads);
  if (missing.length === 0) return paper;
  const names = missing.map(headName).join(", ");
  throw new RangeError(
    `${config.name} has ${config.n_layers} layers of ${config.n_heads} heads, so not the paper's ${names}; choose heads "found"`,
  );
}
