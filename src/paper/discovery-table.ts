/** Of `npm run discovery-table`, which takes about an hour: what notebook 11 reads instead of measuring it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { everySubset } from "../discovery/head-subsets";
import type { Ablation } from "../experiments/circuit-evaluation";
import { dataFolder, EMBEDDED_MODEL } from "../load/resolve";
import { sha256 } from "../load/sha256";
import type { Model, Tokens } from "../model/model";
import type { Prompts } from "../prompts/task";

export const DISCOVERY_TABLE = join(dataFolder, "discovery", "embedded.json");

/** The circuit that ACDC leaves at one threshold. */
export interface AcdcRow {
  /** In logits. */
  readonly threshold: number;
  /** By index in `edgeGraph(config).edges`. */
  readonly edges: readonly number[];
  readonly seconds: number;
}

/** Every subset of the embedded model's heads, and what takes long of its edges. */
export interface DiscoveryTable {
  /** Prompts of data/acronyms/held-out.txt, and the seed that chose and mixed them. */
  readonly n: number;
  readonly seed: number;
  /** SHA-256 of the model's file, and of the prompts' tokens with the corrupted ones. */
  readonly model: string;
  readonly prompts: string;
  /** Logit difference of every subset of heads, mean over prompts and letters, by the subset's number; all others ablated. */
  readonly levels: { readonly mean: readonly number[]; readonly resample: readonly number[] };
  readonly acdc: readonly AcdcRow[];
}

type Packed = Omit<DiscoveryTable, "levels"> & {
  readonly levels: { readonly mean: string; readonly resample: string };
};

/** Levels are kept to this many logits. */
export const LEVEL_STEP = 0.005;

/** As text: in steps, high bytes and low bytes apart, deflated. */
export function packLevels(levels: readonly number[]): string {
  const steps = Int16Array.from(levels, (level) => Math.round(level / LEVEL_STEP));
  const bytes = new Uint8Array(2 * steps.length);
  for (const [i, step] of steps.entries()) {
    bytes[i] = (step >> 8) & 255;
    bytes[steps.length + i] = step & 255;
  }
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

/** What `packLevels` packed, to half a step. */
export function unpackLevels(text: string): number[] {
  const bytes = inflateRawSync(Buffer.from(text, "base64"));
  const count = bytes.length / 2;
  return Array.from({ length: count }, (_, i) => LEVEL_STEP * (((bytes[i] << 24) >> 16) | bytes[count + i]));
}

export const packTable = ({ levels, acdc, ...rest }: DiscoveryTable): string =>
  `${JSON.stringify({ ...rest, levels: { mean: packLevels(levels.mean), resample: packLevels(levels.resample) }, acdc } satisfies Packed)}\n`;

/** The committed table. */
export function discoveryTable(): DiscoveryTable {
  const { levels, ...rest } = JSON.parse(readFileSync(DISCOVERY_TABLE, "utf8")) as Packed;
  return { ...rest, levels: { mean: unpackLevels(levels.mean), resample: unpackLevels(levels.resample) } };
}

/** Of what a table was measured on. */
export const promptsHash = ({ tokens, answerLetters }: Prompts, corrupted: readonly (readonly number[])[]): string =>
  sha256(JSON.stringify([tokens, answerLetters, corrupted]));

/** Heads whose subsets are measured at once, without a table. */
const FEW_HEADS = 8;

/** Levels of every subset of heads, by both ablations, and where they come from. */
export interface SubsetLevels {
  readonly levels: DiscoveryTable["levels"];
  readonly from: string;
}

/**
 * Of the embedded model from the committed table, of a model with at most eight heads measured now; of others there are none: null.
 * Throws as `everySubset`.
 */
export async function subsetLevels(
  modelId: string,
  model: Model,
  data: Prompts,
  options: { readonly corrupted: Tokens },
): Promise<SubsetLevels | null> {
  if (modelId === EMBEDDED_MODEL) {
    const { levels, n, seed } = discoveryTable();
    return { levels, from: `the committed table, ${n} prompts of seed ${seed}` };
  }
  if (model.config.n_layers * model.config.n_heads > FEW_HEADS) return null;
  const of = (ablation: Ablation) => everySubset(model, data, { ...options, ablation });
  const levels = { mean: await of("mean"), resample: await of("resample") };
  return { levels, from: `measured now, ${data.tokens.length} prompts` };
}

/** ACDC's circuits of the embedded model, from the committed table; of another model none. */
export const acdcCircuits = (modelId: string): readonly AcdcRow[] =>
  modelId === EMBEDDED_MODEL ? discoveryTable().acdc : [];
