/** One training run: variables, optimiser, loss. The forward is the library's own. */
import * as tf from "@tensorflow/tfjs";
import { modelFromTensors } from "../../src/load/process";
import type { TensorData } from "../../src/load/safetensors";
import { initialValues } from "../../src/load/untrained";
import { forward } from "../../src/model/forward";
import type { Model, ModelConfig } from "../../src/model/model";
import { random } from "../../src/numbers/random";
import { unhashed } from "../build-data/unhashed";
import { type Lexicon, type Recipe, type Sequence, textSource } from "./text";

type Variables = ReadonlyMap<string, tf.Variable>;

/** Everything needed to go on exactly where a run stopped. */
export interface TrainingState {
  readonly step: number;
  readonly random: readonly number[];
  readonly weights: Readonly<Record<string, TensorData>>;
  /** Adam's moments, in its own order. */
  readonly moments: readonly TensorData[];
}

export interface Training {
  readonly config: ModelConfig;
  /** Steps done. */
  step(): number;
  /** Does one step and gives its loss. */
  advance(): number;
  /** The model as it is now, for reading only. */
  model(): Model;
  state(): Promise<TrainingState>;
}

function modelConfig(recipe: Recipe, d_vocab: number, name: string): ModelConfig {
  const { n_layers, n_heads, d_model } = recipe;
  const n_ctx = recipe.context + recipe.maxOffset;
  return { name, n_layers, n_heads, d_model, d_head: d_model / n_heads, d_mlp: 4 * d_model, n_ctx, d_vocab, eps: 1e-5 };
}

/** Warm-up, then a cosine down to 5%. */
function learningRate({ steps, warmup, learningRate: peak }: Recipe, step: number): number {
  if (step < warmup) return (peak * (step + 1)) / warmup;
  const done = (step - warmup) / Math.max(1, steps - warmup);
  return peak * (0.05 + 0.95 * 0.5 * (1 + Math.cos(Math.PI * done)));
}

/** Mean weighted cross-entropy of the next tokens, in nats. */
export function loss(model: Model, sequences: readonly Sequence[], bos: number): tf.Scalar {
  const length = Math.max(...sequences.map(({ ids }) => ids.length)) - 1;
  const pad = (list: readonly number[], value: number) => Array.from({ length }, (_, i) => list[i] ?? value);
  const tokens = sequences.map(({ ids }) => pad(ids.slice(0, -1), bos));
  const next = tf.tensor1d(
    sequences.flatMap(({ ids }) => pad(ids.slice(1), bos)),
    "int32",
  );
  const weights = tf.tensor1d(sequences.flatMap((s) => pad(s.weights, 0)));
  const { logits } = forward(model, tokens, { offset: sequences.map(({ offset }) => offset) });
  const flat = logits.reshape([-1, model.config.d_vocab]) as tf.Tensor2D;
  return weightedCrossEntropy(flat, next, weights.div(weights.sum()));
}

/** Σ weight · −log p(label), with its own gradient: two large arrays instead of six. */
function weightedCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D, weights: tf.Tensor1D): tf.Scalar {
  const op = tf.customGrad((x, save) => {
    const hot = tf.oneHot(labels, logits.shape[1]).toFloat();
    const p = tf.softmax(x as tf.Tensor);
    const value = p.mul(hot).sum(-1).add(1e-20).log().mul(weights).sum().neg();
    (save as tf.GradSaveFunc)([p.sub(hot).mul(weights.expandDims(1))]);
    return { value, gradFunc: (dy: tf.Tensor, [gradient]: tf.Tensor[]) => gradient.mul(dy) };
  });
  return op(logits) as tf.Scalar;
}

/** AdamW with a clipped gradient norm; tfjs's Adam with the decoupled decay added. */
function optimizer(variables: Variables, recipe: Recipe) {
  const adam = tf.train.adam(recipe.learningRate, 0.9, 0.98, 1e-8);
  const apply = (grads: tf.NamedTensorMap, step: number) =>
    tf.tidy(() => {
      const norm = tf.sqrt(tf.addN(Object.values(grads).map((g) => g.square().sum()))) as tf.Scalar;
      const factor = tf.minimum(1, tf.div(1, norm.add(1e-6)));
      const clipped = Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, g.mul(factor)]));
      const rate = learningRate(recipe, step);
      // protected in tfjs's types, which offer no schedule
      (adam as unknown as { learningRate: number }).learningRate = rate;
      for (const [name, variable] of variables)
        if (variable.rank > 1 && !/^w[tp]e/.test(name)) variable.assign(variable.mul(1 - rate * recipe.weightDecay));
      adam.applyGradients(clipped as Record<string, tf.Variable>); // its types ask for variables, it takes tensors
    });
  return { adam, apply };
}

const read = (tensor: tf.Tensor): TensorData => ({
  shape: tensor.shape,
  values: tensor.dataSync<"float32">().slice(),
});

/** Starts a run, or goes on with a saved one. Nothing but the arguments and the tfjs backend decides its outcome. */
export async function startTraining(
  lexicon: Lexicon,
  recipe: Recipe,
  seed: number,
  saved?: TrainingState,
): Promise<Training> {
  const config = modelConfig(recipe, lexicon.tokenizer.vocabSize, "embedded");
  const values = saved ? new Map(Object.entries(saved.weights)) : initialValues(config, unhashed(seed));
  const variables: Variables = new Map(
    [...values].map(([name, { values, shape }]) => [name, tf.variable(tf.tensor(values, shape as number[]))]),
  );
  const source = saved ? random(saved.random) : unhashed(seed + 1_000_003);
  const nextSequence = textSource(lexicon, recipe, source);
  const { adam, apply } = optimizer(variables, recipe);
  let step = saved?.step ?? 0;
  if (saved) {
    const tensors = saved.moments.map(({ values, shape }) => tf.tensor(values, shape as number[]));
    await adam.setWeights([tf.scalar(step, "int32"), ...tensors].map((tensor, i) => ({ name: `adam/${i}`, tensor })));
  }
  const model = () => modelFromTensors(config, (name) => variables.get(name)!);
  const advance = () => {
    const batch = Array.from({ length: recipe.batch }, nextSequence);
    const compute = () => loss(model(), batch, lexicon.tokenizer.bos);
    const { value, grads } = tf.variableGrads(compute, [...variables.values()]);
    apply(grads, step++);
    return value.dataSync()[0];
  };
  const state = async () => ({
    step,
    random: [...source.state()],
    weights: Object.fromEntries([...variables].map(([name, variable]) => [name, read(variable)])),
    moments: (await adam.getWeights()).slice(1).map(({ tensor }) => read(tensor)),
  });
  return {
    config,
    step: () => step,
    advance: () => tf.tidy(advance),
    model: () => tf.tidy(() => model() as never) as unknown as Model,
    state,
  };
}
