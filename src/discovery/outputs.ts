import * as tf from "@tensorflow/tfjs";
import type { HookName } from "../model/hooks";
import type { Model } from "../model/model";
import { linear } from "../model/ops";
import { cut } from "../model/slices";
import type { EdgeGraph, Sender } from "./edges";

/** What a sender adds to the residual stream, flat `[1, batch · pos · d_model]`, given the activation at its hook. A head's bias is nobody's. */
export function outputOf(model: Model, { head, layer }: Sender, activation: tf.Tensor): tf.Tensor2D {
  if (head === undefined) return activation.reshape([1, -1]);
  const { d_head, d_model } = model.config;
  const W = cut(model.blocks[layer].W_O, 0, head * d_head, d_head);
  const z = cut(activation, 2, head, 1).reshape([-1, d_head]);
  return linear(z, W, tf.zeros([d_model])).reshape([1, -1]);
}

/** How senders' outputs differ between two runs, `[sender, batch · pos · d_model]`: those of `to` less those of `from`. */
export function outputChanges(
  model: Model,
  { senders }: Pick<EdgeGraph, "senders">,
  from: (name: HookName) => tf.Tensor,
  to: (name: HookName) => tf.Tensor,
): tf.Tensor2D {
  return tf.tidy(() => {
    const changes = senders.map((sender) => outputOf(model, sender, to(sender.at).sub(from(sender.at))));
    return tf.concat2d(changes, 0);
  });
}
