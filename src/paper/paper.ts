import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CircuitHeads } from "../groups/classify";
import type { HeadId } from "../model/heads";
import { nearest } from "../numbers/text";
import type { Letter } from "../prompts/positions";

/** One number read off a figure of the paper. What couldn't be read is null. */
export interface PaperRow {
  /** Title of the panel: "First Letter", "|_X| -> |X|", "4.11". */
  readonly panel: string;
  /** The letter the panel is about, where it is about one. */
  readonly letter: Letter | null;
  /** Column of a heat map, bar, point of a line, or abscissa of a scatter plot (attention probability). */
  readonly x: string | number;
  /** Row of a heat map; null in the other kinds. */
  readonly y: string | number | null;
  /** Experiment of a bar ("Swap POS"), token of a scatter plot's marker ("C1"); else null. */
  readonly series: string | null;
  readonly value: number | null;
  /** Standard deviation over prompts, where an error bar was drawn. */
  readonly std: number | null;
  /** The reading is right to ± this. */
  readonly uncertainty: number | null;
}

/** One figure of the paper's repository as rows, digitised from its PDF. */
export interface PaperFigure {
  /** "fig01_res_1". */
  readonly name: string;
  /** Its number in the paper, with how sure that is. */
  readonly figure: string;
  readonly description: string;
  /** Unit of `value`. */
  readonly units: string;
  /** The official script that draws it. */
  readonly source_script: string;
  readonly rows: PaperRow[];
}

/** A statement of the paper or its code, with its source. `value` is null if it could not be recovered. */
export interface PaperClaim {
  readonly claim: string;
  readonly value: unknown;
  readonly source: string;
  readonly certainty: string;
}

/** How well GPT-2 Small does on the paper's prompts. */
export interface PaperBehaviour {
  /** Mean of the right letter's logit − the largest wrong capital's (logits), for letters 1, 2, 3. */
  readonly logit_diff: number[];
  /** Of each of the three, in logits. */
  readonly logit_diff_uncertainty: number;
  /** Share of prompts whose third letter is the likeliest token. From the same author's later repository: other draws of prompts. */
  readonly third_letter_accuracy: number;
  /** Smallest and largest value over those draws. */
  readonly third_letter_accuracy_range: number[];
}

const PAPER = join(__dirname, "../..", "data", "paper");

/** Names of the digitised figures: "fig01_res_1", … */
export function paperFigureNames(): string[] {
  const files = readdirSync(PAPER).filter((file) => /^fig.*\.json$/.test(file));
  return files.map((file) => file.replace(/\.json$/, "")).sort();
}

/**
 * A figure of the paper as rows.
 * Throws a RangeError if there is no such figure, naming those there are.
 */
export function paperFigure(name: string): PaperFigure {
  const names = paperFigureNames();
  if (!names.includes(name))
    throw new RangeError(
      `"${name}" is not a digitised figure; near names: ${nearest(name, names, 3).join(", ")}; there are ${names.join(", ")}`,
    );
  const file = readPaper<FigureFile>(name);
  const { figure, description, units, source_script } = file;
  return { name, figure, description, units, source_script, rows: file.panels.flatMap((panel) => rowsOf(panel, file)) };
}

/** The paper's statements and how certain each is. */
export function paperClaims(): PaperClaim[] {
  return readPaper<PaperClaim[]>("claims");
}

/** The paper's circuit: what a classification of one's own is compared with. */
export function paperHeads(): CircuitHeads {
  const heads = (claim: string) => (claimed(claim) as string[]).map(parseHead);
  return {
    letter_movers: heads("Letter Mover Heads"),
    fuzzy_previous_token: heads("Fuzzy Previous Token Heads"),
    propagation: heads("third group"),
    circuit: heads("heads"),
  };
}

