import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { checkProcessed } from "../model/head-weights";
import type { HookName } from "../model/hooks";
import { disposeRun, type Model } from "../model/model";
import { layerNorm, unembedding } from "../model/ops";
import { range } from "../numbers/lists";
import { meanAndStd } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { type LetterOf, lettersOf, type Prompts, readoutPositions, type Task } from "../prompts/task";
import { atPositions } from "./attribution";
import { letterLogitDiff } from "./logit-difference";
import { type Batch, type Measurement, measureAll, type StreamOptions } from "./measure";

export interface LensRow<L extends number = Letter> {
  readonly letter: L;
  /** Layers of the residual stream read: 0 is before the first, n_layers after the last; halves are after attention. */
  readonly depth: number;
  readonly logit_diff: number;
  readonly std: number;
  /** Share of prompts whose right letter is the largest of those compared. */
  readonly accuracy: number;
}

/**
 * The logit lens: the residual stream between layers read as if it were the last.
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const rows = await logitLens(model, data);
 * const accuracy = where(rows, { letter: 3 }).map((row) => row.accuracy);
 * console.log(accuracy[0] < accuracy[accuracy.length - 1]); // → true
 * ```
 */
export async function logitLens<T extends Task>(
  model: Model,
  data: Prompts<T>,
  stream: StreamOptions = {},
): Promise<LensRow<LetterOf<T>>[]> {
  checkProcessed(model);
  const { n_layers, eps } = model.config;
  const letters = lettersOf(data.task);
  const positions = readoutPositions(data.task);
  const stages = range(n_layers).flatMap((l): { depth: number; hook: HookName }[] => [
    { depth: l, hook: `blocks.${l}.hook_resid_pre` },
    { depth: l + 0.5, hook: `blocks.${l}.hook_resid_mid` },
  ]);
  stages.push({ depth: n_layers, hook: `blocks.${n_layers - 1}.hook_resid_post` });
  const open = ({ prompts }: Batch): Measurement<{ hook: HookName }> => {
    const run = forward(model, prompts.tokens, { keep: stages.map(({ hook }) => hook), readout: "none" });
    const { W, b } = unembedding(model, prompts.letters);
    const measure = ({ hook }: { hook: HookName }) => {
      const x = layerNorm(atPositions(run, hook, positions), eps).reshape([-1, model.config.d_model]) as tf.Tensor2D;
      const logits = tf.matMul(x, W).add(b);
      return letterLogitDiff(logits.reshape([-1, letters.length, prompts.letters.length]), prompts.answerLetters);
    };
    return {
      measure,
      close: () => {
        tf.dispose([W, b]);
        disposeRun(run);
      },
    };
  };
  const values = await measureAll(data, stages, open, stream);
  return stages.flatMap(({ depth }, s) =>
    letters.map((letter, i) => {
      const column = values[s].map((row) => row[i]);
      const { mean: logit_diff, std } = meanAndStd(column);
      return { letter, depth, logit_diff, std, accuracy: column.filter((x) => x > 0).length / column.length };
    }),
  );
}
