// work/, as `npm run lab` lays it: newer versions arrive, and nothing that was worked in is lost.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeEach, test } from "node:test";
import { layWork } from "../scripts/lessons/lay.mjs";

const ROOT = resolve(__dirname, "..");
const NAME = "01-a.ipynb";
const NEWER = "01-a (newer version).ipynb";
let root: string;
let folder: string;
let said: string[];

const notebook = (text: string, type = "markdown") =>
  JSON.stringify({
    cells: [{ cell_type: type, source: text, metadata: {} }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  });
const source = (text: string) => writeFileSync(join(root, "notebooks", NAME), notebook(text));
const copy = (name = NAME) => readFileSync(join(folder, name), "utf8");
const names = () => readdirSync(folder).filter((name) => name.startsWith("01"));
const lay = () => layWork({ root, folder, say: (line) => said.push(line) });

beforeEach((t) => {
  root = mkdtempSync(join(tmpdir(), "work-"));
  (t as { after?: (f: () => void) => void }).after?.(() => rmSync(root, { recursive: true, force: true }));
  folder = join(root, "work");
  said = [];
  for (const name of ["notebooks", "lessons"]) mkdirSync(join(root, name));
  source("first");
  lay();
});

test("fresh: a copy as it is in the project", () => {
  assert.equal(copy(), notebook("first"));
  assert.deepEqual([names(), said], [[NAME], []]);
});

test("unchanged: a copy that was worked in stays, and nothing is said", () => {
  writeFileSync(join(folder, NAME), "mine");
  lay();
  assert.equal(copy(), "mine");
  assert.deepEqual([names(), said], [[NAME], []]);
});

test("newer: a copy that nobody has worked in is replaced", () => {
  source("second");
  lay();
  assert.equal(copy(), notebook("second"));
  assert.deepEqual([names(), said], [[NAME], []]);
});

test("newer, worked in: kept byte for byte, the newer version beside it, said once; a still newer one replaces that", () => {
  const mine = Buffer.from([0xef, 0xbb, 0xbf, 0x6d, 0x0d, 0x0a, 0x00, 0xff]);
  writeFileSync(join(folder, NAME), mine);
  source("second");
  lay();
  lay();
  assert.deepEqual(readFileSync(join(folder, NAME)), mine);
  assert.equal(copy(NEWER), notebook("second"));
  assert.deepEqual(said, [`${NAME} was worked in and stays as it is; its newer version is ${NEWER}.`]);
  source("third");
  lay();
  assert.deepEqual(readFileSync(join(folder, NAME)), mine);
  assert.equal(copy(NEWER), notebook("third"));
  writeFileSync(join(folder, NEWER), "mine, too");
  source("fourth");
  lay();
  assert.deepEqual([copy(NEWER), copy("01-a (newer version 2).ipynb")], ["mine, too", notebook("fourth")]);
  assert.deepEqual(readFileSync(join(folder, NAME)), mine);
});

test("a copy that was deleted comes back; one that became the newer version by itself is taken for it", () => {
  rmSync(join(folder, NAME));
  lay();
  assert.equal(copy(), notebook("first"));
  source("second");
  writeFileSync(join(folder, NAME), notebook("second")); // as when a run ended between the copy and its record
  lay();
  source("third");
  lay();
  assert.deepEqual([copy(), names()], [notebook("third"), [NAME]]);
});

test("without the record, what differs counts as worked in; a damaged record is named", () => {
  rmSync(join(folder, ".laid.json"));
  source("second");
  lay();
  assert.deepEqual([copy(), copy(NEWER)], [notebook("first"), notebook("second")]);
  writeFileSync(join(folder, ".laid.json"), "{");
  assert.throws(lay, /\.laid\.json is damaged .* Delete it/);
});

test("links lead to what lies beside it", () => {
  source(
    "[n](../notebooks/02-b.ipynb) [l](../lessons/1-behaviour.ipynb) [g](../docs/glossary.md#logit) [d](../data/README.md)",
  );
  lay();
  assert.ok(
    copy().includes("[n](02-b.ipynb) [l](lesson-1-behaviour.ipynb) [g](glossary.md#logit) [d](../data/README.md)"),
  );
});

test("the project's own: every notebook, students' lessons, a start page whose links all lead somewhere", () => {
  for (const name of ["notebooks", "lessons", "docs"]) cpSync(join(ROOT, name), join(root, name), { recursive: true });
  lay();
  const lesson = copy("lesson-1-behaviour.ipynb");
  assert.match(lesson, /YOUR CODE HERE/);
  assert.doesNotMatch(lesson, /BEGIN SOLUTION|For the teacher/);
  assert.match(lesson, /from \\"\.\.\/dist\\"/);
  const links = [...copy("START.md").matchAll(/\]\(([^)#]+)/g)].map((match) => match[1]);
  assert.ok(links.length > 3);
  for (const link of links) assert.ok(readdirSync(folder).includes(link), `START.md leads to ${link}`);
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".ipynb")))
    for (const [, link] of copy(name).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      const place = link.startsWith("../") ? join(ROOT, link.slice(3)) : join(folder, link);
      assert.ok(existsSync(place), `${name} leads to ${link}`);
      if (link.includes("glossary")) assert.equal(link, "glossary.md", "it lies in work/, too");
    }
  for (const [, link] of copy("glossary.md").matchAll(/\]\(([^)]+)/g))
    assert.match(link, /^#/, "lies in two folders, so that its links lead nowhere else");
  const lessons = readdirSync(folder).filter((name) => name.startsWith("lesson-"));
  assert.deepEqual(
    lessons.filter((name) => !links.includes(name)),
    [],
    "START.md leads to every lesson",
  );
});
