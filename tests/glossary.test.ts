// docs/glossary.md: every link into it leads to a term, every term is linked to; and every notebook says on top what it takes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";

const ROOT = resolve(__dirname, "..");
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), "utf8");
const filesIn = (folder: string, end: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));

/** A notebook's text cells. */
const textsOf = (file: string): string[] =>
  (JSON.parse(read(file)).cells as { cell_type: string; source: string[] }[])
    .filter(({ cell_type }) => cell_type === "markdown")
    .map(({ source }) => [source].flat().join(""));

const glossary = read("docs", "glossary.md");
const headings = [...glossary.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
const terms = headings.map((heading) => heading.replaceAll(" ", "-"));
const notebooks = [...filesIn("notebooks", ".ipynb"), ...filesIn("lessons", ".ipynb")];
const pages = [...filesIn(".", ".md"), ...filesIn("docs", ".md"), ...filesIn("lessons", ".md")];
const linked = (text: string) => [...text.matchAll(/\]\([^)]*glossary\.md#([^)]*)\)/g)].map((match) => match[1]);

test("a term's heading makes the same anchor everywhere, and stands where it is looked for", () => {
  // GitHub writes anchors in lower case and without signs, JupyterLab as the heading is
  for (const heading of headings) assert.match(heading, /^[a-z]+([ -][a-z]+)*$/);
  assert.deepEqual(headings, [...new Set(headings)].sort());
  for (const entry of glossary.split(/^## .*$/m).slice(1)) assert.ok(entry.trim(), "a term without a word about it");
});

test("every link into the glossary leads to a term, and no notebook links one twice or in a heading", () => {
  const own = [...glossary.matchAll(/\]\(#([^)]*)\)/g)].map((match) => match[1]);
  for (const term of own) assert.ok(terms.includes(term), `the glossary itself: #${term}`);
  for (const file of pages) for (const term of linked(read(file))) assert.ok(terms.includes(term), `${file}: #${term}`);
  for (const file of notebooks) {
    const texts = textsOf(file);
    const found = texts.flatMap(linked);
    for (const term of found) assert.ok(terms.includes(term), `${file}: #${term}`);
    assert.deepEqual(found, [...new Set(found)], `${file}: the first use is enough`);
    for (const line of texts.flatMap((text) => text.split("\n")))
      if (line.startsWith("#")) assert.deepEqual(linked(line), [], `${file}: ${line}`);
  }
});

test("every term is linked from a notebook or a lesson", () => {
  const used = new Set(notebooks.flatMap((file) => textsOf(file).flatMap(linked)));
  assert.deepEqual(
    terms.filter((term) => !used.has(term)),
    [],
  );
});

describe("on top of every notebook and lesson", () => {
  for (const file of notebooks)
    test(`${file}: what comes before it, and minutes`, () => {
      const [top] = textsOf(file);
      assert.match(top, /^- \*\*Before this:\*\* .+\.$/m);
      assert.match(top, /^- \*\*Time:\*\* .*\d+ minutes/m);
    });
});
