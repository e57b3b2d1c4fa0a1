/**
 * What a figure would cost, and into which parts to cut it. No weight is needed: how much of a plain forward the plan leaves of each point
 * doesn't depend on the width of a model, so it is counted on a narrow one; seconds come from matrix products of the true sizes.
 */
import * as tf from "@tensorflow/tfjs";
import { type Experiment, promptsFrom, type Span } from "../../src/experiments/measure";
import { checkpointShapes } from "../../src/load/checkpoint";
import { readConfig } from "../../src/load/load";
import { OFFICIAL_PROMPTS, resolveModel } from "../../src/load/resolve";
import { gpt2Tokenizer } from "../../src/load/tokenizer";
import { loadTokenizer } from "../../src/load/vocabulary-files";
import { initBackend } from "../../src/model/backend/choose";
import { modelBytes, WASM_BYTES } from "../../src/model/memory";
import type { ModelConfig } from "../../src/model/model";
import { reusable } from "../../src/model/plan";
import { range } from "../../src/numbers/lists";
import type { AcronymTask } from "../../src/prompts/acronym-task";
import { HELD_OUT, loadAcronyms } from "../../src/prompts/dataset";
import type { Prompts } from "../../src/prompts/task";
import { countKernels, totalFlop } from "../bench/kernels";
import { layerProducts, productRate } from "../bench/measure";
import { fastModel } from "../bench/model";
import { SHAPES } from "../checkpoint/shapes";
import { figureOf, firstOfLayers } from "./figures";
import type { Work } from "./options";
import type { Box } from "./parts";

/** Prompts and points on which the plan's share is counted. */
const [FEW, SAMPLES] = [4, 48];
/** Of the rate of single products, what whole figures reach (docs/performance.md: 140–240 of 330–420 GFLOP/s). */
const EFFICIENCY = 0.6;
/** Node, tfjs and what they allocate and don't give back at once, in bytes. */
const BASE = 400 * 2 ** 20;
/** What onnxruntime holds beside a model's matrices when it has packed them, as a multiple of them (docs/performance.md). */
const PACKED = 1.5;
/** Bytes of weights that a worker hashes, reads and processes in a second. */
const LOADED = 200e6;
/** Seconds in which Node and the library start. */
const START = 5;

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);

export interface Planned extends Box {
  /** Of its file: "s0-p0-50-x0-145". */
  readonly name: string;
  readonly minutes: number;
}

export interface Estimate {
  readonly figure: string;
  readonly backend: string;
  /** Of one permutation. */
  readonly points: number;
  /** Floating-point operations of a forward of one batch that skips nothing. */
  readonly forward_gflop: number;
  readonly gflop_per_second: number;
  /** What the plan leaves of a loop of such forwards. */
  readonly share: number;
  readonly hours: number;
  /** Of each process. */
  readonly memory_mb: number;
  /** Of it what is no tensor, and so not in WebAssembly's memory. */
  readonly outside_mb: number;
  readonly parts: readonly Planned[];
}