/** GPT-2 Small's clean logit difference (the dashed lines of figure 8) and third-letter accuracy. */
export function paperBehaviour(): PaperBehaviour {
  const evaluation = readPaper<FigureFile>("fig08_evaluation");
  const { values, mean } = readPaper<{ full_model_third_letter_top1_accuracy: { values: number[]; mean: number } }>(
    "secondary_circuit-extraction",
  ).full_model_third_letter_top1_accuracy;
  return {
    logit_diff: evaluation.panels.map((panel) => (panel as LinePanel).clean_logit_diff_dashed),
    logit_diff_uncertainty: evaluation.uncertainty.reading!,
    third_letter_accuracy: mean,
    third_letter_accuracy_range: [Math.min(...values), Math.max(...values)],
  };
}

interface HeatmapPanel {
  facet: string;
  values: (number | null)[][];
  uncertainty: (number | null)[][];
}
interface BarPanel {
  letter: Letter;
  bars: { token: string; experiment?: string; mean: number | null; std: number | null }[];
}
interface LinePanel {
  letter: Letter;
  clean_logit_diff_dashed: number;
  points: { component_added: string; mean: number | null; std: number | null }[];
}
interface ScatterPanel {
  letter: Letter;
  tokens: Record<string, { isolated_markers?: [number, number][] }>;
}
type Panel = HeatmapPanel | BarPanel | LinePanel | ScatterPanel;
interface FigureFile {
  figure: string;
  description: string;
  units: string;
  source_script: string;
  axes: { x: (string | number)[]; y: (string | number)[] };
  panels: Panel[];
  colour_axis?: { max_abs: number };
  uncertainty: { reading?: number; pixel_y?: number; colour_axis_relative?: number };
}

function rowsOf(panel: Panel, { axes, colour_axis, uncertainty }: FigureFile): PaperRow[] {
  const { reading, pixel_y, colour_axis_relative = 0 } = uncertainty;
  // a cell's colour is known to its own uncertainty; what the strongest colour stands for, to this
  const scale = colour_axis_relative * (colour_axis?.max_abs ?? 0);
  if ("values" in panel)
    return panel.values.flatMap((row, i) =>
      row.map((value, j) => ({
        panel: panel.facet,
        letter: letterOf(panel.facet),
        x: axes.x[j],
        y: axes.y[i],
        series: null,
        value,
        std: null,
        uncertainty: plus(panel.uncertainty[i][j], scale),
      })),
    );
  const common = { panel: `Letter ${panel.letter}`, letter: panel.letter, y: null };
  const read = reading ?? pixel_y ?? null;
  if ("bars" in panel)
    return panel.bars.map(({ token, experiment = null, mean, std }) => ({
      ...common,
      x: token,
      series: experiment,
      value: mean,
      std,
      uncertainty: read,
    }));
  if ("points" in panel)
    return panel.points.map(({ component_added, mean, std }) => ({
      ...common,
      x: component_added,
      series: null,
      value: mean,
      std,
      uncertainty: read,
    }));
  return Object.entries(panel.tokens).flatMap(([token, { isolated_markers = [] }]) =>
    isolated_markers.map(([x, value]) => ({ ...common, x, series: token, value, std: null, uncertainty: read })),
  );
}

const plus = (a: number | null, b: number) => (a === null ? null : a + b);

/** "First Letter" or "Letter 1" is about letter 1; a head or an OV quadrant about none. */
function letterOf(facet: string): Letter | null {
  const index = ["First Letter", "Second Letter", "Third Letter"].indexOf(facet);
  const digit = /^Letter ([123])$/.exec(facet);
  if (index >= 0) return (index + 1) as Letter; // 0, 1 or 2 by the list above
  return digit === null ? null : (Number(digit[1]) as Letter); // 1, 2 or 3 by the pattern
}

function parseHead(text: string): HeadId {
  const match = /^(\d+)\.(\d+)$/.exec(text);
  if (match === null) throw new Error(`"${text}" in claims.json is not a head like 8.11`);
  return { layer: Number(match[1]), head: Number(match[2]) };
}

function claimed(claim: string): unknown {
  const found = paperClaims().find((entry) => entry.claim === claim);
  if (found === undefined) throw new Error(`claims.json has no claim "${claim}"`);
  return found.value;
}

/** The files are written once and checked by their sha256; their shape is what this file says. */
export function readPaper<T>(name: string): T {
  return JSON.parse(readFileSync(join(PAPER, `${name}.json`), "utf8")) as T;
}
