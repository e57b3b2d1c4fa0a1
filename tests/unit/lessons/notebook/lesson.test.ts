import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { LessonContext } from "../../../../src/lessons/exercise";
import { lesson } from "../../../../src/lessons/notebook/lesson";
import { CHECK_MIME } from "../../../../src/lessons/notebook/output";
import { readProgress } from "../../../../src/lessons/notebook/progress-file";
import { loadModel } from "../../../../src/load/load";
import { loadAcronyms } from "../../../../src/prompts/dataset";
import { inNotebook } from "../../../fixtures/notebook";

const folder = mkdtempSync(join(tmpdir(), "lesson-"));
const file = join(folder, "progress.json");
let context: LessonContext;

before(async () => {
  process.env.ACRONYM_PROGRESS = file;
  const { model, tokenizer } = await loadModel("embedded");
  context = {
    model,
    tokenizer,
    data: loadAcronyms("data/acronyms/held-out.txt", tokenizer, { n: 10, seed: 0 }),
    seed: 0,
  };
});
beforeEach(() => rmSync(file, { force: true }));
after(() => {
  delete process.env.ACRONYM_PROGRESS;
  rmSync(folder, { recursive: true });
});

const begin = () => lesson("behaviour", context);
const said = async (cell: () => unknown) =>
  (await inNotebook(cell)).map(({ data }) => String(data["text/plain"])).join("\n");
const RIGHT = ["Tusk", "Jockey", "Tuna"];
const WRONG = ["Ketchup", "Lark", "Wreck"];

test("a check says right, wrong and why, or not answered yet; as text, as HTML, and for programs", async () => {
  const { check } = begin();
  for (const [answer, verdict, text] of [
    [RIGHT, "right", /^✓ Break the model\n/],
    [
      WRONG,
      "wrong",
      /^✗ Break the model: not yet\nAs if: “any words will do”\.\n.*\nStuck\? hint\("break-the-model"\)/,
    ],
    [undefined, "unanswered", /^… Break the model: not answered yet/],
    ["  ", "unanswered", /not answered yet/],
    [[], "unanswered", /not answered yet/],
  ] as const) {
    const [{ data }, ...more] = await inNotebook(() => check("break-the-model", answer));
    assert.equal(more.length, 0);
    assert.match(String(data["text/plain"]), text);
    assert.match(String(data["text/html"]), /^<div style="border-left:4px solid var\(--jp-/);
    assert.equal((data[CHECK_MIME] as { verdict: string }).verdict, verdict);
  }
});

test("a function that gives nothing is a stub, not an answer", async () => {
  assert.match(
    await said(() => begin().check("logit-diff", { logitDiff: () => undefined, hidden: undefined })),
    /not answered yet/,
  );
});

test("what a student writes can't become a part of the page", async () => {
  const [{ data }] = await inNotebook(() => begin().check("break-the-model", ["<img src=x>", "Lark", "Wreck"]));
  assert.doesNotMatch(String(data["text/html"]), /<img/);
});

test("hints grow stronger and end with the solution's name", async () => {
  const { hint } = begin();
  const hints = [];
  for (let i = 0; i < 4; i++) hints.push(await said(() => hint("break-the-model")));
  assert.match(hints[0], /^→ Hint 1 of 3\n/);
  assert.match(hints[1], /^→ Hint 2 of 3\n/);
  assert.match(hints[2], /That is the last; solution\("break-the-model"\)/);
  assert.equal(hints[3], hints[2]);
});

test("a solution is the source between the markers, of all its cells", async () => {
  const { solution } = begin();
  assert.match(await said(() => solution("break-the-model")), /a solution\nconst everyPrompt = /);
  const two = await said(() => solution("logit-diff"));
  assert.match(two, /\nconst wrong = /); // without the function's indent
  assert.match(two, /\nhidden = /);
  assert.doesNotMatch(two, /SOLUTION/);
});

test("tries are counted, what is done stays done, unanswered is no try; a new lesson finds it", async () => {
  for (const answer of [undefined, WRONG, RIGHT, WRONG])
    await inNotebook(() => begin().check("break-the-model", answer));
  assert.deepEqual(readProgress(file), { "break-the-model": { tries: 3, done: true } });
  const lines = (await said(() => begin().progress())).split("\n");
  assert.match(lines[1], /^Break the model +break-the-model +★☆☆ +10 +3 +✓$/);
  assert.match(lines[2], /^Write the metric .* 0 +–$/);
  assert.deepEqual(readdirSync(folder), ["progress.json"]);
});

test("a damaged progress.json is left as it is; answers are judged all the same", async () => {
  for (const damaged of ["{", "[]", '{"break-the-model":{"tries":"x"}}']) {
    writeFileSync(file, damaged);
    assert.match(
      await said(() => begin().check("break-the-model", RIGHT)),
      /^✓ .*Not noted: progress can't be read from .*delete it/s,
    );
    assert.throws(() => begin().progress(), /progress can't be read/);
    assert.equal(readFileSync(file, "utf8"), damaged);
  }
});

test("an unknown exercise or topic is named, with those that there are", async () => {
  const { check, hint, solution } = begin();
  const message = /no exercise "break-teh-model"; there are break-the-model, logit-diff/;
  await assert.rejects(check("break-teh-model", 1), message);
  assert.throws(() => hint("break-teh-model"), message);
  await assert.rejects(solution("break-teh-model"), message);
  assert.throws(() => lesson("behavior" as "behaviour", context), /topic "behavior" is not one of .*"behaviour"/);
  assert.throws(() => lesson([], context), /there are no topics/);
});

test("a notebook may have the exercises of several topics", async () => {
  const { check, hint } = lesson(["behaviour", "notebooks"], context);
  assert.match(await said(() => check("even-baseline", 0.5)), /^✗ A lot, compared with what/);
  assert.match(await said(() => hint("break-the-model")), /^→ Hint 1/);
  await assert.rejects(
    check("head-sweep"),
    /lesson "behaviour, notebooks" has no exercise .*one of lesson\("patching"\)/,
  );
});

test("while nbgrader grades, what is not right fails the cell", async () => {
  const { check } = begin();
  process.env.NBGRADER_EXECUTION = "autograde";
  try {
    await assert.rejects(check("break-the-model", WRONG), /break-the-model: The model writes KLW/);
    await assert.rejects(check("break-the-model"), /not answered/);
    await check("break-the-model", RIGHT);
  } finally {
    delete process.env.NBGRADER_EXECUTION;
  }
});
