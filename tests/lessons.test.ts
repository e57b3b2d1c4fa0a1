// Every lesson's source: its exercises are whole, its solutions are right, its stubs unanswered, its copies run. A new lesson needs no new test.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildLessons, checksOf } from "../scripts/lessons/build.mjs";
import { type Cell, type Notebook, studentCopy, teacherCopy } from "../scripts/lessons/copies.mjs";
import { listNotebooks, type Result } from "../scripts/notebooks/notebooks.mjs";
import { stars } from "../src/lessons/notebook/lesson";
import { TOPICS } from "../src/lessons/topics";
import { type Run, runTogether } from "./fixtures/in-process";

const TMP = resolve(__dirname, "../.setup/tmp");
const folder = resolve(__dirname, "../lessons");
const names = listNotebooks(folder);
/** The lesson whose teacher's copy runs in a kernel; a student's does in browser.test.ts. All others' cells run in one process. */
const IN_KERNELS = "1-behaviour";
const read = (file: string): Notebook => JSON.parse(readFileSync(file, "utf8"));
const sources = new Map(names.map((name) => [name, read(join(folder, `${name}.ipynb`))]));
const source = (name: string) => sources.get(name) ?? assert.fail();
const textOf = (cell: Cell) => [cell.source].flat().join("");
const graded = (cell: Cell) => cell.metadata.nbgrader ?? {};
const checks = ({ cells }: Notebook) => cells.filter((cell) => graded(cell).grade === true);
const exerciseOf = (cell: Cell) => String(graded(cell).grade_id).replace(/-check$/, "");

test("every exercise stands in one lesson", () => {
  const standing = names.flatMap((name) => checks(source(name)).map(exerciseOf));
  const known = Object.values(TOPICS).flatMap((of) => of.map(({ id }) => id as string));
  assert.deepEqual(standing.sort(), known.sort());
});

