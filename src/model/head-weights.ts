import * as tf from "@tensorflow/tfjs";
import { checkHead, type HeadId } from "./heads";
import type { Model } from "./model";

/** Throws if layer norms aren't folded, so that reading weights alone would miss their gains. */
export function checkProcessed({ config, ln_final }: Model): void {
  if (ln_final !== null)
    throw new Error(`${config.name} is not processed; load it with loadModel(id, { processed: true })`);
}

/** One head's weights. Throws if the model has no such head. */
export function headWeights({ config, blocks }: Model, { layer, head }: HeadId) {
  checkHead(config, { layer, head });
  const { d_model, d_head } = config;
  const { W_Q, W_K, W_V, b_Q, b_K, b_V, W_O } = blocks[layer];
  return tf.tidy(() => {
    const columns = (W: tf.Tensor2D) => W.slice([0, head * d_head], [d_model, d_head]);
    const part = (b: tf.Tensor1D) => b.slice(head * d_head, d_head);
    return {
      W_Q: columns(W_Q), // [d_model, d_head]
      W_K: columns(W_K),
      W_V: columns(W_V),
      W_O: W_O.slice([head * d_head, 0], [d_head, d_model]), // [d_head, d_model]
      b_Q: part(b_Q), // [d_head]
      b_K: part(b_K),
      b_V: part(b_V),
    };
  });
}
