import * as tf from "@tensorflow/tfjs";
import { type HookName, layerOf, shapeOf } from "./hooks";
import { host } from "./host";
import type { ForwardOptions, ModelConfig } from "./model";
import { BYTES, keptBytes, type Plan } from "./plan";

/** What WebAssembly can address; beyond it tfjs fails with "memory access out of bounds". */
const WASM_BYTES = 4 * 2 ** 30;
/** Smaller forwards are not worth the question how much memory there is. */
const SMALL = 2 ** 28;
/** An activation's intermediate results (layer norm, gelu) beside itself. */
const TEMPORARIES = 3;

/** What a forward is asked for. */
export interface Demand {
  readonly config: ModelConfig;
  /** Prompts, each as often as there are points. */
  readonly batch: number;
  readonly plan: Plan;
  readonly readout: ForwardOptions["readout"];
}

/** About how many bytes a forward takes at its widest: what it keeps, its logits, and the activations of one layer. */
export function bytesNeeded({ config, batch, plan, readout = "all" }: Demand): number {
  const size = (name: HookName, rows: number) =>
    (BYTES * rows * shapeOf(name, { ...config, batch, length: plan.length }).reduce((a, b) => a * b)) / plan.length;
  const layers = new Map<number, number>();
  for (const [name, rows] of plan.computed)
    layers.set(layerOf(name), (layers.get(layerOf(name)) ?? 0) + TEMPORARIES * size(name, rows.length));
  const [positions, vocab] =
    readout === "all"
      ? [plan.length, config.d_vocab]
      : readout === "none"
        ? [0, 0]
        : [readout.positions.length, readout.vocab.length];
  return keptBytes(plan, config, batch) + BYTES * batch * positions * vocab + Math.max(0, ...layers.values());
}

/**
 * Refuses a forward that would not fit, before anything is computed.
 * @param available bytes; by default what the backend can still take
 * @throws RangeError with an estimate and what to do
 */
export function checkMemory(demand: Demand, available: () => number = bytesFree): void {
  const needed = bytesNeeded(demand);
  if (needed < SMALL) return;
  const free = available();
  if (needed <= free) return;
  const fits = Math.floor((demand.batch * free) / needed);
  throw new RangeError(
    `${demand.batch} prompts in one forward of ${demand.config.name} need about ${gigabytes(needed)}; ${gigabytes(free)} are free. ` +
      `Give at most about ${fits} at a time (experiments take \`batch\`), keep fewer activations, or read logits only where they are needed (\`readout\`).`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;

/** Copies of its largest matrix that a model takes for a moment while it is read and processed. */
const COPIES = 3;

/**
 * Refuses a model that would not fit, before its weights are read.
 * @param shapes of its tensors
 * @throws RangeError with an estimate and what to do
 */
export function checkModelFits(name: string, shapes: readonly number[][], available: () => number = bytesFree): void {
  const sizes = shapes.map((shape) => BYTES * shape.reduce((a, b) => a * b));
  const needed = sizes.reduce((a, b) => a + b) + COPIES * Math.max(...sizes);
  const free = available();
  if (needed <= free) return;
  const [limit, advice] =
    tf.getBackend() === "wasm"
      ? [` of the ${gigabytes(WASM_BYTES)} that WebAssembly can have`, ", use the native backend (npm run native)"]
      : ["", ""];
  throw new RangeError(
    `${name} needs about ${gigabytes(needed)} of memory; ${gigabytes(free)}${limit} are free. ` +
      `Free models that are no longer needed (disposeModel), close other programs${advice}, or take a smaller model.`,
  );
}

const bytesFree = (): number =>
  tf.getBackend() === "wasm" ? Math.min(WASM_BYTES - tf.memory().numBytes, host().freeMemory()) : host().freeMemory();
