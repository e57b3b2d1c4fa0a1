// Students' and teachers' copies of all lessons.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listNotebooks, onBench, runNotebooks } from "../notebooks/notebooks.mjs";
import { writeAtomically } from "../setup/stamp.mjs";
import { studentCopy, teacherCopy, textOfNotebook } from "./copies.mjs";

/** The format in which a check says what came of it: src/lessons/notebook/output.ts. */
const CHECK = "application/vnd.acronym-circuit.check+json";

/** @typedef {{ id: string, verdict: "right" | "wrong" | "unanswered", why?: string, misconception?: string }} Check */

/**
 * Writes `out`/student/NAME.ipynb and, executed, `out`/teacher/NAME.ipynb. A teacher's copy is written only if it ran through and every
 * check found its solution right; of those that didn't, the result says why.
 * @param {Omit<Parameters<typeof runNotebooks>[0], "claims">} options folder: the sources
 * @param {typeof runNotebooks} [run] what executes the teachers' copies
 */
export async function buildLessons({ folder, out, selection, onResult, ...options }, run = runNotebooks) {
  const names = listNotebooks(folder, selection);
  return onBench(out, async (stage, bench) => {
    for (const name of names) {
      const source = JSON.parse(readFileSync(join(folder, `${name}.ipynb`), "utf8"));
      writeAtomically(join(out, "student", `${name}.ipynb`), textOfNotebook(studentCopy(source, join(out, "student"))));
      writeAtomically(join(bench, `${name}.ipynb`), textOfNotebook(teacherCopy(source, bench)));
    }
    /** @type {import("../notebooks/notebooks.mjs").Result[]} */
    const results = [];
    await run({
      ...options,
      folder: bench,
      out: join(stage, "run"),
      claims: "may be missing",
      pages: false,
      onResult: (result) => {
        const own = finished(result, join(out, "teacher"));
        results.push(own);
        onResult?.(own);
      },
    });
    return results;
  });
}

/**
 * Keeps a teacher's copy if every solution in it is right.
 * @param {import("../notebooks/notebooks.mjs").Result} result
 * @param {string} folder
 */
function finished(result, folder) {
  const text = existsSync(result.executed) ? readFileSync(result.executed, "utf8") : undefined;
  const refused = text === undefined ? [] : checksOf(JSON.parse(text)).filter(({ verdict }) => verdict !== "right");
  const why = refused.map(({ id, verdict, why }) => `The solution of "${id}" is ${verdict}${why ? `: ${why}` : ""}`);
  const problems = [...result.problems, ...why];
  const executed = join(folder, `${result.name}.ipynb`);
  if (problems.length === 0 && text !== undefined) writeAtomically(executed, text);
  return { ...result, executed, problems };
}

/**
 * What the checks of an executed notebook found, in their order.
 * @param {import("./copies.mjs").Notebook} notebook
 * @returns {Check[]}
 */
export function checksOf({ cells }) {
  return cells.flatMap(({ outputs = [] }) => outputs.flatMap(({ data }) => data?.[CHECK] ?? []));
}
