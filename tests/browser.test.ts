// JupyterLab in a browser, as a student meets it: start page, a lesson, restart, interrupt, another n, figures, both themes.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { layWork } from "../scripts/lessons/lay.mjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { findChromium, NO_CHROMIUM, openBrowser } from "./fixtures/chromium";
import { startLab } from "./fixtures/lab";
import { choose, LabNotebook, openPage } from "./fixtures/lab-notebook";

const chromium = findChromium();
const skip =
  process.platform === "win32" // where a kernel can't be interrupted by a signal
    ? "not tried on Windows"
    : !chromium && NO_CHROMIUM;
const READABLE = 4.5; // WCAG 2.2, level AA

describe("in a browser", { timeout: 600_000 }, () => {
  let home: string;
  let lab: Awaited<ReturnType<typeof startLab>>;
  let browser: Browser;
  let page: Page;
  let lesson: LabNotebook;

  before(async () => {
    if (skip) return;
    home = mkdtempSync(join(tmpdir(), "browser-"));
    const work = join(home, "work");
    layWork({ root: ROOT, folder: work, say: assert.fail });
    symlinkSync(join(ROOT, "dist"), join(home, "dist"), "junction"); // notebooks import "../dist"
    const settings = ["ServerApp.root_dir=work", "LabApp.workspaces_dir=spaces", "LabApp.user_settings_dir=settings"];
    const args = settings.map((setting) => `--${setting.replace("=", `=${home}/`)}`);
    for (const folder of ["spaces", "settings"]) mkdirSync(join(home, folder));
    lab = await startLab(process.execPath, [join(ROOT, "scripts/cli.mjs"), "lab", ...args]);
    browser = await openBrowser(chromium as string);
    page = await openPage(browser, lab.address);
  });
  after(async () => {
    await browser?.close();
    lab?.child.kill("SIGTERM");
    await lab?.ended;
    if (home) rmSync(home, { recursive: true, force: true });
  });

  /** Each step goes on where the one before it ended: after a failure nothing is left to be tried. */
  const step = (name: string, work: () => Promise<void>) =>
    test(name, { skip }, async (t) => {
      if (failed) return t.skip("an earlier step failed");
      failed = true;
      await work();
      failed = false;
    });
  let failed = false;

  step("the start page is shown, and leads to a lesson whose kernel is ready", async () => {
    await page.getByRole("heading", { name: "Start here" }).waitFor();
    lesson = await LabNotebook.open(page, "1 · Behaviour");
    await lesson.panel.getByRole("heading", { name: "Lesson 1 · Behaviour" }).waitFor();
  });

  step("an untouched lesson runs through and says what is not answered yet", async () => {
    await lesson.runAll();
    for (const id of ["break-the-model", "logit-diff"])
      assert.match(await lesson.output(checkOf(id)), /: not answered yet/);
  });

  step("a wrong answer is told why, by what it shows", async () => {
    await lesson.write(lesson.cell("let words;"), 'let words = ["Kite", "Pint", "Wren"];');
    await lesson.run(lesson.cell("let words ="));
    const said = await lesson.run(checkOf("break-the-model"));
    assert.match(said, /✗ Break the model: not yet\nAs if: “.+”\.\n.*The model writes KPW/);
  });

  step("a hint, and a stronger one at the next call", async () => {
    const cell = await lesson.add(checkOf("break-the-model"), 'hint("break-the-model");');
    const [first, second] = [await lesson.run(cell), await lesson.run(cell)];
    assert.match(first, /→ Hint 1 of 3/);
    assert.match(second, /→ Hint 2 of 3/);
  });

  step("the right answer is told to be right", async () => {
    await lesson.write(lesson.cell("let words"), solution("break-the-model"));
    await lesson.run(lesson.cell("let words"));
    assert.match(await lesson.run(checkOf("break-the-model")), /✓ Break the model\n/);
  });

  step("another wrong answer: another reason", async () => {
    const mean =
      "const sum = (all) => all.reduce((a, b) => a + b);\n  return logits[right] - (sum(logits) - logits[right]) / 25;";
    await lesson.write(
      lesson.cell("function logitDiff"),
      `function logitDiff(logits: number[], right: number) {\n  ${mean}\n}`,
    );
    await lesson.run(lesson.cell("function logitDiff"));
    const said = await lesson.run(checkOf("logit-diff"));
    assert.match(said, /✗ Write the metric: not yet\nAs if: “any contrast will do”\.\n/);
  });

  step("progress counts tries and what is done", async () => {
    const rows = (await lesson.run(lesson.cell("progress();"))).split("\n").map((row) => row.split("\t"));
    const of = (id: string) => rows.find((row) => row.includes(id))?.slice(-2);
    assert.deepEqual(
      [of("break-the-model"), of("logit-diff")],
      [
        ["2", "✓"],
        ["1", "–"],
      ],
    );
  });

  for (const theme of ["Light", "Dark"])
    step(`what lessons say is readable: JupyterLab ${theme}`, async () => {
      await useTheme(page, theme);
      await readable(lesson, ["✓ Break the model", "✗ Write the metric: not yet", "→ Hint 2 of 3", "break-the-model"]);
    });

  step("a changed parameter, and all run again: kept answers are judged anew", async () => {
    for (const id of ["logit-diff", "logit-diff-2"]) {
      const cell = lesson.cell(id === "logit-diff" ? "function logitDiff" : "let hidden");
      await lesson.write(cell, solution(id));
      await lesson.run(cell);
    }
    assert.match(await lesson.run(checkOf("logit-diff")), /✓ Write the metric\n+Of 600 rows/);
    const parameters = lesson.cell("const { modelId, n, seed, prompts }");
    await lesson.write(parameters, codeOf("parameters").replace("n: 200", "n: 50"));
    await lesson.restartAndRunAll();
    assert.match(await lesson.output(checkOf("logit-diff")), /✓ Write the metric\n+Of 150 rows/);
    assert.match(await lesson.output(checkOf("break-the-model")), /✓ Break the model\n/);
  });

  step("a cell that runs can be interrupted, which is said; the next one runs", async () => {
    const endless = await lesson.add(lesson.cell("progress();"), 'console.log("begun"); await new Promise(() => {});');
    await lesson.start(endless);
    await endless.getByText("begun", { exact: true }).and(page.locator("pre")).waitFor();
    await page.locator('[data-command="notebook:interrupt-kernel"]:visible').first().click();
    await endless.getByText("interrupted; the kernel is ready for the next cell.").waitFor();
    await lesson.idle();
    const next = await lesson.add(endless, "console.log(data.prompts.length * 2);");
    assert.equal((await lesson.run(next)).trim(), "100");
  });

  step("figures are pictures before anything runs, in both themes, and interactive after", async () => {
    await useTheme(page, "Light");
    const notebook = await LabNotebook.open(page, "00-start-here");
    const pictures = notebook.panel.locator(".jp-OutputArea-output img.plot-img");
    for (const theme of ["Light", "Dark"]) {
      await useTheme(page, theme);
      await pictures.nth(2).waitFor({ state: "attached" });
      for (const picture of await pictures.all()) {
        await picture.scrollIntoViewIfNeeded();
        const width = (await picture.evaluate(drawnWidth)) as number;
        assert.ok(width > 100, `it is drawn ${width} pixels wide`);
      }
    }
    await notebook.runAll();
    const figure = notebook.panel.locator(".jp-RenderedPlotly").nth(1); // the logits of 26 capitals
    await figure.hover(); // the picture gives way to the figure
    await figure.locator(".nsewdrag").first().hover();
    await figure.locator(".hovertext").first().waitFor();
    await notebook.cell(/\S/).last().locator(".cm-content").click(); // what is out of sight is not laid out
    await notebook.panel.locator("td", { hasText: "Freed runs" }).waitFor();
    for (const theme of ["Light", "Dark"]) {
      await useTheme(page, theme);
      await readable(notebook, ["Freed runs leave no tensors behind", "✓"]);
    }
  });
  const checkOf = (id: string) => lesson.cell(`check("${id}"`);
});

