import * as tf from "@tensorflow/tfjs";
import { checkModelFits } from "../model/memory";
import type { Block, LayerNorm, Model, ModelConfig } from "../model/model";
import { checkpointShapes, checkpointTensors, type Ends, readBlock, readEnds, type TensorSource } from "./checkpoint";
import type { Checkpoint } from "./safetensors";

/**
 * A model from a checkpoint, see `checkpointTensors`; `processed`: by `PROCESSING`.
 * Throws on what is wrong with the checkpoint, and if there is too little memory; nothing is left in memory then.
 */
export function modelFromCheckpoint(config: ModelConfig, checkpoint: Checkpoint, { processed = false } = {}): Model {
  const get = checkpointTensors(config, checkpoint);
  checkRoomFor(config);
  return modelFromTensors(config, get, processed ? PROCESSING : []);
}

/** Throws RangeError if there is too little memory for such a model; its unembedding is a tensor of its own, even where it is stored as one with `wte`. */
export function checkRoomFor(config: ModelConfig): void {
  checkModelFits(config.name, [...checkpointShapes({ ...config, tie_word_embeddings: false }).values()]);
}

/**
 * A model from named tensors, in TransformerLens's terms. Ends and blocks are read, processed by these steps and freed one after another,
 * so that a large model's raw weights are never in memory together.
 */
export function modelFromTensors(config: ModelConfig, get: TensorSource, steps: readonly Step[] = []): Model {
  const layers = Array.from({ length: config.n_layers }, (_, l) => l);
  return tidy(() => {
    // the largest matrices first: what their processing needs for a moment is then there for the blocks
    const ends = tidy(() =>
      apply(
        readEnds(get, config),
        steps.flatMap(({ ends }) => ends ?? []),
      ),
    );
    const blocks = layers.map((l) =>
      tidy(() =>
        apply(
          readBlock(get, l),
          steps.flatMap(({ block }) => block ?? []),
        ),
      ),
    );
    return { config, ...ends, blocks };
  });
}

/** tf.tidy for any plain data that holds tensors. */
const tidy = <T>(work: () => T): T => tf.tidy(work as () => tf.TensorContainer) as T;

/** One step of processing: what it changes in the ends and in each block. No part needs another, so a large model goes part by part. */
export interface Step {
  readonly ends?: (ends: Ends) => Partial<Ends>;
  readonly block?: (block: Block) => Partial<Block>;
}

function apply<P extends object>(part: P, changes: readonly ((part: P) => Partial<P>)[]): P {
  let current = part;
  for (const change of changes) current = { ...current, ...tidy(() => change(current)) };
  return current;
}

const centred = <T extends tf.Tensor>(x: T, axis: number): T => x.sub(x.mean(axis, true));

/** A layer norm's gain and bias moved into the weights that read from it; these are then centred over d_model. */
function fold(ln: LayerNorm | null, W: tf.Tensor2D, b: tf.Tensor1D): [tf.Tensor2D, tf.Tensor1D] {
  if (!ln) return [W, b];
  const bias = tidy(() => b.add<tf.Tensor1D>(W.mul(ln.b.expandDims(1)).sum(0)));
  return [tidy(() => centred(W.mul<tf.Tensor2D>(ln.w.expandDims(1)), 0)), bias];
}

/** TransformerLens's `fold_ln`: layer norms only centre and scale afterwards. */
const FOLD_LAYER_NORM: Step = {
  ends: ({ ln_final, W_U, b_U }) => {
    const [W, b] = fold(ln_final, W_U, b_U);
    return { ln_final: null, W_U: W, b_U: b };
  },
  block: ({ ln1, ln2, ...block }) => {
    const [W_Q, b_Q] = fold(ln1, block.W_Q, block.b_Q);
    const [W_K, b_K] = fold(ln1, block.W_K, block.b_K);
    const [W_V, b_V] = fold(ln1, block.W_V, block.b_V);
    const [W_in, b_in] = fold(ln2, block.W_in, block.b_in);
    return { ln1: null, W_Q, W_K, W_V, b_Q, b_K, b_V, ln2: null, W_in, b_in };
  },
};

/** TransformerLens's `center_writing_weights`: what is written to the residual stream has mean 0 over d_model. */
const CENTER_WRITING_WEIGHTS: Step = {
  ends: ({ W_E, W_pos }) => ({ W_E: centred(W_E, -1), W_pos: centred(W_pos, -1) }),
  block: ({ W_O, b_O, W_out, b_out }) => ({
    W_O: centred(W_O, -1),
    b_O: centred(b_O, -1),
    W_out: centred(W_out, -1),
    b_out: centred(b_out, -1),
  }),
};

/** TransformerLens's `center_unembed`: logits have mean 0 over the vocabulary. */
const CENTER_UNEMBED: Step = { ends: ({ W_U, b_U }) => ({ W_U: centred(W_U, -1), b_U: centred(b_U, -1) }) };

/** TransformerLens's `fold_value_biases`: attention rows sum to 1, so a value bias acts like an output bias. */
const FOLD_VALUE_BIASES: Step = {
  block: ({ b_V, b_O, W_O }) => ({
    b_O: b_O.add<tf.Tensor1D>(tf.matMul(b_V.expandDims(0), W_O).squeeze([0])),
    b_V: tf.zerosLike(b_V),
  }),
};

/** All of TransformerLens's processing that the paper's code asks for, in its order. Behaviour stays the same; logits are centred. */
export const PROCESSING: readonly Step[] = [FOLD_LAYER_NORM, CENTER_WRITING_WEIGHTS, CENTER_UNEMBED, FOLD_VALUE_BIASES];
