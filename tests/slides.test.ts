// Slides: of a committed notebook, and of a lesson, which is executed for them. That its cells run is tests/lessons.test.ts's matter:
// here each is given an output.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { JSDOM } from "jsdom";
import { listNotebooks, type runNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { buildSlides, LIVE } from "../scripts/slides/slides.mjs";
import { remoteLoads } from "./fixtures/remote-loads";

const run =
  (problems: string[]): typeof runNotebooks =>
  async ({ folder }) =>
    listNotebooks(folder).map((name) => {
      const file = join(folder, `${name}.ipynb`);
      const notebook = JSON.parse(readFileSync(file, "utf8"));
      for (const cell of notebook.cells.filter(({ cell_type }: { cell_type: string }) => cell_type === "code")) {
        for (const [, path] of [cell.source]
          .flat()
          .join("")
          .matchAll(/from "(\.[^"]*)"/g))
          assert.ok(existsSync(resolve(folder, path)), `${path} is not found where the lesson is executed`);
        cell.outputs = [{ output_type: "stream", name: "stdout", text: ["what it shows\n"] }];
      }
      writeFileSync(file, JSON.stringify(notebook));
      const facts = { cells: 1, seconds: 1, figures: 0, claims: [], fault: null };
      return { name, source: file, executed: file, html: "", ...facts, problems };
    });

describe("slides", () => {
  let out: string;
  before(async () => {
    out = mkdtempSync(join(tmpdir(), "slides-"));
    await buildSlides({ out, selection: ["00", "lesson-1"], run: run([]) });
  });
  after(() => out && rmSync(out, { recursive: true, force: true }));
  const page = (name: string) => readFileSync(join(out, `${name}.html`), "utf8");
  const documents = new Map<string, Document>();
  const documentOf = (name: string) => {
    const read = documents.get(name) ?? new JSDOM(page(name)).window.document;
    documents.set(name, read);
    return read;
  };
  const find = (name: string, what: string) => [...documentOf(name).querySelectorAll(what)];
  const text = (name: string, what: string) =>
    find(name, what)
      .map((element) => element.textContent)
      .join("\n");

  for (const name of ["00-start-here", "lesson-1-behaviour"])
    test(`${name} loads nothing from another host, and what it loads is there`, () => {
      assert.deepEqual(remoteLoads(page(name)), []);
      const own = find(name, "script[src], link[href]").map(
        (one) => one.getAttribute("src") ?? one.getAttribute("href"),
      );
      assert.ok(own.length >= 4, own.join(", "));
      for (const file of own) {
        assert.ok(existsSync(resolve(out, file as string)), `${file} is missing`);
        if (file?.endsWith(".css"))
          assert.doesNotMatch(
            readFileSync(resolve(out, file), "utf8"),
            /(?:@import|url\()[ "'(]*(?:url\()?["']?(?:https?:)?\/\//,
          );
      }
    });

  test("a notebook's headings and pictures are on slides; how to read them is the speaker's, code nobody's", () => {
    const slides = find("00-start-here", ".slides > section > section");
    assert.ok(slides.length >= 8, `${slides.length} slides`);
    assert.equal(find("00-start-here", ".slides img[src^='data:image/png']").length, 3);
    assert.match(text("00-start-here", "aside.notes"), /How to read it\./);
    const withoutNotes = slides.map((slide) => slide.cloneNode(true) as Element);
    for (const slide of withoutNotes) for (const note of slide.querySelectorAll("aside.notes")) note.remove();
    const shown = withoutNotes.map((slide) => slide.textContent).join("\n");
    assert.match(shown, /Which model is this\?/);
    assert.doesNotMatch(shown, /How to read it|await |const |Parameters/);
  });

  test("a lesson's exercises without solution or answer; the teacher's notes are the speaker's", () => {
    assert.match(text("lesson-1-behaviour", ".slides"), /Exercise 1 · Break the model/);
    assert.match(text("lesson-1-behaviour", "aside.notes"), /For the teacher\./);
    assert.match(text("lesson-1-behaviour", ".slides"), /what it shows/);
    assert.doesNotMatch(page("lesson-1-behaviour"), /BEGIN SOLUTION|everyPrompt|not answered yet/);
  });
});

test("a lesson that fails is named, and nothing is left", async (t) => {
  const out = mkdtempSync(join(tmpdir(), "slides-"));
  t.after(() => rmSync(out, { recursive: true }));
  const failing = buildSlides({ out, selection: ["lesson-1"], run: run(["Cell 1 failed"]) });
  await assert.rejects(failing, /No slides: 1-behaviour: Cell 1 failed/);
  assert.deepEqual(readdirSync(out), []);
});

test("what is shown live is in the lesson plan", () => {
  const plan = readFileSync(resolve(__dirname, "../docs/lesson-plan.md"), "utf8");
  for (const name of LIVE)
    assert.match(
      plan,
      new RegExp(name.startsWith("lesson-") ? `lessons/${name.slice(7)}-` : `notebooks/${name}-`),
      name,
    );
});
