import { above, beside } from "../figures/beside";
import type { Figure } from "../figures/panels";
import { PAPER_MODEL, THIS_MODEL } from "../figures/style";

export interface WithPaperOptions {
  /** What is added to the models' names in the titles, such as heads: ["0.1", "8.11"]. */
  readonly titles?: readonly [ours: string, paper: string];
  /** Default: the paper's below; false: on the right. */
  readonly below?: boolean;
  /** Whether a colour means the same number in both. Default false: each has its own range. */
  readonly sameColours?: boolean;
}

/** One drawing of our rows and of the paper's: same axes, same rules, what is ours first. */
export function withPaper<O, P>(
  ours: O,
  paper: P,
  draw: (rows: O | P) => Figure,
  { titles = ["", ""], below = true, sameColours = false }: WithPaperOptions = {},
): Figure {
  const title = (model: string, detail: string) => (detail ? `${model}: ${detail}` : model);
  const parts = [
    { title: title(THIS_MODEL, titles[0]), figure: draw(ours) },
    { title: title(PAPER_MODEL, titles[1]), figure: draw(paper) },
  ];
  return (below ? above : beside)(parts, { sameColours });
}
