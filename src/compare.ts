import { type Claim, claim } from "./claims";
import { mean, meanAndStd } from "./metrics";
import type { Model } from "./model";
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
}

/** Whether the paper's numbers are about a model of this shape: GPT-2 Small's. */
export const isGpt2Small = ({ config }: Model): boolean =>
  config.n_layers === 12 && config.n_heads === 12 && config.d_model === 768 && config.d_vocab === 50257;

const STRONG = 0.1;
/** Standard errors that count as chance. */
const ERRORS = 3;

const keyOf = (byPanel: boolean, cell: Partial<MeasuredCell> | PaperRow): string =>
  [byPanel ? cell.panel : cell.letter, cell.x, cell.y ?? "", cell.series ?? ""].join(" | ");

/**
 * Measured cells against a digitised figure. A cell agrees if it is within the reading's uncertainty plus three standard
 * errors, from the spread over seeds (the paper's permutations are unknown) and over prompts (so is its n).
 * @throws if no cell has a counterpart in the figure
 */
export function compareWithPaper(figure: string, measured: readonly MeasuredCell[]): Comparison {
  const rows = paperFigure(figure).rows.filter(({ value }) => value !== null);
  const byPanel = measured.some(({ panel }) => panel !== undefined);
  const groups = new Map<string, MeasuredCell[]>();
  for (const cell of measured) {
    const key = keyOf(byPanel, cell);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
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
  const strong = cells.filter((cell) => cell.strong);
  const excess = ({ measured: m, paper, tolerance }: { measured: number; paper: number; tolerance: number }) =>
    Math.abs(m - paper) - tolerance;
  const { cell, measured: value, paper, tolerance } = cells.reduce((a, b) => (excess(b) > excess(a) ? b : a));
  return {
    figure,
    cells: cells.length,
    agree: cells.filter(({ agrees }) => agrees).length,
    strong: strong.length,
    strong_agree: strong.filter(({ agrees }) => agrees).length,
    worst: { cell, measured: value, paper, tolerance },
  };
}

function compareCell(cell: string, { value, uncertainty }: PaperRow, found: readonly MeasuredCell[], strong: boolean) {
  const measured = mean(found.map((f) => f.value));
  const overSeeds = meanAndStd(found.map((f) => f.value)).std;
  const overPrompts = mean(found.map(({ std = 0, n = 1 }) => std / Math.sqrt(n)));
  const tolerance = (uncertainty ?? 0) + ERRORS * Math.hypot(overSeeds, overPrompts);
  return { cell, measured, paper: value!, tolerance, strong, agrees: Math.abs(measured - value!) <= tolerance };
}

/** The claim that a figure of the paper is reproduced: every strong cell agrees, and 95 of 100 of all. */
export function paperFigureClaim(figure: string, measured: readonly MeasuredCell[]): Claim {
  const { cells, agree, strong, strong_agree, worst } = compareWithPaper(figure, measured);
  const passed = strong_agree === strong && agree >= 0.95 * cells;
  const far = `furthest off: ${worst.cell}: ${worst.measured.toFixed(3)} here, ${worst.paper.toFixed(3)} in the paper, tolerance ${worst.tolerance.toFixed(3)}`;
  return claim(
    `agrees with the paper's ${figure}`,
    passed,
    `${strong_agree} of ${strong} strong cells, ${agree} of ${cells} of all; ${far}`,
  );
}
