/** Models of random weights, made fast: what is timed doesn't depend on the values. */
import * as tf from "@tensorflow/tfjs";
import { checkpointShapes } from "../../src/load/checkpoint";
import { modelFromTensors } from "../../src/load/process";
import type { Model, ModelConfig } from "../../src/model/model";

/** Uniform numbers with mean 0 and this standard deviation; from a seed (xorshift: fifty times faster than `random`). */
function uniform(size: number, std: number, seed: number): Float32Array {
  const values = new Float32Array(size);
  const scale = (std * Math.sqrt(12)) / 2 ** 32;
  let state = seed;
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state * scale;
  }
  return values;
}

/** A model as `loadModel` gives it, layer norms folded into the weights. */
export function fastModel(config: ModelConfig): Model {
  const shapes = checkpointShapes(config);
  let seed = 0;
  const get = (name: string) => {
    const size = shapes.get(name)!;
    const std = size.length === 1 ? 0.1 : /^w[tp]e/.test(name) ? 0.1 : 1 / Math.sqrt(size[0]);
    return tf.tensor(
      uniform(
        size.reduce((a, b) => a * b),
        std,
        ++seed,
      ),
      size,
    );
  };
  return tf.tidy(() => {
    const model = modelFromTensors(config, get);
    const blocks = model.blocks.map((block) => ({ ...block, ln1: null, ln2: null }));
    return { ...model, blocks, ln_final: null } as never;
  }) as Model;
}