async function useTheme(page: Page, theme: string) {
  await choose(page, "Settings", "Theme", `JupyterLab ${theme}`);
  await page.locator(`body[data-jp-theme-name="JupyterLab ${theme}"]`).waitFor({ state: "attached" });
}

/** In the page: 0 if the picture is none that can be drawn. */
const drawnWidth = (image: unknown) => {
  const picture = image as { decode(): Promise<void>; naturalWidth: number };
  return picture.decode().then(
    () => picture.naturalWidth,
    () => 0,
  );
};

/** All texts that cells have put out; `expected` are among them. */
async function readable(notebook: LabNotebook, expected: readonly string[]) {
  const texts = (await notebook.page.evaluate("contrasts()")) as { text: string; ratio: number }[];
  const all = texts.map(({ text }) => text).join("\n");
  for (const text of expected) assert.ok(all.includes(text), `${text} is not shown among\n${all}`);
  assert.deepEqual(
    texts.filter(({ ratio }) => !(ratio >= READABLE)),
    [],
  );
}

const source = JSON.parse(readFileSync(join(ROOT, "lessons", "1-behaviour.ipynb"), "utf8"));
type SourceCell = { source: string[]; metadata: { tags?: string[]; nbgrader?: { grade_id: string } } };
const codeOf = (name: string): string =>
  source.cells
    .find(({ metadata }: SourceCell) => metadata.nbgrader?.grade_id === name || metadata.tags?.includes(name))
    .source.join("");
const solution = codeOf;
