/** A part of a figure as a file: its values prompt by prompt, with everything that they depend on. */
import { existsSync, readFileSync } from "node:fs";
import { measureAll, type Span } from "../../src/experiments/measure";
import { type ProgressOption, partOf, reporter } from "../../src/experiments/progress";
import type { Model, ModelConfig } from "../../src/model/model";
import { range } from "../../src/numbers/lists";
import { ACRONYMS, type AcronymTask } from "../../src/prompts/acronym-task";
import type { Prompts } from "../../src/prompts/task";
import { writeWhole } from "../../src/show/whole-file";
import { figureOf } from "./figures";

const FORMAT = "acronym-circuit: part of a figure, 1";

/** What the whole figure's values depend on: parts of one figure have it in common. */
export interface Whole {
  readonly format: typeof FORMAT;
  /** As on the command line: "2". */
  readonly figure: string;
  /** `sha256`: of its config.json and weights. */
  readonly model: { readonly sha256: string; readonly config: ModelConfig };
  readonly prompts: {
    /** Of the rest of this table. */
    readonly sha256: string;
    readonly tokens: number[][];
    readonly answerLetters: number[][];
    readonly letters: readonly number[];
  };
  /** Permutations 0 … seeds − 1. */
  readonly seeds: number;
  /** Points of the figure, of each permutation. */
  readonly points: number;
  /** Prompts in one forward. */
  readonly batch: number;
  readonly backend: string;
  /** Of this library. */
  readonly version: string;
}

/** Which of the whole's values a part has. */
export interface Box {
  readonly seeds: Span;
  readonly prompts: Span;
  readonly points: Span;
}

export interface Part {
  readonly whole: Whole;
  readonly box: Box;
  /** For people: what was asked for, and what it took. Nothing depends on it. */
  readonly notes: Readonly<Record<string, string | number>>;
  /** Numbers measured at a point of a prompt. */
  readonly columns: number;
  /** `[seed][point][prompt][column]`, one after another. */
  readonly values: readonly number[];
}

/** Names under which parts are told apart, in the order in which they are compared. */
const COMMON: readonly (readonly [string, (whole: Whole) => unknown])[] = [
  ["figure", ({ figure }) => figure],
  ["model (hash of its weights)", ({ model }) => model.sha256],
  ["model's shape", ({ model: { config } }) => JSON.stringify({ ...config, name: "" })],
  ["number of prompts", ({ prompts }) => prompts.tokens.length],
  ["prompts (their hash)", ({ prompts }) => prompts.sha256],
  ["number of seeds", ({ seeds }) => seeds],
  ["number of points", ({ points }) => points],
  ["batch", ({ batch }) => batch],
  ["backend", ({ backend }) => backend],
  ["version of the library", ({ version }) => version],
];

/** What two wholes differ in: "batch: 50, not 25"; "" if in nothing. */
export function difference(found: Whole, expected: Whole): string {
  const parts = COMMON.filter(([, of]) => of(found) !== of(expected));
  return parts.map(([name, of]) => `${name}: ${of(found)}, not ${of(expected)}`).join("; ");
}

export const boxText = ({ seeds, prompts, points }: Box): string =>
  `seeds ${seeds.join(":")}, prompts ${prompts.join(":")}, points ${points.join(":")}`;

/** Measurements in it: seeds × prompts × points. */
export const sizeOf = ({ seeds, prompts, points }: Box): number =>
  [seeds, prompts, points].reduce((size, [first, end]) => size * (end - first), 1);

export const boxOfWhole = ({ seeds, prompts, points }: Whole): Box => ({
  seeds: [0, seeds],
  prompts: [0, prompts.tokens.length],
  points: [0, points],
});

export const promptsOf = ({ prompts: { tokens, answerLetters, letters } }: Whole): Prompts<AcronymTask> => ({
  task: ACRONYMS,
  tokens,
  answerLetters,
  letters,
});

export const newWhole = (whole: Omit<Whole, "format">): Whole => ({ format: FORMAT, ...whole });

/** The experiment of one permutation. Without a model it can't be opened, but says its points and makes rows. */
export function experimentOf(whole: Whole, seed: number, model?: Model) {
  const { config } = whole.model;
  return figureOf(whole.figure).experiment(model ?? ({ config } as Model), promptsOf(whole), seed);
}

/** Measures a part. Throws RangeError if a span of the box isn't there or cuts a batch, and as `measureAll`. */
export async function measurePart(
  model: Model,
  whole: Whole,
  box: Box,
  progress?: ProgressOption,
): Promise<Pick<Part, "columns" | "values">> {
  const report = reporter(progress);
  const seeds = range(box.seeds[1] - box.seeds[0]);
  const values: number[][][][] = [];
  for (const i of seeds) {
    const { prompts, points, open } = experimentOf(whole, box.seeds[0] + i, model);
    const options = { batch: whole.batch, only: box, progress: partOf(report, i, seeds.length) };
    values.push(await measureAll(prompts, points, open, options));
  }
  return { columns: values[0][0][0].length, values: values.flat(3) };
}

/** Whole or not at all. Throws Error if it can't be written, e.g. because the disk is full. */
export const writePart = (file: string, part: Part): void => writeWhole(file, `${JSON.stringify(part)}\n`);

/** Throws Error naming the file if it is no part, is cut off, or has not as many finite values as it should. */
export function readPart(file: string): Part {
  const part = parsed(file);
  if (part?.whole?.format !== FORMAT) throw new Error(`${file} is not a part of a figure ("${FORMAT}")`);
  const expected = sizeOf(part.box) * part.columns;
  if (part.values.length !== expected || !part.values.every(Number.isFinite))
    throw new Error(
      `${file} has ${part.values.length} values, not the ${expected} finite ones of ${boxText(part.box)}; measure it anew`,
    );
  return part;
}

function parsed(file: string): Part {
  if (!existsSync(file)) throw new Error(`${file}: there is no such file`);
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} can't be read as a part of a figure: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Whether the file has this very part already. Throws Error if it has anything else: that is never written over.
 */
export function isThere(file: string, whole: Whole, box: Box): boolean {
  if (!existsSync(file)) return false;
  const found = readPart(file);
  const differs = difference(found.whole, whole) || (boxText(found.box) === boxText(box) ? "" : boxText(found.box));
  if (differs)
    throw new Error(`${file} is there already and is another part (${differs}); give another --out, or delete it`);
  return true;
}
