// Students' and teachers' copies of all lessons.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listNotebooks, newStage, runNotebooks } from "../notebooks/notebooks.mjs";
import { writeAtomically } from "../setup/stamp.mjs";
import { studentCopy, teacherCopy, textOfNotebook } from "./copies.mjs";

/** The format in which a check says what came of it: src/lessons/notebook/output.ts. */
const CHECK = "application/vnd.acronym-circuit.check+json";

/** @typedef {{ id: string, verdict: "right" | "wrong" | "unanswered", why?: string, misconception?: string }} Check */

/**
 * Writes `out`/student/NAME.ipynb and, executed, `out`/teacher/NAME.ipynb. A teacher's copy is written only if it ran through and every
 * check found its solution right; of those that didn't, the result says why.
 * @param {Omit<Parameters<typeof runNotebooks>[0], "claims">} options folder: the sources
 */
export async function buildLessons({ folder, out, selection, ...options }) {
  const names = listNotebooks(folder, selection);
  const stage = newStage(out); // beside the copies' folders: imports are the same
  try {
    for (const name of names) {
      const source = JSON.parse(readFileSync(join(folder, `${name}.ipynb`), "utf8"));
      writeAtomically(join(out, "student", `${name}.ipynb`), textOfNotebook(studentCopy(source, join(out, "student"))));
      writeAtomically(join(stage, `${name}.ipynb`), textOfNotebook(teacherCopy(source, stage)));
    }
    mkdirSync(join(out, "teacher"), { recursive: true });
    const results = await runNotebooks({
      ...options,
      folder: stage,
      out: join(stage, "run"),
      claims: "may be missing",
    });
    return results.map((result) => {
      const text = readFileSync(result.executed, "utf8");
      const refused = checksOf(JSON.parse(text)).filter(({ verdict }) => verdict !== "right");
      const problems = [
        ...result.problems,
        ...refused.map(({ id, verdict, why }) => `The solution of "${id}" is ${verdict}${why ? `: ${why}` : ""}`),
      ];
      const executed = join(out, "teacher", `${result.name}.ipynb`);
      if (problems.length === 0) writeAtomically(executed, text);
      return { ...result, executed, problems };
    });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/**
 * What the checks of an executed notebook found, in their order.
 * @param {import("./copies.mjs").Notebook} notebook
 * @returns {Check[]}
 */
export function checksOf({ cells }) {
  return cells.flatMap(({ outputs = [] }) => outputs.flatMap(({ data }) => data?.[CHECK] ?? []));
}
