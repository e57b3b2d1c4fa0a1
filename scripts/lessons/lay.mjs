// work/: copies of notebooks and lessons to work in. What was worked in is never overwritten.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listNotebooks } from "../notebooks/notebooks.mjs";
import { Problem } from "../setup/problem.mjs";
import { writeAtomically } from "../setup/stamp.mjs";
import { studentCopy, textOfNotebook, withTexts } from "./copies.mjs";

/** What was laid under which name, by hash: a file that differs from it was worked in. */
const RECORD = ".laid.json";

/** Pages that lie in work/, too, since JupyterLab shows nothing outside it: by where they are in the project. */
const PAGES = { "lessons/START.md": "START.md", "docs/glossary.md": "glossary.md" };

/**
 * Lays notebooks, students' copies of lessons and the start page into a flat folder. A file that is as it was laid is replaced by a newer
 * version; beside one that was worked in, the newer version is put under a name that says so.
 * @param {{ root: string, folder: string, say: (line: string) => void }} where
 */
export function layWork({ root, folder, say }) {
  mkdirSync(folder, { recursive: true });
  const record = readRecord(join(folder, RECORD));
  for (const { name, text } of everything(root, folder)) {
    const laid = place(folder, name, text, record);
    if (laid !== undefined && laid !== name)
      say(`${name} was worked in and stays as it is; its newer version is ${laid}.`);
  }
  writeAtomically(join(folder, RECORD), `${JSON.stringify(record, null, 1)}\n`);
}

/**
 * @param {string} root
 * @param {string} folder
 */
function everything(root, folder) {
  const read = (/** @type {string[]} */ ...path) => readFileSync(join(root, ...path), "utf8");
  const names = (/** @type {string} */ of) => listNotebooks(join(root, of));
  const pages = Object.entries(PAGES).filter(([page]) => existsSync(join(root, page)));
  const notebooks = names("notebooks").map((name) => {
    const text = read("notebooks", `${name}.ipynb`);
    return { name: `${name}.ipynb`, notebook: JSON.parse(text), text };
  });
  const lessons = names("lessons").map((name) => {
    const notebook = studentCopy(JSON.parse(read("lessons", `${name}.ipynb`)), folder, root);
    return { name: `lesson-${name}.ipynb`, notebook, text: textOfNotebook(notebook) };
  });
  return [
    ...[...notebooks, ...lessons].map(({ name, notebook, text }) => ({ name, text: inWork(notebook) ?? text })),
    ...pages.map(([page, name]) => ({ name, text: read(...page.split("/")) })),
  ];
}

/**
 * A notebook's text with links to what lies in work/ leading there; undefined if it has none.
 * @param {import("./copies.mjs").Notebook} notebook
 */
function inWork(notebook) {
  let changed = false;
  /** @param {string} text */
  const linked = (text) => {
    const pages = Object.entries(PAGES).reduce(
      (part, [page, name]) => part.replaceAll(`](../${page}`, `](${name}`),
      text,
    );
    const fresh = pages.replaceAll("](../notebooks/", "](").replaceAll("](../lessons/", "](lesson-");
    changed ||= fresh !== text;
    return fresh;
  };
  const moved = withTexts(notebook, (text, type) => (type === "markdown" ? linked(text) : text));
  return changed ? textOfNotebook(moved) : undefined;
}

/**
 * Puts a version where nothing is lost by it.
 * @param {string} folder
 * @param {string} name
 * @param {string} text
 * @param {Record<string, string>} record what was laid; renewed here
 * @returns {string | undefined} the name that it got; undefined if it was laid before
 */
function place(folder, name, text, record) {
  const fresh = hash(text);
  for (const candidate of candidates(name)) {
    const file = join(folder, candidate);
    const found = existsSync(file) ? hash(readFileSync(file)) : undefined;
    if (found !== undefined && (record[candidate] === fresh || found === fresh)) {
      record[candidate] = fresh;
      return undefined;
    }
    if (found !== undefined && found !== record[candidate]) continue; // worked in
    writeAtomically(file, text);
    record[candidate] = fresh;
    return candidate;
  }
}

/** "a.ipynb", "a (newer version).ipynb", "a (newer version 2).ipynb" … @param {string} name */
function* candidates(name) {
  const [, stem, ending] = /** @type {RegExpExecArray} */ (/^(.*)(\.\w+)$/.exec(name));
  yield name;
  for (let i = 1; ; i++) yield `${stem} (newer version${i === 1 ? "" : ` ${i}`})${ending}`;
}

/** @param {string | Uint8Array} content */
const hash = (content) => createHash("sha256").update(content).digest("hex");

/** @param {string} file @returns {Record<string, string>} */
function readRecord(file) {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Problem(
      `${file} is damaged (${/** @type {Error} */ (error).message}). Delete it and run the command again: nothing in its folder is lost, but newer versions are put beside all copies that differ.`,
    );
  }
}
