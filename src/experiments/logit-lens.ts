import * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import { checkProcessed } from "../model/head-weights";
import type { HookName } from "../model/hooks";
import { disposeRun, type Model } from "../model/model";
import { normalize, unembedding } from "../model/ops";
import { range } from "../numbers/lists";
import { meanAndStd } from "../numbers/statistics";
import { LETTERS, type Letter } from "../prompts/positions";
import { atReadouts } from "./attribution";
import { letterLogitDiff } from "./logit-difference";
import { type Batch, type Measurement, measureAll, type Prompts, type StreamOptions } from "./measure";

export interface LensRow {
  readonly letter: Letter;
  /** Layers of the residual stream read: 0 is before the first, n_layers after the last; halves are after attention. */
  readonly depth: number;
  readonly logit_diff: number;
  readonly std: number;
  /** Share of prompts whose right letter is the largest of the 26. */
  readonly accuracy: number;
}

/** The logit lens: the residual stream between layers read as if it were the last. */
export async function logitLens(model: Model, data: Prompts, stream: StreamOptions = {}): Promise<LensRow[]> {
  checkProcessed(model);
  const { n_layers, eps } = model.config;
  const stages = range(n_layers).flatMap((l): { depth: number; hook: HookName }[] => [
    { depth: l, hook: `blocks.${l}.hook_resid_pre` },
    { depth: l + 0.5, hook: `blocks.${l}.hook_resid_mid` },
  ]);
  stages.push({ depth: n_layers, hook: `blocks.${n_layers - 1}.hook_resid_post` });
  const open = ({ prompts }: Batch): Measurement<{ hook: HookName }> => {
    const run = forward(model, prompts.tokens, { keep: stages.map(({ hook }) => hook), readout: "none" });
    const { W, b } = unembedding(model, prompts.letters);
    const measure = ({ hook }: { hook: HookName }) => {
      const x = normalize(atReadouts(run, hook), eps).reshape([-1, model.config.d_model]) as tf.Tensor2D;
      const logits = tf.matMul(x, W).add(b);
      return letterLogitDiff(logits.reshape([-1, LETTERS.length, prompts.letters.length]), prompts.answerLetters);
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
    LETTERS.map((letter, i) => {
      const column = values[s].map((row) => row[i]);
      const { mean: logit_diff, std } = meanAndStd(column);
      return { letter, depth, logit_diff, std, accuracy: column.filter((x) => x > 0).length / column.length };
    }),
  );
}
