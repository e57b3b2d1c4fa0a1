/** Our values of the fixture tensors that scripts/parity/edges.py adds. */
import { attributeEdges } from "../../src/discovery/edge-attribution";
import { patchEdges } from "../../src/discovery/edge-circuits";
import type { Counterpart } from "./main";

/** A batch that doesn't hold all prompts, so that the comparison also holds the streaming to account. */
const batch = 4;

export const EDGE_TENSORS: readonly Counterpart[] = [
  [
    /^edges\.exact$/,
    ({ proc, prompts, inputs }) => patchEdges(proc, prompts, { corrupted: inputs.corrupted_tokens, batch }),
  ],
  [
    /^edges\.eap$/,
    ({ proc, prompts, inputs }) => attributeEdges(proc, prompts, { corrupted: inputs.corrupted_tokens, batch }),
  ],
  [
    /^edges\.eap_ig\.(\d+)$/,
    ({ proc, prompts, inputs }, [, steps]) =>
      attributeEdges(proc, prompts, { corrupted: inputs.corrupted_tokens, batch, steps: Number(steps) }),
  ],
];
