import * as tf from "@tensorflow/tfjs";
import type { ActivationCache, HookName, Intervention } from "./hooks";

/** Sizes of a GPT-2-shaped model, by TransformerLens's names. */
export interface ModelConfig {
  readonly name: string;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly d_model: number;
  readonly d_head: number;
  readonly d_mlp: number;
  readonly n_ctx: number;
  readonly d_vocab: number;
  /** Added to the variance in layer norms. */
  readonly eps: number;
  /** False: the unembedding is not the transposed embedding but weights of its own. Default true. */
  readonly tie_word_embeddings?: boolean;
}

export interface LayerNorm {
  readonly w: tf.Tensor1D; // [d_model]
  readonly b: tf.Tensor1D; // [d_model]
}

/** One layer. The weights of all heads lie side by side in one matrix, so that each use is one matrix product. */
export interface Block {
  /** `null`: folded into W_Q, W_K and W_V. */
  readonly ln1: LayerNorm | null;
  readonly W_Q: tf.Tensor2D; // [d_model, n_heads * d_head], likewise W_K and W_V
  readonly W_K: tf.Tensor2D;
  readonly W_V: tf.Tensor2D;
  readonly b_Q: tf.Tensor1D; // [n_heads * d_head], likewise b_K and b_V
  readonly b_K: tf.Tensor1D;
  readonly b_V: tf.Tensor1D;
  readonly W_O: tf.Tensor2D; // [n_heads * d_head, d_model]
  readonly b_O: tf.Tensor1D;
  /** `null`: folded into W_in. */
  readonly ln2: LayerNorm | null;
  readonly W_in: tf.Tensor2D; // [d_model, d_mlp]
  readonly b_in: tf.Tensor1D;
  readonly W_out: tf.Tensor2D; // [d_mlp, d_model]
  readonly b_out: tf.Tensor1D;
}

/** A GPT-2-shaped language model: plain data. Weights multiply from the right. */
export interface Model {
  readonly config: ModelConfig;
  readonly W_E: tf.Tensor2D; // [d_vocab, d_model]
  readonly W_pos: tf.Tensor2D; // [n_ctx, d_model]
  readonly blocks: readonly Block[];
  /** `null`: folded into W_U. */
  readonly ln_final: LayerNorm | null;
  readonly W_U: tf.Tensor2D; // [d_model, d_vocab]
  readonly b_U: tf.Tensor1D; // [d_vocab]
}

/** Token ids, `[batch][pos]`, every row of one length. */
export type Tokens = readonly (readonly number[])[];

/** Which logits to compute: at these positions, of these tokens; at least one of each. */
export interface Readout {
  readonly positions: readonly number[];
  readonly vocab: readonly number[];
}

export interface ForwardOptions {
  readonly interventions?: Intervention;
  /** Activations to keep in `run.cache`: names, or a choice by name. Default: none. */
  readonly keep?: readonly HookName[] | ((name: HookName) => boolean);
  /** Default `"all"`: every position, the whole vocabulary. `"none"`: logits of shape `[batch, 0, 0]`. */
  readonly readout?: "all" | "none" | Readout;
  /** A run of the same model and tokens without interventions: what it kept and the edits don't touch is not computed again. */
  readonly from?: Run;
  /** Position id of each row's first token (training uses it), 0 … n_ctx − tokens. Default 0. */
  readonly offset?: readonly number[];
  /** False: everything is computed and nothing is taken from `from`; to compare. Default: as the host says, true. */
  readonly plan?: boolean;
}

/** What a forward gave, with its own frozen copy of what it was given. The caller owns its tensors: see `disposeRun`. */
export interface Run {
  readonly model: Model;
  readonly tokens: Tokens;
  readonly interventions: Intervention;
  readonly offset: readonly number[] | undefined;
  /** `[batch, pos, d_vocab]`, or `[batch, positions, vocab]` of the read-out. */
  readonly logits: tf.Tensor3D;
  readonly cache: ActivationCache;
  /** The positions at which each activation was really computed; the others came from `from`, or nothing needed them. */
  readonly computed: ReadonlyMap<HookName, readonly number[]>;
}

const tensorsOf = ({ logits, cache }: Run): tf.Tensor[] => [logits, ...Object.values(cache)];

/** Keeps a run beyond the `tf.tidy` that it was made in, until `disposeRun`. */
export function keepRun(run: Run): Run {
  for (const tensor of tensorsOf(run)) tf.keep(tensor);
  return run;
}

/** Frees a run's logits and kept activations. */
export function disposeRun(...runs: readonly Run[]): void {
  tf.dispose(runs.flatMap(tensorsOf));
}

/** Frees a model's weights. */
export function disposeModel(model: Model): void {
  tf.dispose(model as unknown as tf.TensorContainerObject);
}
