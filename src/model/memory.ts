import * as tf from "@tensorflow/tfjs";
import { type HookName, layerOf, shapeOf } from "./hooks";
import { host, type Memory } from "./host";
import type { ForwardOptions, ModelConfig } from "./model";
import { BYTES, keptBytes, type Plan } from "./plan";

/** What WebAssembly can address; beyond it tfjs fails with "memory access out of bounds". */
export const WASM_BYTES = 4 * 2 ** 30;
/** Smaller forwards are not worth the question how much memory there is. */
const SMALL = 2 ** 28;
/** An activation's intermediate results (layer norm, gelu) beside itself. */
const TEMPORARIES = 3;

/** What a forward is asked for. */
interface Demand {
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

/** What the backend can still take, and what of it no other program has to give up. */
function room(): Memory {
  const { total, available } = host().memory();
  const used = tf.memory().numBytes;
  const limit = tf.getBackend() === "wasm" ? Math.min(WASM_BYTES, total) : total;
  return { total: Math.max(0, limit - used), available: Math.min(limit - used, available) };
}

/**
 * Refuses a forward that can't fit, before anything is computed; warns of one that other programs may have to make room for.
 * Throws a RangeError with an estimate and what to do.
 * @param memory by default what the backend can have
 */
export function checkMemory(demand: Demand, memory: () => Memory = room): void {
  const needed = bytesNeeded(demand);
  if (needed < SMALL) return;
  const most = memory();
  const fits = (bytes: number) => Math.floor((demand.batch * Math.max(0, bytes)) / needed);
  judge(
    needed,
    most,
    `${demand.batch} prompts in one forward of ${demand.config.name} need`,
    (bytes) =>
      `Give at most about ${fits(bytes)} at a time (experiments take \`batch\`), keep fewer activations, or read logits only where they are needed (\`readout\`).`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;

/** The largest need that was warned of: a sweep asks a thousand times. */
let warned = 0;

function judge(needed: number, { total, available }: Memory, what: string, advice: (bytes: number) => string): void {
  if (needed > total)
    throw new RangeError(
      `${what} about ${gigabytes(needed)} of memory; ${gigabytes(total)}${tf.getBackend() === "wasm" ? ` of the ${gigabytes(WASM_BYTES)} that WebAssembly can have` : ""} can be had. ${advice(total)}`,
    );
  if (needed <= available || needed <= warned) return;
  warned = needed;
  console.warn(
    `${what} about ${gigabytes(needed)} of memory; ${gigabytes(Math.max(0, available))} are available: it may be slow, or be ended by the system. ${advice(available)}`,
  );
}

/** Copies of its largest matrix that a model takes for a moment while it is read and processed. */
const COPIES = 3;

/** About how many bytes a model takes at most while it is read and processed: its weights in float32, and a few copies of one matrix. */
export function modelBytes(shapes: readonly (readonly number[])[]): {
  readonly weights: number;
  readonly peak: number;
} {
  const sizes = shapes.map((shape) => BYTES * shape.reduce((a, b) => a * b));
  const weights = sizes.reduce((a, b) => a + b);
  return { weights, peak: weights + COPIES * Math.max(...sizes) };
}

/**
 * Refuses a model that can't fit, before its weights are read; warns of one that other programs may have to make room for.
 * Throws a RangeError with an estimate and what to do.
 * @param shapes of its tensors
 */
export function checkModelFits(name: string, shapes: readonly number[][], memory: () => Memory = room): void {
  const native = tf.getBackend() === "wasm" ? ", use the native backend (npm run native)" : "";
  judge(
    modelBytes(shapes).peak,
    memory(),
    `${name} needs`,
    () =>
      `Free models that are no longer needed (disposeModel), close other programs${native}, or take a smaller model.`,
  );
}
