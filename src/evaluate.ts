import * as tf from "@tensorflow/tfjs";
import { LETTERS, type Letter } from "./dataset";
import {
  type Batch,
  checkCorrupted,
  letterReadout,
  logitDiffs,
  type Measurement,
  measureAll,
  type Prompts,
  type StreamOptions,
} from "./experiment";
import { forward } from "./forward";
import type { ActivationCache, HeadId, HookName } from "./hooks";
import { headsOutside, patchHeads } from "./interventions";
import { meanAndStd } from "./metrics";
import { disposeRun, type Model, type Run, type Tokens } from "./model";
import { activationMeans } from "./patching";
import { reusable } from "./plan";
import { range } from "./sweep";

/** What a removed head writes instead: its mean over the corrupted prompts at each position, or another prompt's output. */
export type Ablation = "mean" | "resample";

export interface EvaluateOptions extends StreamOptions {
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
  readonly ablation?: Ablation;
}

/** A circuit's own logit difference, all other heads removed. */
export interface CircuitRow {
  /** Index of the circuit in the list given. */
  readonly circuit: number;
  readonly letter: Letter;
  readonly logit_diff: number;
  /** Over prompts (n − 1). */
  readonly std: number;
  readonly n: number;
}

/** Values `[circuit][prompt][letter]` with all heads outside each circuit ablated; MLPs and embeddings stay. */
export async function circuitValues(
  model: Model,
  data: Prompts,
  circuits: readonly (readonly HeadId[])[],
  { corrupted, ablation = "mean", ...stream }: EvaluateOptions,
): Promise<number[][][]> {
  checkCorrupted(data, corrupted);
  const hooks: HookName[] = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
  const means = ablation === "mean" ? await activationMeans(model, corrupted, hooks, stream) : undefined;
  const readout = letterReadout(data);
  const open = ({ prompts, rows }: Batch): Measurement<readonly HeadId[]> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout });
    const other: Run | undefined = means
      ? undefined
      : forward(model, rows(corrupted), { keep: hooks, readout: "none" });
    const source: ActivationCache = means ?? other!.cache;
    const measure = (circuit: readonly HeadId[]) => {
      const interventions = patchHeads(headsOutside(circuit, model.config), "z", source);
      return logitDiffs(forward(model, prompts.tokens, { interventions, from, readout }), prompts);
    };
    return { measure, close: () => disposeRun(...(other ? [from, other] : [from])) };
  };
  try {
    return await measureAll(data, circuits, open, stream);
  } finally {
    if (means) tf.dispose(Object.values(means));
  }
}

/** Each circuit's logit difference per letter, in logits. @see the paper's figure 8 */
export async function evaluateCircuits(
  model: Model,
  data: Prompts,
  circuits: readonly (readonly HeadId[])[],
  options: EvaluateOptions,
): Promise<CircuitRow[]> {
  const values = await circuitValues(model, data, circuits, options);
  return values.flatMap((rows, circuit) =>
    LETTERS.map((letter, i) => {
      const { mean, std } = meanAndStd(rows.map((row) => row[i]));
      return { circuit, letter, logit_diff: mean, std, n: rows.length };
    }),
  );
}

/** No head, the first one, the first two … all of a list: the x axis of the paper's figure 8. */
export const growing = (heads: readonly HeadId[]): HeadId[][] => range(heads.length + 1).map((n) => heads.slice(0, n));
