import { EMBEDDED_MODEL } from "../load/resolve";
import type { Model, ModelConfig } from "../model/model";
import { checkFinite } from "../numbers/check";
import { groupBy } from "../numbers/rows";
import { mean, meanAndStd } from "../numbers/statistics";
import { type Claim, claim } from "../show/claims";
import { type PaperRow, paperFigure } from "./paper";

/** One measured cell, bar or point, named as the paper's figure names it. Give one per seed: their spread becomes tolerance. */
export interface MeasuredCell {
  /** By letter or, where the figure has other panels, by panel. */
  readonly letter?: number | null;
  readonly panel?: string;
  readonly x: string | number;
  readonly y?: string | number | null;
  readonly series?: string | null;
  readonly value: number;
  /** Over prompts, and how many they were: gives the error of the mean. */
  readonly std?: number;
  readonly n?: number;
}

export interface Comparison {
  readonly figure: string;
  /** Cells compared, and those that agree. */
  readonly cells: number;
  readonly agree: number;
  /** The same for strong cells: at least a tenth of the figure's largest |value|. Most others are about 0 in any model. */
  readonly strong: number;
  readonly strong_agree: number;
  readonly worst: {
    readonly cell: string;
    readonly measured: number;
    readonly paper: number;
    readonly tolerance: number;
  };
  /** Whether a model in which nothing happens (all cells 0) would not agree. If it would, agreement tells nothing. */
  readonly decisive: boolean;
}

const GPT2_SMALL = { n_layers: 12, n_heads: 12, d_model: 768, d_vocab: 50257 } as const;

/** In what a model's shape differs from GPT-2 Small's: "n_layers is 4, not 12"; empty if in nothing. */
export function gpt2SmallMismatch(config: ModelConfig): string {
  const sizes = Object.entries(GPT2_SMALL) as [keyof typeof GPT2_SMALL, number][];
  const others = sizes.filter(([name, size]) => config[name] !== size);
  return others.map(([name, size]) => `${name} is ${config[name]}, not ${size}`).join("; ");
}

/** Whether the paper's numbers are about a model of this shape: GPT-2 Small's. */
export const isGpt2Small = ({ config }: Model): boolean => gpt2SmallMismatch(config) === "";

/** What a notebook claims of one model alone, worked out if it is that one. */
export interface ClaimsByModel {
  /** What the notebook's text says of the embedded model, which it was written about. */
  readonly embedded: () => readonly Claim[];
  /** What the paper says of GPT-2 Small. */
  readonly gpt2?: () => readonly Claim[] | Promise<readonly Claim[]>;
}

/** The claims about this model alone: of a third model none are made. What holds for every model belongs beside them. */
export async function claimsAbout(
  modelId: string,
  model: Model,
  { embedded, gpt2 }: ClaimsByModel,
): Promise<readonly Claim[]> {
  if (modelId === EMBEDDED_MODEL) return embedded();
  return gpt2 && isGpt2Small(model) ? gpt2() : [];
}

const STRONG = 0.1;
/** Standard errors that count as chance. */
export const STANDARD_ERRORS = 3;

const keyOf = (byPanel: boolean, cell: Partial<MeasuredCell> | PaperRow): string =>
  [byPanel ? cell.panel : cell.letter, cell.x, cell.y ?? "", cell.series ?? ""].join(" | ");

/**
 * Measured cells against a digitised figure. A cell agrees if it is within the reading's uncertainty plus three standard
 * errors, from the spread over seeds (the paper's permutations are unknown) and over prompts (so is its n).
 * Throws if no cell has a counterpart in the figure; RangeError if a measured value is not finite.
 */
