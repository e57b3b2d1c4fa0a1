import { PAPER_MODEL, THIS_MODEL } from "../../figures/style";
import type { Finding } from "./positional";

/** One finding in both models: "yes" or "no", and the numbers. */
export type FindingRow = Readonly<Record<"finding" | typeof THIS_MODEL | typeof PAPER_MODEL, string>>;

/**
 * The same findings of this model and of the paper, as rows of two tables.
 * Throws a RangeError if the two lists are not about the same findings.
 */
export function compareFindings(
  ours: readonly Finding[],
  paper: readonly Finding[],
): { same: FindingRow[]; different: FindingRow[] } {
  const other = ours.findIndex(({ finding }, i) => finding !== paper[i]?.finding);
  if (other >= 0 || ours.length !== paper.length)
    throw new RangeError(
      `findings must be the same ones in the same order: ours are ${ours.length}, the paper's ${paper.length}` +
        (other >= 0 ? `; the first that differs is "${ours[other].finding}"` : ""),
    );
  const answer = ({ holds, evidence }: Finding) => `${holds ? "yes" : "no"}: ${evidence}`;
  const rows = (same: boolean) =>
    ours.flatMap((own, i) =>
      (own.holds === paper[i].holds) === same
        ? [{ finding: own.finding, [THIS_MODEL]: answer(own), [PAPER_MODEL]: answer(paper[i]) }]
        : [],
    );
  return { same: rows(true), different: rows(false) };
}