for (const name of names) {
  describe(name, () => {
    const { cells } = source(name);

    test("has no outputs, and no two cells with one grade_id", () => {
      for (const cell of cells) assert.deepEqual([cell.outputs ?? [], cell.execution_count ?? null], [[], null]);
      const ids = cells.flatMap((cell) => graded(cell).grade_id ?? []);
      assert.deepEqual(ids, [...new Set(ids)]);
    });

    for (const cell of checks(source(name))) {
      const id = exerciseOf(cell);
      test(`${id}: difficulty and minutes above, a cell for the answer, a check, a note for the teacher`, () => {
        const one =
          Object.values(TOPICS)
            .flat()
            .find((each) => each.id === id) ?? assert.fail("no such exercise");
        const at = cells.indexOf(cell);
        assert.equal(graded(cell).grade_id, `${id}-check`);
        assert.deepEqual([graded(cell).locked, graded(cell).schema_version], [true, 3]);
        assert.ok(graded(cell).points > 0);
        assert.ok(textOf(cell).includes(`check("${id}"`));
        const answer = cells.findIndex((each) => graded(each).grade_id === id);
        assert.ok(answer >= 0 && answer < at && graded(cells[answer]).solution === true);
        const heading = cells.slice(0, answer).findLast((each) => /^## Exercise/m.test(textOf(each)));
        const title = `· ${one.title}\n\n${stars(one.difficulty)} · ${one.minutes} minutes\n`;
        assert.ok(heading && textOf(heading).includes(title), `the heading must say ${JSON.stringify(title)}`);
        const after = cells.slice(at + 1);
        const next = after.findIndex((each) => /^## /m.test(textOf(each)));
        const notes = after.slice(0, next).filter((each) => each.metadata.tags?.includes("teacher"));
        assert.equal(notes.length, 1, "one note for the teacher follows the check, before the next heading");
      });
    }
  });
}

describe("copies", () => {
  // inside the project, where copies are meant to lie: the kernel finds types there
  mkdirSync(TMP, { recursive: true });
  const out = mkdtempSync(join(TMP, "lessons-"));
  after(() => rmSync(out, { recursive: true, force: true }));
  const teachers = new Map<string, Result>();
  const students = new Map<string, Result>();
  const withPrompts = (n: number) => ({ ...process.env, ACRONYM_N: `${n}` });
  before(async () => {
    const env = withPrompts(10); // truths go with them
    for (const one of await buildLessons({ folder, out, selection: [IN_KERNELS], env })) teachers.set(one.name, one);
    const unanswered: Run = {
      folder: join(out, "student"),
      out: join(out, "run"),
      selection: names,
      claims: "may be missing",
      pages: false,
      env: withPrompts(4), // unanswered cells run, whatever they are about
    };
    const run = async (answered: Run) => {
      const [asked, told] = await runTogether([unanswered, answered]);
      for (const one of asked) students.set(one.name, one);
      return told;
    };
    for (const one of await buildLessons({ folder: laidOut(), out, env }, run)) teachers.set(one.name, one);
  });
  /** A folder with the other lessons, and one whose solution is wrong. */
  const laidOut = () => {
    const laid = mkdtempSync(join(out, "sources-"));
    for (const name of names.filter((name) => name !== IN_KERNELS))
      copyFileSync(join(folder, `${name}.ipynb`), join(laid, `${name}.ipynb`));
    const lesson = source("1-behaviour");
    const end = lesson.cells.findIndex((cell) => graded(cell).grade_id === "break-the-model-check") + 1;
    const wrong = "// BEGIN SOLUTION\nconst words = 'a';\n// END SOLUTION";
    const cells = lesson.cells
      .slice(0, end)
      .map((cell) => (graded(cell).grade_id === "break-the-model" ? { ...cell, source: wrong } : cell));
    writeFileSync(join(laid, "bad.ipynb"), JSON.stringify({ ...lesson, cells }));
    return laid;
  };
  const resultOf = (results: Map<string, Result>, name: string) => results.get(name) ?? assert.fail("it did not run");
  const verdicts = (file: string) => checksOf(read(file)).map(({ id, verdict }) => `${id}: ${verdict}`);
  const all = (name: string, verdict: string) => checks(source(name)).map((cell) => `${exerciseOf(cell)}: ${verdict}`);

  for (const name of names) {
    test(`${name}: the teacher's copy runs, every solution is right, notes and markers are there`, () => {
      const { problems, executed } = resultOf(teachers, name);
      assert.deepEqual(problems, []);
      assert.deepEqual(verdicts(executed), all(name, "right"));
      assert.deepEqual(read(executed).cells.map(graded), source(name).cells.map(graded));
    });

    test(`${name}: the student's copy holds no solution and no note, and runs through unanswered`, () => {
      const text = readFileSync(join(out, "student", `${name}.ipynb`), "utf8");
      assert.doesNotMatch(text, /SOLUTION|For the teacher|"teacher"/);
      const { problems, executed } = resultOf(students, name);
      assert.deepEqual(problems, []);
      assert.deepEqual(verdicts(executed), all(name, "unanswered"));
    });
  }

  test("a solution that is not right makes no teacher's copy, and says why", () => {
    const { problems, executed } = resultOf(teachers, "bad");
    assert.match(problems.join("\n"), /The solution of "break-the-model" is wrong: Give three words/);
    assert.throws(() => read(executed), /ENOENT/);
  });
});

test("a solution without metadata, or metadata without a solution, is refused by name", () => {
  const cell = (text: string, nbgrader?: object): Notebook => ({
    cells: [{ cell_type: "code", source: text, metadata: nbgrader ? { nbgrader } : {} }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  });
  const marked = "// BEGIN SOLUTION\n1\n// END SOLUTION";
  assert.throws(() => studentCopy(cell(marked), folder), /no nbgrader metadata/);
  assert.throws(() => studentCopy(cell("1", { solution: true, grade_id: "a" }), folder), /"a" is marked as a solution/);
  assert.throws(
    () => studentCopy(cell("// BEGIN SOLUTION", { solution: true, grade_id: "a" }), folder),
    /^Problem: a: |a: a solution has no END/,
  );
});

test("in another folder code finds the library, and links the project's pages", () => {
  const notebook: Notebook = {
    cells: [
      { cell_type: "code", source: 'import { a } from "../dist";', metadata: {} },
      { cell_type: "markdown", source: "[x](../docs/x.md)", metadata: {} },
    ],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  };
  const { cells } = teacherCopy(notebook, resolve(__dirname, "../out/lessons/teacher"));
  assert.deepEqual(cells.map(textOf), ['import { a } from "../../../dist";', "[x](../../../docs/x.md)"]);
});
