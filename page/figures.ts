/** What the page shows, as plain tables of cells: one description for the screen, for pictures and for files of numbers. */
import type { AttentionRow } from "../src/experiments/attention";
import type { LetterRow } from "../src/experiments/behaviour";
import { type HeadId, headName, sameHead } from "../src/model/heads";
import { range } from "../src/numbers/lists";
import { softmax } from "../src/numbers/statistics";
import { capitalAt, type Letter, POSITIONS } from "../src/prompts/acronym-task";
import { changePaint, type Paint, sharePaint } from "./colours";
import type { Change, Letters, Maps, Prompt } from "./engine";

export interface Cell {
  readonly value: number;
  /** As the cell shows it, where there is room. */
  readonly text: string;
  /** The whole of it in words. */
  readonly label: string;
  readonly paint: Paint;
}

export interface Chart {
  /** Of files. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** What stands under a column's name. */
  readonly under?: readonly string[];
  /** [row][column]; null: there is none. */
  readonly cells: readonly (readonly (Cell | null)[])[];
  /** What the rows are, and the columns. */
  readonly axes: readonly [string, string];
}

/** With a digit more where there is room for it. */
const signed = (value: number, digits = Math.abs(value) < 9.95 ? 1 : 0) => {
  const text = Math.abs(value).toFixed(digits);
  return `${Number(text) === 0 ? "" : value < 0 ? "−" : "+"}${text}`;
};

/** A token's text, its space made visible. */
export const shownPiece = (piece: string) => piece.replace(/^ /, "␣");

/**
 * Changes of one letter by layer and one thing more.
 * @param point a row and a column in words
 */
function changeChart<R extends Change & { readonly layer: number }>(
  rows: readonly R[],
  letter: Letter,
  layers: number,
  chart: Omit<Chart, "rows" | "cells"> & {
    is(row: R, column: number): boolean;
    point(layer: number, column: number): string;
  },
): Chart {
  const { is, point, ...more } = chart;
  const own = rows.filter((row) => row.letter === letter);
  const paint = changePaint(own.map(({ change }) => change));
  return {
    ...more,
    title: `${more.title}: change of letter ${letter}`,
    rows: range(layers).map(String),
    cells: range(layers).map((layer) =>
      more.columns.map((_, column) => {
        const found = own.find((row) => row.layer === layer && is(row, column));
        if (!found) return null;
        const text = signed(found.change);
        const label = `${point(layer, column)}: letter ${letter} ${text} logits`;
        return { value: found.change, text, label, paint: paint(found.change) };
      }),
    ),
  };
}

export const positionChart = (maps: Maps, letter: Letter, { pieces }: Prompt, layers: number): Chart =>
  changeChart(maps.positions, letter, layers, {
    name: "layer-position",
    title: "One activation from the other prompt",
    columns: POSITIONS,
    under: pieces.map(shownPiece),
    axes: ["layer", "position"],
    is: ({ position }, column) => position === POSITIONS[column],
    point: (layer, column) => `layer ${layer}, ${POSITIONS[column]}`,
  });

export const headChart = (
  maps: Maps,
  letter: Letter,
  { n_layers, n_heads }: { n_layers: number; n_heads: number },
): Chart =>
  changeChart(maps.heads, letter, n_layers, {
    name: "layer-head",
    title: "One head's output from the other prompt",
    columns: range(n_heads).map(String),
    axes: ["layer", "head"],
    is: ({ head }, column) => head === column,
    point: (layer, head) => `head ${headName({ layer, head })}`,
  });

export function attentionChart(rows: readonly AttentionRow[], head: HeadId, { pieces }: Prompt): Chart {
  const own = rows.filter((row) => sameHead(row, head));
  return {
    name: `attention-${headName(head)}`,
    title: `Where head ${headName(head)} looks`,
    rows: POSITIONS,
    columns: POSITIONS,
    under: pieces.map(shownPiece),
    axes: ["from", "to"],
    cells: POSITIONS.map((query) =>
      POSITIONS.map((key) => {
        const found = own.find((row) => row.query === query && row.key === key);
        if (!found) return null;
        const { attention } = found;
        const text = `${Math.round(100 * attention)}`;
        return { value: attention, text, label: `from ${query} to ${key}: ${text}%`, paint: sharePaint(attention) };
      }),
    ),
  };
}

/** Probabilities among the 26 capitals. */
export const shares = ({ letter_logits }: Pick<LetterRow, "letter_logits">): number[] => softmax(letter_logits);

export function letterChart({ after }: Pick<Letters, "after">): Chart {
  return {
    name: "letters",
    title: `What the model says after ${after[0].prompt.split("(")[0]}(`,
    rows: after.map(({ letter }) => `letter ${letter}`),
    columns: range(26).map(capitalAt),
    axes: ["letter", "capital"],
    cells: after.map((row) =>
      shares(row).map((share, i) => {
        const text = `${Math.round(100 * share)}`;
        return {
          value: share,
          text,
          label: `letter ${row.letter}, ${capitalAt(i)}: ${text}%`,
          paint: sharePaint(share),
        };
      }),
    ),
  };
}
