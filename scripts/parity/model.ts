/** Our values of the fixture tensors that come from one forward or from weights. */
import * as tf from "@tensorflow/tfjs";
import { letterReadout, logitDiffs } from "../../src/experiments/logit-difference";
import { forward } from "../../src/model/forward";
import { headWeights } from "../../src/model/head-weights";
import type { HookName } from "../../src/model/hooks";
import { disposeRun, type Model } from "../../src/model/model";
import { range } from "../../src/numbers/lists";
import { mean } from "../../src/numbers/statistics";
import type { Fixture, Inputs } from "./fixture";
import type { Counterpart } from "./main";

const processedOr = (fixture: Fixture, which: string) => (which === "raw" ? fixture.raw : fixture.proc);
const logits = (model: Model, tokens: number[][]) => forward(model, tokens).logits;

function cached(model: Model, { clean_tokens, n_cached_prompts }: Inputs, name: HookName): tf.Tensor {
  const tokens = clean_tokens.slice(0, n_cached_prompts);
  return forward(model, tokens, { keep: [name], readout: "none" }).cache[name];
}

function headOutputs(fixture: Fixture, which: string, layer: number): tf.Tensor {
  const model = processedOr(fixture, which);
  const z = cached(model, fixture.inputs, `blocks.${layer}.attn.hook_z`);
  const [batch, pos, n_heads, d_head] = z.shape as [number, number, number, number];
  const outputs = range(n_heads).map((head) => {
    const { W_O } = headWeights(model, { layer, head });
    const one = z.slice([0, 0, head, 0], [-1, -1, 1, -1]).reshape([batch * pos, d_head]);
    return tf.matMul(one, W_O).reshape([batch, pos, 1, -1]);
  });
  return tf.concat(outputs, 2);
}

function diffs({ proc, inputs, prompts }: Fixture, which: string, against: "max" | "mean"): number[][] {
  const tokens = which === "corrupted" ? inputs.corrupted_tokens : inputs.clean_tokens;
  const run = forward(proc, tokens, { readout: letterReadout(prompts) });
  const values = logitDiffs(run, prompts, undefined, against);
  disposeRun(run);
  return values;
}

const withBias = (W: tf.Tensor2D, b: tf.Tensor1D) => tf.concat([W, b.expandDims(0)], 0) as tf.Tensor2D;

const blockWeight = (model: Model, layer: string, name: string): tf.Tensor =>
  model.blocks[Number(layer)][name.replace(/^.*\./, "") as "b_O"];

export const MODEL_TENSORS: readonly Counterpart[] = [
  [/^logits\.(hf|raw)$/, ({ raw, inputs }) => logits(raw, inputs.clean_tokens)],
  [/^logits\.proc$/, ({ proc, inputs }) => logits(proc, inputs.clean_tokens)],
  [/^logits\.proc\.corrupted$/, ({ proc, inputs }) => logits(proc, inputs.corrupted_tokens)],
  [/^cache\.(raw|proc)\.blocks\.(\d+)\.attn\.head_out$/, (f, [, which, layer]) => headOutputs(f, which, Number(layer))],
  [/^cache\.(raw|proc)\.(.+)$/, (f, [, which, name]) => cached(processedOr(f, which), f.inputs, name as HookName)],
  [/^weights\.proc\.embed\.W_E$/, ({ proc }) => proc.W_E],
  [/^weights\.proc\.pos_embed\.W_pos$/, ({ proc }) => proc.W_pos],
  [/^weights\.proc\.unembed\.(W_U|b_U)$/, ({ proc }, [, name]) => proc[name as "W_U"]],
  [/^weights\.proc\.blocks\.(\d+)\.(attn\.b_O|mlp\..+)$/, ({ proc }, [, l, name]) => blockWeight(proc, l, name)],
  [
    /^weights\.proc\.W_OV\.(\d+)\.(\d+)$/,
    ({ proc }, [, layer, head]) => {
      const { W_V, W_O } = headWeights(proc, { layer: Number(layer), head: Number(head) });
      return tf.matMul(W_V, W_O);
    },
  ],
  [
    /^weights\.proc\.W_QK_eff\.(\d+)\.(\d+)$/,
    ({ proc }, [, layer, head]) => {
      const { W_Q, W_K, b_Q, b_K } = headWeights(proc, { layer: Number(layer), head: Number(head) });
      return tf.matMul(withBias(W_Q, b_Q), withBias(W_K, b_K), false, true);
    },
  ],
  [/^metric\.logit_diff_2\.(clean|corrupted)$/, (f, [, which]) => diffs(f, which, "max").flat()],
  [
    /^metric\.logit_diff_2\.clean\.mean$/,
    (f) => range(3).map((i) => mean(diffs(f, "clean", "max").map((row) => row[i]))),
  ],
  [/^metric\.logit_diff_1\.clean$/, (f) => diffs(f, "clean", "mean").flat()],
  [/^metric\.avg_logit_diff_1\.clean$/, (f) => [mean(diffs(f, "clean", "mean").flat())]],
];
