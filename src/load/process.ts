import * as tf from "@tensorflow/tfjs";
import { checkModelFits } from "../model/memory";
import type { Block, LayerNorm, Model, ModelConfig } from "../model/model";
import { handle } from "../model/slices";
import { random } from "../numbers/random";
import {
  checkpointShapes,
  checkpointTensors,
  type Ends,
  randomSpread,
  readBlock,
  readEnds,
  type TensorSource,
} from "./checkpoint";
import type { Checkpoint } from "./safetensors";

/** A model from named tensors, in TransformerLens's terms; nothing folded. */
export function modelFromTensors(config: ModelConfig, get: TensorSource): Model {
  const ends = readEnds(get, config.d_vocab);
  return { config, ...ends, blocks: Array.from({ length: config.n_layers }, (_, l) => readBlock(get, l)) };
}

/**
 * A model from a checkpoint, see `checkpointTensors`. `processed`: as by `processWeights`, but part by part while reading, so that a large
 * model's raw weights are never in memory together.
 * Throws on what is wrong with the checkpoint, and if there is too little memory; nothing is left in memory then.
 */
export function modelFromCheckpoint(config: ModelConfig, checkpoint: Checkpoint, { processed = false } = {}): Model {
  const get = checkpointTensors(config, checkpoint);
  checkModelFits(config.name, [...checkpointShapes(config).values(), [config.d_model, config.d_vocab]]);
  const steps = processed ? PROCESSING : [];
  return tidy(() => {
    // the largest matrices first: what their processing needs for a moment is then there for the blocks
    const ends = tidy(() => {
      const unembedding = config.tie_word_embeddings === false ? get("lm_head.weight") : undefined;
      return processEnds(readEnds(get, config.d_vocab, unembedding), steps);
    });
    const layers = Array.from({ length: config.n_layers }, (_, l) => l);
    const blocks = layers.map((l) => tidy(() => processBlock(readBlock(get, l), steps)));
    return { config, ...ends, blocks };
  });
}

/** A model of random weights; for tests and benchmarks. `scale`: standard deviation of matrices times √(their rows). */
export function randomModel(config: ModelConfig, seed: number, scale?: number): Model {
  const { normal } = random(seed, "weights");
  return tidy(() => {
    // drawn in the checkpoint's order, whatever the order of reading
    const tensors = new Map<string, tf.Tensor>();
    for (const [name, shape] of checkpointShapes(config)) {
      const { mean, std } = randomSpread(name, shape, scale);
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => mean + std * normal());
      tensors.set(name, tf.tensor(values, shape));
    }
    return modelFromTensors(config, (name) => tensors.get(name)!);
  });
}

/** tf.tidy for any plain data that holds tensors. */
const tidy = <T>(work: () => T): T => tf.tidy(work as () => tf.TensorContainer) as T;

/** One step of processing: what it changes in the ends and in each block. No part needs another, so a large model goes part by part. */
interface Step {
  readonly ends?: (ends: Ends) => Partial<Ends>;
  readonly block?: (block: Block) => Partial<Block>;
}

function apply<P extends object>(part: P, changes: readonly ((part: P) => Partial<P>)[]): P {
  let current = part;
  for (const change of changes) current = { ...current, ...tidy(() => change(current)) };
  return current;
}

function processEnds(ends: Ends, steps: readonly Step[]): Ends {
  const changes = steps.flatMap((step) => step.ends ?? []);
  return apply(ends, changes);
}

function processBlock(block: Block, steps: readonly Step[]): Block {
  const changes = steps.flatMap((step) => step.block ?? []);
  return apply(block, changes);
}

const centred = <T extends tf.Tensor>(x: T, axis: number): T => x.sub(x.mean(axis, true));

/** A layer norm's gain and bias moved into the weights that read from it; these are then centred over d_model. */
function fold(ln: LayerNorm | null, W: tf.Tensor2D, b: tf.Tensor1D): [tf.Tensor2D, tf.Tensor1D] {
  if (!ln) return [W, b];
  const bias = tidy(() => b.add<tf.Tensor1D>(W.mul(ln.b.expandDims(1)).sum(0)));
  return [tidy(() => centred(W.mul<tf.Tensor2D>(ln.w.expandDims(1)), 0)), bias];
}

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

const CENTER_WRITING_WEIGHTS: Step = {
  ends: ({ W_E, W_pos }) => ({ W_E: centred(W_E, -1), W_pos: centred(W_pos, -1) }),
  block: ({ W_O, b_O, W_out, b_out }) => ({
    W_O: centred(W_O, -1),
    b_O: centred(b_O, -1),
    W_out: centred(W_out, -1),
    b_out: centred(b_out, -1),
  }),
};

const CENTER_UNEMBED: Step = { ends: ({ W_U, b_U }) => ({ W_U: centred(W_U, -1), b_U: centred(b_U, -1) }) };

const FOLD_VALUE_BIASES: Step = {
  block: ({ b_V, b_O, W_O }) => ({
    b_O: b_O.add<tf.Tensor1D>(tf.matMul(b_V.expandDims(0), W_O).squeeze([0])),
    b_V: tf.zerosLike(b_V),
  }),
};

/** All of TransformerLens's processing that the paper's code asks for, in its order. */
const PROCESSING: readonly Step[] = [FOLD_LAYER_NORM, CENTER_WRITING_WEIGHTS, CENTER_UNEMBED, FOLD_VALUE_BIASES];

/** A change of a model's weights; the given model stays as it is and the result shares no tensor with it. */
type Processing = (model: Model) => Model;

const processing =
  (...steps: readonly Step[]): Processing =>
  (model) =>
    tidy(() => {
      const { config, blocks, ...ends } = model;
      return {
        config,
        ...tidy(() => unshared(processEnds(ends, steps), ends)),
        blocks: blocks.map((block) => tidy(() => unshared(processBlock(block, steps), block))),
      };
    });

/** A part with its own handle on each tensor that it has in common with the original; tensors are immutable. */
function unshared<P extends object>(part: P, original: P): P {
  const shared = new Set(tf.tensor_util.getTensorsInContainer(original as tf.TensorContainer));
  const own = <T>(value: T): T => {
    if (value instanceof tf.Tensor) return (shared.has(value) ? handle(value) : value) as T;
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, own(v)])) as T;
  };
  return own(part);
}

/** TransformerLens's `fold_ln`: layer norms only centre and scale afterwards. */
export const foldLayerNorm: Processing = processing(FOLD_LAYER_NORM);

/** TransformerLens's `center_writing_weights`: what is written to the residual stream has mean 0 over d_model. */
export const centerWritingWeights: Processing = processing(CENTER_WRITING_WEIGHTS);

/** TransformerLens's `center_unembed`: logits have mean 0 over the vocabulary. */
export const centerUnembed: Processing = processing(CENTER_UNEMBED);

/** TransformerLens's `fold_value_biases`: attention rows sum to 1, so a value bias acts like an output bias. */
export const foldValueBiases: Processing = processing(FOLD_VALUE_BIASES);

/** All four in TransformerLens's order, as the paper's code asks for them. Behaviour stays the same; logits are centred. */
export const processWeights: Processing = processing(...PROCESSING);
