// docs/lesson-plan.md says of exercises what they say of themselves, and its minutes add up.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/setup/paths.mjs";
import type { Exercise } from "../src/lessons/exercise";
import { TOPICS } from "../src/lessons/topics";

const plan = readFileSync(join(ROOT, "docs", "lesson-plan.md"), "utf8");
const exercises: readonly Exercise[] = Object.values(TOPICS).flat();
const section = (title: string) => plan.split(/^## /m).find((text) => text.startsWith(title)) ?? "";
const rows = (title: string) =>
  section(title)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")));

test("every exercise with its minutes and misconception, in the lessons' order", () => {
  assert.deepEqual(
    rows("What each exercise is against").map((row) => row.slice(0, 3)),
    exercises.map(({ title, id, minutes, misconception }) => [`${title} (\`${id}\`)`, String(minutes), misconception]),
  );
  for (const row of rows("What each exercise is against")) assert.match(row[3], /\?$/);
});

for (const [title, minutes] of [
  ["Three hours", 180],
  ["One hour", 60],
] as const)
  test(`${title}: parts add up to ${minutes} minutes, and each has time for its exercises`, () => {
    const parts = rows(title);
    assert.equal(
      parts.reduce((sum, [own]) => sum + Number(own), 0),
      minutes,
    );
    for (const [own, part, , doing] of parts) {
      const given = [...doing.matchAll(/`([\w-]+)`/g)].map(([, id]) => exercises.find((one) => one.id === id));
      assert.ok(!given.includes(undefined), `${part}: ${doing}`);
      const needed = given.reduce((sum, one) => sum + (one as Exercise).minutes, 0);
      assert.ok(needed <= Number(own), `${part} has ${own} minutes for exercises of ${needed}`);
    }
  });
