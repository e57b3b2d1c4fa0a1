// Copies of a lesson's source for students and teachers, as notebooks in another folder.
import { relative } from "node:path";
import { STUB, withoutSolution } from "../../src/lessons/markers.mjs";
import { ROOT } from "../setup/paths.mjs";
import { Problem } from "../setup/problem.mjs";

/** @typedef {{ cell_type: string, source: string | string[], metadata: Record<string, any>, outputs?: any[], execution_count?: number | null }} Cell */
/** @typedef {{ cells: Cell[], metadata: object, nbformat: number, nbformat_minor: number }} Notebook */

/** Cells with this tag are notes for the teacher. */
const TEACHER = "teacher";

/**
 * What a student gets: no solution, no note for the teacher, no output.
 * @param {Notebook} source
 * @param {string} folder where the copy will lie
 * @param {string} [project] the project's folder
 * @returns {Notebook}
 * @throws {Problem} naming the cell whose solution is not marked as it must be
 */
export function studentCopy(source, folder, project) {
  const cells = source.cells.filter(({ metadata }) => !metadata.tags?.includes(TEACHER));
  return moved({ ...source, cells: cells.map((cell) => bare({ ...cell, source: unsolved(cell) })) }, folder, project);
}

/**
 * What a teacher gets, before it is executed: all of it.
 * @param {Notebook} source
 * @param {string} folder where the copy will lie
 * @param {string} [project] the project's folder
 * @returns {Notebook}
 */
export function teacherCopy(source, folder, project) {
  return moved({ ...source, cells: source.cells.map(bare) }, folder, project);
}

/**
 * What is shown on slides, before it is executed: notes for the teacher, who speaks, but no solution.
 * @param {Notebook} source
 * @param {string} folder where the copy will lie
 * @returns {Notebook}
 */
export function slideCopy(source, folder) {
  return moved({ ...source, cells: source.cells.map((cell) => bare({ ...cell, source: unsolved(cell) })) }, folder);
}

/** @param {Cell} cell */
function unsolved(cell) {
  const text = textOf(cell);
  const { solution, grade_id } = cell.metadata.nbgrader ?? {};
  const fresh = inWords(grade_id ?? text, () =>
    withoutSolution(text, cell.cell_type === "code" ? STUB.code : STUB.markdown),
  );
  if ((fresh !== text) !== (solution === true))
    throw new Problem(
      solution
        ? `Cell "${grade_id}" is marked as a solution but has none between BEGIN SOLUTION and END SOLUTION.`
        : `A cell has a solution but no nbgrader metadata that says so:\n\n${text}`,
    );
  return lines(fresh);
}

/**
 * @template T
 * @param {string} where
 * @param {() => T} work
 */
function inWords(where, work) {
  try {
    return work();
  } catch (error) {
    throw new Problem(`${where}: ${/** @type {Error} */ (error).message}.`);
  }
}

/** @param {Cell} cell */
function bare(cell) {
  return cell.cell_type === "code" ? { ...cell, outputs: [], execution_count: null } : cell;
}

/**
 * The same in another folder: code finds the library, links the project's pages.
 * @param {Notebook} notebook
 * @param {string} folder
 * @param {string} [project]
 * @returns {Notebook}
 */
function moved(notebook, folder, project = ROOT) {
  const root = relative(folder, project).replaceAll("\\", "/");
  return withTexts(notebook, (text, type) =>
    type === "code" ? text.replaceAll('from "../dist"', `from "${root}/dist"`) : text.replaceAll("](../", `](${root}/`),
  );
}

/**
 * A notebook with other texts in its cells.
 * @param {Notebook} notebook
 * @param {(text: string, type: string) => string} change
 * @returns {Notebook}
 */
export function withTexts(notebook, change) {
  return {
    ...notebook,
    cells: notebook.cells.map((cell) => ({ ...cell, source: lines(change(textOf(cell), cell.cell_type)) })),
  };
}

/** @param {Notebook} notebook */
export const textOfNotebook = (notebook) => `${JSON.stringify(notebook, null, 1)}\n`;

/** @param {Cell} cell */
const textOf = ({ source }) => [source].flat().join("");

/** @param {string} text in nbformat's way: lines that keep their ends */
const lines = (text) => text.split(/(?<=\n)/);
