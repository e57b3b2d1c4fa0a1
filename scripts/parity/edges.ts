/** Our values of the fixture tensors that scripts/parity/edges.py adds. */
import { attributeEdges } from "../../src/discovery/edge-attribution";
import { patchEdges } from "../../src/discovery/edge-circuits";
import type { Counterpart } from "./main";

export const EDGE_TENSORS: readonly Counterpart[] = [
  [
    /^edges\.exact$/,
    ({ proc, prompts, inputs, batch }) => patchEdges(proc, prompts, { corrupted: inputs.corrupted_tokens, batch }),
  ],
  [
    /^edges\.eap$/,
    ({ proc, prompts, inputs, batch }) => attributeEdges(proc, prompts, { corrupted: inputs.corrupted_tokens, batch }),
  ],
  [
    /^edges\.eap_ig\.(\d+)$/,
    ({ proc, prompts, inputs, batch }, [, steps]) =>
      attributeEdges(proc, prompts, { corrupted: inputs.corrupted_tokens, batch, steps: Number(steps) }),
  ],
];
