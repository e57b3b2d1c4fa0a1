import * as tf from "@tensorflow/tfjs";
import type { Model, ModelConfig } from "../model/model";
import { type Random, random } from "../numbers/random";
import { checkpointShapes } from "./checkpoint";
import { checkRoomFor, modelFromTensors, PROCESSING } from "./process";
import type { TensorData } from "./safetensors";

/** GPT-2's initialisation: normal weights, those that write to the residual stream smaller by √(2 n_layers). */
export function initialValues(config: ModelConfig, { normal }: Random): Map<string, TensorData> {
  const values = ([name, shape]: [string, number[]]): [string, TensorData] => {
    const size = shape.reduce((a, b) => a * b);
    if (shape.length === 1)
      return [name, { shape, values: new Float32Array(size).fill(/ln_\w+\.weight$/.test(name) ? 1 : 0) }];
    const std = /c_proj/.test(name) ? 0.02 / Math.sqrt(2 * config.n_layers) : 0.02;
    return [name, { shape, values: Float32Array.from({ length: size }, () => std * normal()) }];
  };
  return new Map([...checkpointShapes(config)].map(values));
}

/**
 * A model of the same shape that has learned nothing: with the weights that GPT-2's training would begin with, processed
 * as the given model's are. What is found in it, too, needs no training and says nothing about what a model uses.
 * Throws a RangeError if there is too little memory for a second model, or the seed is no integer.
 */
export function untrained({ config, ln_final }: Model, seed: number): Model {
  const named = { ...config, name: `${config.name}, untrained` };
  checkRoomFor(named);
  const initial = initialValues(named, random(seed, "untrained"));
  const get = (name: string) => {
    const { shape, values } = initial.get(name)!;
    return tf.tensor(values, [...shape]);
  };
  return modelFromTensors(named, get, ln_final === null ? PROCESSING : []);
}
