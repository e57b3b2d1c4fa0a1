import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../load/resolve";

interface Cell {
  readonly source: string | readonly string[];
  readonly metadata: { readonly nbgrader?: { readonly grade_id: string; readonly solution: boolean } };
}

/**
 * The solution of an exercise: what stands between the markers of the cells called `id`, `id-2`, `id-3` … in the lessons' sources.
 * @param folder of the sources
 * Throws Error if there is none
 */
export async function solutionSource(id: string, folder = join(projectFolder, "lessons")): Promise<string> {
  const { solutionIn } = await import("../markers.mjs");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".ipynb")) : [];
  const cells: Cell[] = names.sort().flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")).cells);
  const isOurs = ({ metadata: { nbgrader } }: Cell) =>
    nbgrader?.solution === true && (nbgrader.grade_id === id || nbgrader.grade_id.replace(/-\d+$/, "") === id);
  const solution = cells
    .filter(isOurs)
    .map(({ source }) => undented(solutionIn([source].flat().join(""))))
    .join("\n\n");
  if (solution === "")
    throw new Error(`no solution of "${id}" in ${folder}: the lessons' sources lie there, with the project itself`);
  return solution;
}

/** Without the spaces that all lines begin with. */
function undented(text: string): string {
  const indents = text.split("\n").filter((line) => line.trim() !== "");
  const least = Math.min(...indents.map((line) => line.length - line.trimStart().length));
  return text.replace(new RegExp(`^ {${Number.isFinite(least) ? least : 0}}`, "gm"), "");
}
