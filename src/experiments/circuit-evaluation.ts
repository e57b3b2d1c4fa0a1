import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { checkHeads, type HeadId, headsOutside } from "../model/heads";
import type { ActivationCache, HookName } from "../model/hooks";
import { patchHeads } from "../model/interventions";
import { disposeRun, type Model, type Run, type Tokens } from "../model/model";
import { reusable } from "../model/plan";
import { checkOneOf } from "../numbers/check";
import { range } from "../numbers/lists";
import { meanAndStd } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { type LetterOf, lettersOf, type Prompts, type Task } from "../prompts/task";
import { activationMeans } from "./activation-means";
import { letterReadout, logitDiffs } from "./logit-difference";
import {
  type Batch,
  checkCorrupted,
  type Measurement,
  measureAll,
  measureIntervened,
  type StreamOptions,
} from "./measure";

/** What a removed head writes instead: its mean over the corrupted prompts at each position, or another prompt's output. */
export type Ablation = "mean" | "resample";

export interface EvaluateOptions extends StreamOptions {
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
  readonly ablation?: Ablation;
}

/** A circuit's own logit difference, all other heads removed. */
export interface CircuitRow<L extends number = Letter> {
  /** Index of the circuit in the list given. */
  readonly circuit: number;
  readonly letter: L;
  readonly logit_diff: number;
  /** Over prompts (n − 1). */
  readonly std: number;
  readonly n: number;
}

/**
 * Values `[circuit][prompt][letter]` with all heads outside each circuit ablated; MLPs and embeddings stay.
 * Throws if there are not as many corrupted rows as prompts, a circuit has heads that the model lacks, or `ablation` is none of those there are.
 */
export async function circuitValues(
  model: Model,
  data: Prompts,
  circuits: readonly (readonly HeadId[])[],
  { corrupted, ablation = "mean", ...stream }: EvaluateOptions,
): Promise<number[][][]> {
  checkCorrupted(data, corrupted);
  checkOneOf("ablation", ablation, ["mean", "resample"]);
  for (const circuit of circuits) checkHeads(model.config, circuit);
  const hooks: HookName[] = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
  const means = ablation === "mean" ? await activationMeans(model, corrupted, hooks, stream) : undefined;
  const readout = letterReadout(data);
  const open = ({ prompts, rows }: Batch): Measurement<readonly HeadId[]> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const other: Run | undefined = means
      ? undefined
      : forward(model, rows(corrupted), { keep: hooks, readout: "none" });
    const source: ActivationCache = means ?? other!.cache;
    const measureFrom = measureIntervened<readonly HeadId[]>({
      from,
      readout,
      intervene: (circuit) => patchHeads(headsOutside(circuit, model.config), "z", source),
      read: (logits) => logitDiffs({ logits }, prompts),
    });
    return { measureFrom, close: () => disposeRun(...(other ? [from, other] : [from])) };
  };
  try {
    return await measureAll(data, circuits, open, stream);
  } finally {
    if (means) tf.dispose(Object.values(means));
  }
}

/** Each circuit's logit difference per letter, in logits. See the paper's figure 8 */
export async function evaluateCircuits<T extends Task>(
  model: Model,
  data: Prompts<T>,
  circuits: readonly (readonly HeadId[])[],
  options: EvaluateOptions,
): Promise<CircuitRow<LetterOf<T>>[]> {
  const values = await circuitValues(model, data, circuits, options);
  return values.flatMap((rows, circuit) =>
    lettersOf(data.task).map((letter, i) => {
      const { mean, std } = meanAndStd(rows.map((row) => row[i]));
      return { circuit, letter, logit_diff: mean, std, n: rows.length };
    }),
  );
}
