// The site: whole, its own in everything it loads, readable by everybody, and there without a network once it was seen.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { after, before, describe, test } from "node:test";
import { JSDOM } from "jsdom";
import type { Browser, Page } from "playwright-core";
import { GPT2_SMALL } from "../page/hub-model";
import { serve } from "../page/serve";
import type { Tables } from "../page/tables";
import { listNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { buildSite } from "../scripts/site/build";
import { findChromium, NO_CHROMIUM, openBrowser } from "./fixtures/chromium";
import { remoteLoads } from "./fixtures/remote-loads";
import { axeFinds, watchedPage } from "./fixtures/watched-page";

const chromium = findChromium();
const skip = !chromium && NO_CHROMIUM;
const PREFIX = "/some/where/";
/** What is computed for the page, which lies in the site and is not opened here, but in page.test.ts: nothing. */
const TABLES = { bigger: GPT2_SMALL } as Tables;
/** One page of every kind. */
const KINDS = {
  front: "index.html",
  notebook: "notebooks/00-start-here.html",
  lesson: "lessons/1-behaviour.html",
  document: "docs/models.html",
  search: "search.html?q=patching",
  API: "api/functions/patch.html",
};

describe("the site", { timeout: 300_000 }, () => {
  let home: string;
  let site: string;
  let server: Awaited<ReturnType<typeof serve>>;
  let browser: Browser;
  let pages: string[];
  const read = (file: string) => readFileSync(join(site, file), "utf8");

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "site-"));
    site = join(home, "site");
    await buildSite(site, TABLES);
    const files = readdirSync(site, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/"));
    pages = files.filter((file) => file.endsWith(".html"));
    server = await serve(site, PREFIX);
    if (chromium) browser = await openBrowser(chromium);
  });
  after(async () => {
    await browser?.close();
    server?.close();
    if (home) rmSync(home, { recursive: true, force: true });
  });

  test("every notebook, lesson and document has its page, and nothing half-made is left", () => {
    for (const folder of ["notebooks", "lessons"])
      for (const name of listNotebooks(join(ROOT, folder))) assert.ok(pages.includes(`${folder}/${name}.html`), name);
    for (const file of readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")))
      assert.ok(pages.includes(`docs/${file.replace(".md", ".html")}`), file);
    assert.ok(pages.filter((page) => page.startsWith("api/")).length > 300);
    assert.deepEqual(readdirSync(home), ["site"]);
  });

  test("every figure is a picture with words, and what plotly draws of it lies beside it", () => {
    for (const name of listNotebooks(join(ROOT, "notebooks"))) {
      const notebook = JSON.parse(readFileSync(join(ROOT, "notebooks", `${name}.ipynb`), "utf8"));
      const outputs = notebook.cells.flatMap((cell: { outputs?: { data?: object }[] }) => cell.outputs ?? []);
      const figures = outputs.filter(({ data = {} }) => "image/png" in data).length;
      const attribute = (tag: string, named: string) => new RegExp(` ${named}="([^"]*)"`).exec(tag)?.[1] ?? "";
      const shown = [...read(`notebooks/${name}.html`).matchAll(/<figure([^>]*)><img([^>]*)>/g)].map(
        ([, figure, img]) => [attribute(figure, "data-source"), attribute(img, "src"), attribute(img, "alt")],
      );
      assert.ok(figures > 0 && shown.length === figures, `${name}: ${shown.length} of ${figures}`);
      for (const [source, picture, alt] of shown) {
        assert.ok(alt.length > 10, `${name}: ${alt}`);
        assert.ok(JSON.parse(read(`notebooks/${source}`)).data.length > 0);
        assert.ok(existsSync(join(site, "notebooks", picture)));
      }
    }
  });

  test("every figure's numbers are there to read as tables, or where they are too many as a file, and are the figure's", async () => {
    const { parse } = (await import("papaparse")).default;
    const inTables: string[] = [];
    for (const name of listNotebooks(join(ROOT, "notebooks"))) {
      const { document } = new JSDOM(withoutCode(read(`notebooks/${name}.html`))).window;
      for (const figure of document.querySelectorAll("figure[data-source]")) {
        const source = figure.getAttribute("data-source")!;
        const told = figure.nextElementSibling!;
        const { data }: { data: Drawn[] } = JSON.parse(read(`notebooks/${source}`));
        const file = told.querySelector("a[download]")!.getAttribute("href")!;
        const rows = parse<Record<string, string>>(read(`notebooks/${file}`), {
          header: true,
          skipEmptyLines: true,
        }).data;
        const values = data.filter(({ hovertemplate = "" }) => hovertemplate.includes("%{")).flatMap(valuesOf);
        const written = new Set(rows.flatMap((row) => Object.values(row).map(Number)));
        assert.deepEqual(values.filter((value) => value !== null && !written.has(Number(value))).slice(0, 3), [], file);
        assert.ok(rows.length >= values.length, `${file}: ${rows.length} rows, ${values.length} values`);
        if (told.tagName !== "DETAILS") continue;
        inTables.push(source);
        const tables = [...told.querySelectorAll("table")];
        for (const table of tables) {
          assert.ok(table.querySelector("caption")?.textContent, source);
          assert.equal(table.querySelectorAll("tbody tr > :first-child:not(th[scope=row])").length, 0, source);
        }
        const cells = tables.map((table) =>
          [...table.querySelectorAll("tr")].map((line) => [...line.children].map((cell) => cell.textContent!)),
        );
        for (const { at, column, row, value } of data.flatMap((trace) => placesOf(trace, data))) {
          const [head, ...lines] = cells[at];
          const [i, j] = [lines.findIndex(([first]) => first === row), head.lastIndexOf(column)];
          assert.equal(
            lines[i]?.[j]?.split(": ").at(-1),
            value,
            `${source}: ${tables[at].caption?.textContent}, ${row}, ${column}`,
          );
        }
      }
    }
    assert.ok(inTables.length > 70, `${inTables.length} figures in tables`);
  });

  test("lessons are without solutions and notes for the teacher", () => {
    for (const name of listNotebooks(join(ROOT, "lessons")))
      assert.doesNotMatch(read(`lessons/${name}.html`), /BEGIN SOLUTION|For the teacher\./, name);
    assert.match(read("lessons/1-behaviour.html"), /YOUR CODE HERE/);
  });

  test("every address leads somewhere in the site, down to the heading, and is relative", () => {
    const ids = new Map<string, Set<string>>();
    const idsOf = (page: string) => {
      if (!ids.has(page)) ids.set(page, new Set([...read(page).matchAll(/ id="([^"]+)"/g)].map((match) => match[1])));
      return ids.get(page)!;
    };
    const lost: string[] = [];
    let seen = 0;
    for (const page of pages) {
      const html = read(page);
      assert.deepEqual(remoteLoads(html), [], page);
      // typedoc's own links among its pages are its own business, its size ours: what it is told to link is looked at
      const links = [...html.matchAll(/(?:href|src|data-source)="([^"]*)"/g)].map((match) => match[1]);
      for (const link of links.filter((one) => !/^(?:https?|data|mailto):/.test(one))) {
        const [path, anchor] = link.split("?")[0].split("#");
        const target =
          path === "" ? page : normalize(join(dirname(page), decodeURIComponent(path))).replaceAll("\\", "/");
        seen++;
        if (link.startsWith("/") || !existsSync(join(site, target))) lost.push(`${page}: ${link}`);
        else if (anchor && !page.startsWith("api/") && target.endsWith(".html") && !idsOf(target).has(anchor))
          lost.push(`${page}: ${link}`);
      }
    }
    assert.ok(seen > 10_000, `${seen} links`);
    assert.deepEqual(lost, []);
  });

  test("without scripts there is all there is to read", () => {
    const { document } = new JSDOM(read("notebooks/03-activation-patching.html")).window;
    assert.equal(document.querySelectorAll("main h1").length, 1);
    assert.ok(document.querySelectorAll("main table").length >= 2);
    assert.ok(document.querySelectorAll("#contents a").length > 25);
    assert.equal(document.querySelectorAll("script:not([src])").length, 0);
  });

  const open = (path: string, options: Parameters<typeof watchedPage>[2] = {}) =>
    watchedPage(browser, server.address, { path, ...options });

  test("a figure's table is opened by keyboard, and without scripts", { skip }, async () => {
    const { page, done } = await open(KINDS.notebook, { serviceWorkers: "block", javaScriptEnabled: false });
    const alt = (await page.locator("figure img").nth(1).getAttribute("alt"))!;
    await page.getByText(`Data as a table: ${alt}`).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("table").filter({ hasText: "rows: letter; columns: capital" }).waitFor();
    await page.getByRole("columnheader", { name: "K", exact: true }).waitFor();
    await page.getByRole("rowheader", { name: "1", exact: true }).waitFor();
    await done();
  });

  test("a figure is a picture until somebody asks for more; only then plotly is fetched", { skip }, async () => {
    const { page, requests, done } = await open(KINDS.notebook, { serviceWorkers: "block" });
    const button = page.getByRole("button", { name: /^Interactive: / }).first();
    const alt = (await page.locator("figure img").first().getAttribute("alt"))!;
    assert.deepEqual(
      requests.filter((url) => /plotly|\.json$/.test(url)),
      [],
    );
    await button.focus();
    await page.keyboard.press("Enter");
    await page.locator(".js-plotly-plot .main-svg").first().waitFor();
    await page.getByRole("img", { name: alt }).waitFor();
    assert.equal(requests.filter((url) => /plotly|\.json$/.test(url)).length, 2);
    await done();
  });

  test("searching finds texts and names, by keyboard, and leads to them", { skip }, async () => {
    const { page, done } = await open("index.html", { serviceWorkers: "block" });
    await page.getByRole("searchbox").fill("activation patching");
    await page.keyboard.press("Enter");
    await page.locator("#API-results").getByRole("link", { name: "Function activationPatch" }).waitFor();
    await page.locator("#text-results").getByRole("link", { name: "03 · Activation patching" }).click();
    await page.getByRole("heading", { level: 1, name: "03 · Activation patching" }).waitFor();
    await done();
  });

  test("seen once, it is there without a network, all its texts and what was looked at", { skip }, async () => {
    const { context, page, done } = await open(KINDS.notebook);
    for (const number of [1, 2, 3]) await inCache(page, `figures/00-start-here-${number}.png`);
    await context.setOffline(true);
    await page.reload();
    // no text: what isn't true at once is evaluated again, which the page's policy forbids of texts
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>("figure img")!.naturalWidth > 100);
    await page.goto(server.address + KINDS.document);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.goto(server.address);
    await page.getByRole("link", { name: "Patch a model in your browser" }).waitFor();
    await done();
  });

  const LOOKS = [
    { viewport: { width: 380, height: 800 }, colorScheme: "dark" },
    { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  ] as const;
  describe("axe finds nothing that keeps anybody out, and nothing is wider than the screen", () => {
    let opened: Awaited<ReturnType<typeof open>>;
    before(async () => {
      if (!skip) opened = await open("", { serviceWorkers: "block" });
    });
    after(() => opened?.done());
    for (const [kind, path] of Object.entries(KINDS))
      test(kind, { skip }, async () => {
        const { page, check } = opened;
        await page.goto(server.address + path);
        if (kind === "search") await page.locator("#text-results a").first().waitFor();
        if (kind === "API") await page.locator("#tsd-nav-container a").first().waitFor({ state: "attached" });
        await page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true");
        for (const { viewport, colorScheme } of LOOKS) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          assert.ok(
            (await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")) <= 0,
            "too wide",
          );
          assert.deepEqual(await axeFinds(page), []);
        }
        check();
      });
  });
});

/** Code is most of a page's elements, and no figure. */
const withoutCode = (html: string) => html.replace(/<pre>.*?<\/pre>/gs, "");

/** A trace of plotly's. */
interface Drawn {
  readonly type: string;
  readonly mode?: string;
  readonly name?: string;
  readonly hovertemplate?: string;
  readonly xaxis: string;
  readonly x: (string | number)[];
  readonly y: (string | number | null)[];
  readonly z?: (number | null)[][];
  readonly text?: unknown;
  readonly customdata?: unknown;
  readonly error_y?: { readonly array: number[] };
}

const valuesOf = ({ z, y, customdata }: Drawn) => (customdata ? [] : (z?.flat() ?? y));

/** A number as a reader of a table finds it. */
const shown = (value: number | string | null): string => {
  if (typeof value !== "number") return value ?? "–";
  const text = Number.isInteger(value) ? `${value}` : value.toFixed(4);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
};

/** Where a trace's values have to stand in the tables of its figure: cells of heat maps, bars and lines; points of their own have no place. */
function placesOf({ type, mode, name = "", hovertemplate = "", ...trace }: Drawn, all: readonly Drawn[]) {
  if (!hovertemplate.includes("%{y") || type === "box" || mode === "markers") return [];
  const at = [...new Set(all.map(({ xaxis }) => xaxis))].indexOf(trace.xaxis);
  const { x, y, z, error_y } = trace;
  if (z)
    return z.flatMap((line, i) => line.map((one, j) => ({ at, row: `${y[i]}`, column: `${x[j]}`, value: shown(one) })));
  const column = name || />([^>]*) %\{y/.exec(hovertemplate)![1];
  return x.flatMap((place, i) => {
    const row = shown(place).replace(/\.0000$/, "");
    const value = { at, row, column, value: shown(y[i]) };
    return error_y ? [value, { at, row, column: `${column} ±`, value: shown(error_y.array[i]) }] : [value];
  });
}

async function inCache(page: Page, file: string): Promise<void> {
  await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
  await page.waitForFunction(
    async (end) => {
      for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) if (url.endsWith(end)) return true;
      return false;
    },
    file,
    { polling: 100 },
  );
}
