/** The figures that can be measured in parts: each is an experiment as a value, for each permutation of the prompts. */
import type { Experiment } from "../../src/experiments/measure";
import { patchExperiment } from "../../src/experiments/patching";
import { pathExperiment, type Receiver } from "../../src/experiments/path-patching";
import { bosSwapExperiment } from "../../src/experiments/word-swaps";
import { heatmap } from "../../src/figures/heatmap";
import type { Figure } from "../../src/figures/panels";
import { type HeadId, headOf } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { averageSeeds, PATCHING_FIGURES, patchingMap } from "../../src/paper/paper-patching";
import type { AcronymTask } from "../../src/prompts/acronym-task";
import { resample } from "../../src/prompts/corruption";
import type { Prompts } from "../../src/prompts/task";
import { UsageError } from "../validate/options";

/** A row of a figure: where, the change there, and its spread over prompts. */
export interface FigureRow {
  readonly letter: 1 | 2 | 3;
  readonly layer: number;
  readonly change: number;
  readonly std: number;
}

export interface PartsFigure {
  readonly what: string;
  /** Whether it depends on a permutation of the prompts. */
  readonly hasSeeds: boolean;
  /** Nothing is computed: `model` may lack weights as long as nothing is opened. */
  readonly experiment: (model: Model, data: Prompts<AcronymTask>, seed: number) => Experiment<unknown, FigureRow>;
  /** Rows of all seeds. */
  readonly draw: (rows: readonly FigureRow[]) => Figure;
}

const patching = (figure: string, what: string): PartsFigure => ({
  what,
  hasSeeds: true,
  experiment: (model, data, seed) =>
    patchExperiment(model, data, { ...PATCHING_FIGURES[figure], corrupted: resample(data, seed) }),
  draw: (rows) => patchingMap(averageSeeds(rows)),
});

const paths = (receiver: Receiver, what: string): PartsFigure => ({
  what,
  hasSeeds: true,
  experiment: (model, data, seed) => {
    const { rows, ...experiment } = pathExperiment(model, data, [receiver], { corrupted: resample(data, seed) });
    return { ...experiment, rows: (values) => rows(values).map(({ receiver: _, ...row }) => row) };
  },
  draw: (rows) => patchingMap(averageSeeds(rows)),
});

const FIGURES: Readonly<Record<string, PartsFigure>> = {
  "1": patching("fig01_res_1", "residual stream, current word"),
  "2": patching("fig02_attn_1", "heads, current word"),
  "4": patching("fig04_res_2", "residual stream, previous words"),
  "5": patching("fig05_attn_2_Ci", "heads at Ci, previous words"),
  "6": patching("fig06_attn_2_Ai_1", "heads at A(i-1), previous words"),
  "7": patching("fig07_res_3", "residual stream, previous letters"),
  "13": {
    what: "exchanged BOS attention",
    hasSeeds: false,
    experiment: (model, data) => bosSwapExperiment(model, data),
    draw: (rows) => {
      const panels = (rows as (FigureRow & HeadId & { pair: string })[]).map((row) => ({
        ...row,
        panel: `${row.pair}, letter ${row.letter}`,
      }));
      return heatmap(panels, { x: "head", y: "layer", value: "change", columns: "panel" });
    },
  },
  path: paths("logits", "path patching into the logits"),
};

/** `path-q-8.1-9.0`: into these heads' queries, keys or values. */
const PATH = /^path-([qkv])((?:-\d+\.\d+)+)$/;

const THERE_ARE = `there are ${Object.keys(FIGURES).join(", ")}, and path-q-8.1-9.0 (into the queries, keys (k) or values (v) of these heads)`;

/** Throws UsageError naming what can be measured in parts. */
export function figureOf(name: string): PartsFigure {
  if (Object.hasOwn(FIGURES, name)) return FIGURES[name];
  const [, input, list] = name.match(PATH) ?? [];
  if (list === undefined)
    throw new UsageError(
      `"${name}" can't be measured in parts; ${THERE_ARE}. Of the paper's others, 3, 9, 10, 11 and 12, 14, S take seconds (notebooks), 8 is in npm run validate:gpt2`,
    );
  const heads = list.slice(1).split("-").map(headOf);
  return paths({ heads, input: input as "q" | "k" | "v" }, `path patching into the ${input} of ${list.slice(1)}`);
}

/**
 * Points at which a part may begin: the first of a layer, or the unchanged run before them. Points of two layers are never computed side by
 * side, so such parts compute the same batches as the whole does.
 */
export function firstOfLayers(points: readonly unknown[]): number[] {
  const layers = points.map(layerOf);
  return layers.flatMap((layer, i) => {
    const before = layers[i - 1];
    return i === 0 || (before !== undefined && layer !== before) ? [i] : [];
  });
}

function layerOf(point: unknown): number | undefined {
  const { layer, point: inner, head } = (point ?? {}) as { layer?: number; point?: unknown; head?: unknown };
  if (layer !== undefined) return layer;
  const next = inner ?? head;
  return typeof next === "object" && next !== null ? layerOf(next) : undefined;
}
