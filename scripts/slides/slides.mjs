// Slides of notebooks, as they are committed, and of lessons, executed without solutions.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { slideCopy, textOfNotebook } from "../lessons/copies.mjs";
import { listNotebooks, onBench, runNotebooks } from "../notebooks/notebooks.mjs";
import { jupyterEnv, projectPaths, ROOT } from "../setup/paths.mjs";
import { Problem } from "../setup/problem.mjs";
import { writeAtomically } from "../setup/stamp.mjs";

const LESSON = "lesson-";

/** What is shown live in three hours: docs/lesson-plan.md. Names as in work/. */
export const LIVE = ["00", "01", "04", "08", "09", ...[0, 1, 2, 3, 4, 5].map((lesson) => `${LESSON}${lesson}`)];

/**
 * Writes `out`/NAME.html for every notebook ("03") or lesson ("lesson-3") whose name starts so, and beside them reveal.js.
 * @param {{ out: string, selection: readonly string[], run?: typeof runNotebooks, onResult?: (result: import("../notebooks/notebooks.mjs").Result) => void }} options `run`: how lessons are executed
 * @returns {Promise<string[]>} the names
 * @throws {Problem} naming the lesson that fails
 */
export async function buildSlides({ out, selection, run = runNotebooks, onResult }) {
  const lessons = selection.filter((name) => name.startsWith(LESSON)).map((name) => name.slice(LESSON.length));
  const notebooks = selection.filter((name) => !name.startsWith(LESSON));
  const named = {
    notebooks: notebooks.length > 0 ? listNotebooks(join(ROOT, "notebooks"), notebooks) : [],
    lessons: lessons.length > 0 ? listNotebooks(join(ROOT, "lessons"), lessons) : [],
  };
  return onBench(out, async (stage, bench) => {
    for (const name of named.lessons) {
      const source = JSON.parse(readFileSync(join(ROOT, "lessons", `${name}.ipynb`), "utf8"));
      writeAtomically(join(bench, `${name}.ipynb`), textOfNotebook(slideCopy(source, bench)));
    }
    const claims = /** @type {const} */ ("may be missing");
    const lesson = { folder: bench, out: join(stage, "run"), claims, pages: false, onResult };
    const results = named.lessons.length > 0 ? await run(lesson) : [];
    const failed = results.find(({ problems }) => problems.length > 0);
    if (failed) throw new Problem(`No slides: ${failed.name}: ${failed.problems.join("\n")}`);
    const jobs = [
      ...named.notebooks.map((name) => ({ name, notebook: join(ROOT, "notebooks", `${name}.ipynb`) })),
      ...results.map(({ name, executed }) => ({ name: LESSON + name, notebook: executed })),
    ].map((job) => ({ ...job, html: join(out, `${job.name}.html`) }));
    const spec = join(stage, "jobs.json");
    writeFileSync(spec, JSON.stringify({ jobs, page: join(ROOT, "scripts", "slides", "page"), reveal: "reveal.js" }));
    convert(spec);
    layReveal(join(out, "reveal.js"));
    return jobs.map(({ name }) => name);
  });
}

/** @param {string} spec */
function convert(spec) {
  const script = join(ROOT, "scripts", "slides", "make_slides.py");
  const { status, stderr } = spawnSync(projectPaths().venvPython, [script, spec], {
    env: jupyterEnv(ROOT),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`Slides could not be made (code ${status}).\n${stderr.slice(-5000)}`);
}

/** @param {string} folder */
function layReveal(folder) {
  mkdirSync(folder, { recursive: true });
  for (const part of ["dist", join("plugin", "notes"), "LICENSE"])
    cpSync(join(ROOT, "node_modules", "reveal.js", part), join(folder, part), {
      recursive: true,
      filter: (file) => !file.endsWith(".map"),
    });
}