/** GPT-2's own sizes are known without a file. */
async function shapeOf(model: string): Promise<{ config: ModelConfig; folder?: string }> {
  const known = SHAPES[model === "gpt2" ? "gpt2-small" : model.replace(/^openai-community\//, "")];
  if (known) return { config: known };
  const folder = await resolveModel(model);
  return { config: readConfig(folder), folder };
}

/** Numbers in a layer's matrices. */
const layerWeights = ({ d_model, d_mlp }: ModelConfig): number => 4 * d_model ** 2 + 2 * d_model * d_mlp;

/** Of a forward of these prompts that skips nothing and reads three positions. */
function forwardFlop(config: ModelConfig, prompts: number): number {
  const { n_layers, n_heads, d_model, d_head } = config;
  const rows = 11 * prompts;
  const weights = layerWeights(config);
  return 2 * (n_layers * (rows * weights + 2 * prompts * n_heads * 11 * 11 * d_head) + prompts * 3 * d_model * 26);
}

/** GFLOP per second of a layer's products alone. */
function rate(config: ModelConfig, prompts: number): number {
  const products = layerProducts(11 * prompts, config);
  const flop = products.map(([m, k, n]) => 2 * m * k * n);
  const seconds = products.map((product, i) => flop[i] / productRate(product, 3));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b);
  return sum(flop) / sum(seconds);
}

/** Of a batch, in plain forwards: what its clean and corrupted runs take, and each of some points that stand for the ones around them. */
interface Shares {
  readonly opening: number;
  readonly samples: readonly number[];
}

/** Counts on a model of the same layers and heads, four numbers a head. */
function planShares(
  config: ModelConfig,
  data: Prompts<AcronymTask>,
  experimentOn: (model: ReturnType<typeof fastModel>) => Experiment<unknown, unknown>,
): Shares {
  const d_model = 4 * config.n_heads;
  const narrow = { ...config, d_head: 4, d_model, d_mlp: Math.ceil((d_model * config.d_mlp) / config.d_model) };
  const takeUses = countKernels();
  const { points, open } = experimentOn(fastModel(narrow));
  takeUses();
  const n = data.tokens.length;
  const opened = open({ prompts: promptsFrom(data, 0, n), rows: (all) => all.slice(0, n) });
  const plain = forwardFlop(narrow, n);
  let opening = totalFlop(takeUses()) / plain;
  const flopOf = (point: number) =>
    tf.tidy(() => {
      const values = "measure" in opened ? [opened.measure(points[point])] : opened.measureFrom(points, point);
      return { share: totalFlop(takeUses()) / plain, count: values.length };
    });
  const samples = sampled(points.length).map((point) => {
    const [first, again] = [flopOf(point), flopOf(point)];
    opening += Math.max(0, first.share - again.share); // the first of a letter makes its corrupted run
    return again.share / again.count;
  });
  opened.close?.();
  return { opening, samples };
}

/** Points in the middle of equal stretches. */
const sampled = (points: number): number[] => {
  const count = Math.min(SAMPLES, points);
  return range(count).map((i) => Math.floor(((i + 0.5) * points) / count));
};

/** Plain forwards that the points of a span take, without opening. */
function shareOf([first, end]: Span, points: number, samples: readonly number[]): number {
  const width = points / samples.length;
  return samples.reduce((sum, share, i) => {
    const overlap = Math.min(end, (i + 1) * width) - Math.max(first, i * width);
    return sum + share * Math.max(0, overlap);
  }, 0);
}

/** Spans of points that begin with a layer and take about so many plain forwards at most. */
function cutPoints(points: number, begins: readonly number[], most: number, samples: readonly number[]): Span[] {
  const spans: [number, number][] = [[0, points]];
  for (const begin of begins.slice(1)) {
    const next = begins[begins.indexOf(begin) + 1] ?? points;
    const [first] = spans.at(-1)!;
    if (shareOf([first, next], points, samples) <= most) continue;
    spans.at(-1)![1] = begin;
    spans.push([begin, points]);
  }
  return spans;
}

/**
 * Bytes that tensors take, and `all` that a process takes. Of a batch's clean and corrupted run what can be used again is kept, and as much again
 * for the points that run side by side.
 */
function memoryOf(config: ModelConfig, batch: number, backend: string) {
  const model = modelBytes([...checkpointShapes({ ...config, tie_word_embeddings: false }).values()]);
  const kept = 4 * reusable(config).length * batch * 11 * config.d_model;
  const computing = model.weights + 3 * kept;
  const packed = backend === "onnx" ? PACKED * 4 * config.n_layers * layerWeights(config) : 0;
  return { tensors: Math.max(model.peak, computing), all: BASE + Math.max(model.peak, computing + packed) };
}

/** Throws UsageError if the figure can't be measured in parts; as `resolveModel` of a model that is none of GPT-2's own. */
export async function estimate(work: Work, minutes: number): Promise<Estimate> {
  const figure = figureOf(work.figure);
  const backend = (await initBackend()).name;
  const { config, folder } = await shapeOf(work.model);
  const tokenizer = folder ? loadTokenizer(folder, config.d_vocab) : gpt2Tokenizer();
  const from = work.data === OFFICIAL_PROMPTS ? HELD_OUT : work.data; // any prompts cost the same
  const { n, seeds } = work;
  const batch = Math.min(work.batch, n);
  const speed = EFFICIENCY * rate(config, batch);
  const few = loadAcronyms(from, tokenizer, { n: Math.min(FEW, n), seed: 0 });
  const experimentOn = (model: ReturnType<typeof fastModel>) => figure.experiment(model, few, 0);
  const { opening, samples } = planShares(config, few, experimentOn);
  const all = experimentOn({ config } as ReturnType<typeof fastModel>).points;
  const flop = forwardFlop(config, batch);
  const minutesOf = (forwards: number) => (forwards * flop) / speed / 1e9 / 60;
  const whole = shareOf([0, all.length], all.length, samples) + opening;
  const memory = memoryOf(config, batch, backend);
  const load = (START + memory.tensors / LOADED) / 60;

  const mostForwards = Math.max(0, minutes - load - minutesOf(opening)) / minutesOf(1);
  const spans = cutPoints(all.length, firstOfLayers(all), mostForwards, samples);
  const batches = Math.ceil(n / batch);
  const together = spans.length > 1 ? 1 : Math.max(1, Math.floor((minutes - load) / minutesOf(whole)));
  const starts = range(Math.ceil(batches / together)).map((i) => i * together);
  const parts = range(seeds).flatMap((seed) =>
    starts.flatMap((start) =>
      spans.map((points): Planned => {
        const prompts: Span = [start * batch, Math.min(n, (start + together) * batch)];
        const forwards =
          (shareOf(points, all.length, samples) + opening) * Math.ceil((prompts[1] - prompts[0]) / batch);
        const name = `s${seed}-p${prompts.join("-")}-x${points.join("-")}`;
        return { name, seeds: [seed, seed + 1], prompts, points, minutes: load + minutesOf(forwards) };
      }),
    ),
  );
  return {
    figure: work.figure,
    backend,
    points: all.length,
    forward_gflop: flop / 1e9,
    gflop_per_second: speed,
    share: whole / all.length,
    hours: parts.reduce((sum, part) => sum + part.minutes, 0) / 60,
    memory_mb: megabytes(memory.all),
    outside_mb: megabytes(memory.all - memory.tensors),
    parts,
  };
}

export function estimateText(found: Estimate): string {
  const { figure, backend, points, forward_gflop, gflop_per_second, share, hours, memory_mb, outside_mb, parts } =
    found;
  const longest = Math.max(...parts.map((part) => part.minutes));
  const tooLarge = ["wasm", "onnx"].includes(backend) && memory_mb - outside_mb > megabytes(WASM_BYTES);
  return [
    `Figure ${figure}, an estimate (within about a factor of 2 on a free machine like this one; backend ${backend}):`,
    `  ${points} points for each permutation; a forward of one batch that skips nothing: ${forward_gflop.toFixed(1)} GFLOP; the plan leaves ${(100 * share).toFixed(0)}% of such a loop`,
    `  ${gflop_per_second.toFixed(0)} GFLOP/s here, from matrix products of these sizes`,
    `  ${hours.toFixed(2)} hours on one machine; ${(memory_mb / 1024).toFixed(1)} GB of memory for each process`,
    `  ${parts.length} ${parts.length === 1 ? "part" : "parts"} of at most ${longest.toFixed(1)} minutes, loading included`,
    ...(tooLarge
      ? [`  ${backend} computes in WebAssembly, which can have 4 GB: too little for this; use native (npm run native)`]
      : []),
  ].join("\n");
}
