/** Our side: seconds, floating-point operations and memory of each figure. */
import * as tf from "@tensorflow/tfjs";
import { letterReadout } from "../../src/experiments/logit-difference";
import { BATCH } from "../../src/experiments/measure";
import { forward } from "../../src/model/forward";
import { disposeRun } from "../../src/model/model";
import { range } from "../../src/numbers/lists";
import type { Figure, Material } from "./figures";
import { type KernelUses, totalFlop } from "./kernels";

/** Seconds of something by the clock, its matrix products' floating-point operations, and all kernels used. */
export interface Work {
  readonly seconds: number;
  readonly flop: number;
  readonly kernels: KernelUses;
}

export interface Measured extends Work {
  readonly id: string;
  /** Largest resident memory of this process until the figure was done, in MB. */
  readonly peak_mb: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Largest resident memory of this process so far, in MB. */
export const peakMemory = (): number => process.resourceUsage().maxRSS / 1024;

async function timed(task: () => unknown, takeUses: () => KernelUses): Promise<Work> {
  takeUses();
  const start = performance.now();
  await task();
  const seconds = (performance.now() - start) / 1000;
  const kernels = takeUses();
  return { seconds, flop: totalFlop(kernels), kernels };
}

/** Makes one figure, whole. */
export async function measureFigure(
  { id, make }: Figure,
  material: Material,
  takeUses: () => KernelUses,
): Promise<Measured> {
  const work = await timed(() => make(material), takeUses);
  return { id, ...work, peak_mb: peakMemory() };
}

/** A run that skips nothing: every layer and position of every prompt, then the letters' logits. The first, untimed one warms up. */
export async function measureForward({ model, data }: Material, takeUses: () => KernelUses): Promise<Work> {
  const starts = range(Math.ceil(data.tokens.length / BATCH)).map((batch) => batch * BATCH);
  const run = () => {
    for (const start of starts)
      disposeRun(
        forward(model, data.tokens.slice(start, start + BATCH), { readout: letterReadout(data), plan: false }),
      );
  };
  run();
  const works = [await timed(run, takeUses), await timed(run, takeUses), await timed(run, takeUses)];
  return { ...works[0], seconds: median(works.map(({ seconds }) => seconds)) };
}

/** One matrix product's size: rows × summed × columns. */
type Product = readonly [number, number, number];

/** The products of a layer with `rows` rows: queries, keys and values; output; into the MLP; out of it. */
export const layerProducts = (rows: number, { d_model, d_mlp }: { d_model: number; d_mlp: number }): Product[] => [
  [rows, d_model, 3 * d_model],
  [rows, d_model, d_model],
  [rows, d_model, d_mlp],
  [rows, d_mlp, d_model],
];

/** What this machine and backend reach on each of a layer's matrix products alone, all rows of n prompts, in GFLOP/s: the fastest of ten. */
export function measureRates({ model, data }: Material): Record<string, number> {
  const rows = data.tokens.length * data.tokens[0].length;
  return Object.fromEntries(
    layerProducts(rows, model.config).map(([m, k, n]) => [`${m}×${k} · ${k}×${n}`, productRate([m, k, n])]),
  );
}

/** GFLOP/s of one product: the fastest of so many. */
export function productRate([m, k, n]: Product, times = 10): number {
  return tf.tidy(() => {
    const [a, b] = [tf.fill([m, k], 0.5), tf.fill([k, n], 0.5)];
    const once = () => {
      const start = performance.now();
      const product = tf.matMul(a, b);
      product.slice([0, 0], [1, 1]).dataSync(); // a backend that computes later has done so now
      product.dispose();
      return (performance.now() - start) / 1000;
    };
    once();
    return (2 * m * k * n) / Math.min(...range(times).map(once)) / 1e9;
  });
}
