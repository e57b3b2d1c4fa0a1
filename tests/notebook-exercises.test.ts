// Notebooks 01 to 08 ask before they tell: what is expected is asked for, two exercises are judged, and no answer stands on top.
// That they run through unanswered is in small-models.test.ts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { listNotebooks } from "../scripts/notebooks/notebooks.mjs";
import type { Exercise } from "../src/lessons/exercise";
import { stars } from "../src/lessons/notebook/lesson";
import { TOPICS, type Topic } from "../src/lessons/topics";

const FOLDER = resolve(__dirname, "../notebooks");

interface Cell {
  readonly cell_type: string;
  readonly source: readonly string[];
}

for (const name of listNotebooks(FOLDER).filter((one) => /^0[1-8]/.test(one))) {
  describe(name, () => {
    const { cells } = JSON.parse(readFileSync(resolve(FOLDER, `${name}.ipynb`), "utf8")) as { cells: Cell[] };
    const texts = cells.map(({ source }) => source.join(""));
    const code = texts.filter((_, i) => cells[i].cell_type === "code");

    test("the answer stands at the end, not on top", () => {
      assert.doesNotMatch(texts[0], /\*\*Claim:/);
      assert.match(texts[0], /^- \*\*To do:\*\* .*\(\.\.\/lessons\//m);
      assert.match(texts[texts.length - 1], /^## In short\n/);
      assert.ok(texts[texts.length - 2].includes("checkClaims("));
    });

    test("two exercises that its topics have, each under its title, difficulty and minutes", () => {
      const [, given] = code.join("\n").match(/= lesson\((\[[^\]]*\]|"[^"]*"),/) ?? assert.fail("no lesson(…)");
      const topics = [JSON.parse(given)].flat() as Topic[];
      const known = topics.flatMap((topic): readonly Exercise[] => TOPICS[topic]);
      const checked = texts.flatMap((text, i) => [...text.matchAll(/check\("([^"]*)"/g)].map(([, id]) => ({ id, i })));
      assert.equal(checked.length, 2);
      for (const { id, i } of checked) {
        const one = known.find((each) => each.id === id) ?? assert.fail(`${id} is none of ${topics.join(", ")}`);
        const heading = `### Exercise · ${one.title}\n\n${stars(one.difficulty)} · ${one.minutes} minutes\n`;
        assert.ok(texts[i - 1].startsWith(heading), `${id} must follow ${JSON.stringify(heading)}`);
      }
    });

    test("what is predicted is asked for before it is shown, and empty", () => {
      const shown = texts.flatMap((text, i) =>
        [...text.matchAll(/predicted\(\s*(\w+),/g)].map(([, what]) => ({ what, i })),
      );
      assert.ok(shown.length >= 1);
      for (const { what, i } of shown) {
        const at = texts.findIndex((text) => new RegExp(`^(let|const) ${what}\\b`).test(text));
        assert.ok(at >= 0 && at < i, what);
        assert.match(texts[at], /^let \w+;|^const \w+ = \{(\s*("[^"]*"|\w+): undefined,?)+\s*\};/);
        assert.match(texts[at - 1], /^### A prediction\n/);
        assert.ok(code.slice(code.indexOf(texts[at]) + 1, code.indexOf(texts[i])).length > 0, "a figure lies between");
      }
    });
  });
}