export function compareWithPaper(figure: string, measured: readonly MeasuredCell[]): Comparison {
  const rows = paperFigure(figure).rows.filter(({ value }) => value !== null);
  const byPanel = measured.some(({ panel }) => panel !== undefined);
  const groups = groupBy(measured, (cell) => keyOf(byPanel, cell));
  for (const [key, cells] of groups)
    for (const { value, std = 0 } of cells) {
      checkFinite(`${figure}, cell "${key}": measured value`, value);
      checkFinite(`${figure}, cell "${key}": std`, std);
    }
  const largest = Math.max(...rows.map(({ value }) => Math.abs(value!)));
  const cells = rows.flatMap((row) => {
    const key = keyOf(byPanel, row);
    const found = groups.get(key);
    return found ? [compareCell(key, row, found, Math.abs(row.value!) >= STRONG * largest)] : [];
  });
  if (cells.length === 0)
    throw new Error(
      `no measured cell has a counterpart in ${figure}; its first is "${keyOf(byPanel, rows[0])}", ours is "${[...groups.keys()][0]}"`,
    );
  const excess = ({ measured: m, paper, tolerance }: { measured: number; paper: number; tolerance: number }) =>
    Math.abs(m - paper) - tolerance;
  const { cell, measured: value, paper, tolerance } = cells.reduce((a, b) => (excess(b) > excess(a) ? b : a));
  return {
    figure,
    ...counts(cells),
    worst: { cell, measured: value, paper, tolerance },
    decisive: !isReproduced(counts(cells.map((one) => ({ ...one, measured: 0 })))),
  };
}

type Cell = ReturnType<typeof compareCell>;
type Counts = Pick<Comparison, "cells" | "agree" | "strong" | "strong_agree">;

function counts(cells: readonly Cell[]): Counts {
  const agreeing = (some: readonly Cell[]) =>
    some.filter(({ measured, paper, tolerance }) => Math.abs(measured - paper) <= tolerance).length;
  const strong = cells.filter((cell) => cell.strong);
  return { cells: cells.length, agree: agreeing(cells), strong: strong.length, strong_agree: agreeing(strong) };
}

/** Every strong cell agrees, and 95 of 100 of all. */
const isReproduced = ({ cells, agree, strong, strong_agree }: Counts): boolean =>
  strong_agree === strong && agree >= 0.95 * cells;

function compareCell(cell: string, { value, uncertainty }: PaperRow, found: readonly MeasuredCell[], strong: boolean) {
  const measured = mean(found.map((f) => f.value));
  const overSeeds = meanAndStd(found.map((f) => f.value)).std;
  const overPrompts = mean(found.map(({ std = 0, n = 1 }) => std / Math.sqrt(n)));
  const tolerance = (uncertainty ?? 0) + STANDARD_ERRORS * Math.hypot(overSeeds, overPrompts);
  return { cell, measured, paper: value!, tolerance, strong };
}

export interface FigureClaimOptions {
  /** Every cell of the figure must be measured and agree: for what depends on weights alone. Default: all strong ones, 95 of 100 of the others. */
  readonly everyCell?: boolean;
}

/**
 * The claim that a figure of the paper is reproduced. It fails also where so few prompts were measured that a model in
 * which nothing happens would agree as well.
 */
export function paperFigureClaim(
  figure: string,
  measured: readonly MeasuredCell[],
  { everyCell = false }: FigureClaimOptions = {},
): Claim {
  const found = compareWithPaper(figure, measured);
  const { cells, agree, strong, strong_agree, worst, decisive } = found;
  const all = everyCell ? paperFigure(figure).rows.filter(({ value }) => value !== null).length : cells;
  const passed = decisive && (everyCell ? agree === all : isReproduced(found));
  const far = `furthest off: ${worst.cell}: ${worst.measured.toFixed(3)} here, ${worst.paper.toFixed(3)} in the paper, tolerance ${worst.tolerance.toFixed(3)}`;
  const vague = decisive ? "" : "; too few prompts to tell: a model in which nothing happens would agree as well";
  return claim(
    `agrees with the paper's ${figure}`,
    passed,
    `${strong_agree} of ${strong} strong cells, ${agree} of ${all} of all; ${far}${vague}`,
  );
}

/** Measured cells by the name of the figure that they belong to. */
export type MeasuredFigures = Readonly<Record<string, readonly MeasuredCell[]>>;

/** A claim for each figure, see `paperFigureClaim`. */
export const figureClaims = (figures: MeasuredFigures, options?: FigureClaimOptions): Claim[] =>
  Object.entries(figures).map(([name, cells]) => paperFigureClaim(name, cells, options));
