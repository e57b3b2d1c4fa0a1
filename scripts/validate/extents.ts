/** What figure 11 shows of all markers together. */
import { paperFigure, readPaper } from "../../src/paper/paper";
import type { Letter } from "../../src/prompts/positions";

/** Where markers of a letter's own word can be seen in figure 11: from … to. */
interface ScatterExtent {
  readonly letter: Letter;
  /** Attention (probability). */
  readonly x: readonly [number, number];
  /** Logits. */
  readonly y: readonly [number, number];
}

interface ScatterPanel {
  readonly letter: Letter;
  readonly correct_token?: string;
  readonly tokens: Record<string, { x_extent_visible: [number, number]; y_extent_visible: [number, number] }>;
}

/** Of a scatter plot what can be told of all markers together: its extents. Throws RangeError if there is no such plot. */
export function paperScatterExtents(name: string): ScatterExtent[] {
  paperFigure(name); // says which figures there are
  return readPaper<{ panels: ScatterPanel[] }>(name).panels.map(({ letter, correct_token, tokens }) => {
    if (correct_token === undefined) throw new RangeError(`${name} is no scatter plot; fig11_scatter_8_11 is`);
    const { x_extent_visible: x, y_extent_visible: y } = tokens[correct_token];
    return { letter, x, y };
  });
}
