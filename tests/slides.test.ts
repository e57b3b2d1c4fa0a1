// Slides: of a committed notebook, and of a lesson, which is executed for them.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { JSDOM } from "jsdom";
import { buildSlides, LIVE } from "../scripts/slides/slides.mjs";
import { remoteLoads } from "./fixtures/remote-loads";

describe("slides", () => {
  let out: string;
  before(async () => {
    out = mkdtempSync(join(tmpdir(), "slides-"));
    await buildSlides({ out, selection: ["00", "lesson-1"] });
  });
  after(() => out && rmSync(out, { recursive: true, force: true }));
  const page = (name: string) => readFileSync(join(out, `${name}.html`), "utf8");
  const find = (name: string, what: string) => [...new JSDOM(page(name)).window.document.querySelectorAll(what)];
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
    for (const part of slides) for (const note of part.querySelectorAll("aside.notes")) note.remove();
    const shown = slides.map((slide) => slide.textContent).join("\n");
    assert.match(shown, /Which model is this\?/);
    assert.doesNotMatch(shown, /How to read it|await |const |Parameters/);
  });

  test("a lesson's exercises without solution or answer; the teacher's notes are the speaker's", () => {
    assert.match(text("lesson-1-behaviour", ".slides"), /Exercise 1 · Break the model/);
    assert.match(text("lesson-1-behaviour", "aside.notes"), /For the teacher\./);
    assert.doesNotMatch(page("lesson-1-behaviour"), /BEGIN SOLUTION|everyPrompt|not answered yet/);
  });
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
