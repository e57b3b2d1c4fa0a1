/** Builds the site into a folder of files that any server of files can serve, under any path. No notebook is executed: they are shown as they are committed. */
import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { buildPage, writeServiceWorker } from "../../page/build";
import type { Tables } from "../../page/tables";
import { studentCopy, textOfNotebook } from "../lessons/copies.mjs";
import { jupyterEnv, projectPaths, ROOT } from "../setup/paths.mjs";
import { Problem } from "../setup/problem.mjs";
import { contents, SEARCH, type SitePage } from "./contents";

const HERE = join(ROOT, "scripts", "site");
const load = createRequire(__filename);
const run = promisify(execFile);

/** What the search needs; pagefind's own interfaces stay away. */
const SEARCHING =
  /^(pagefind(-worker)?\.js|pagefind-entry\.json|pagefind\..+\.pf_meta|wasm\..+\.pagefind|index|fragment|filter)$/;

/**
 * Builds the site. What was in the folder is replaced when all of it is made.
 * @param out the folder
 * @param tables what the page shows before it has computed anything
 * Throws a Problem if set-up has not been made, or a page links to what does not exist.
 */
export async function buildSite(out: string, tables: Tables): Promise<void> {
  if (!existsSync(projectPaths().venvPython))
    throw new Problem("The site needs set-up: npm run setup, then npm run site.");
  mkdirSync(dirname(out), { recursive: true });
  const stage = mkdtempSync(`${out}-`);
  try {
    const site = join(stage, "site");
    mkdirSync(join(site, "assets"), { recursive: true });
    layAssets(join(site, "assets"));
    await Promise.all([
      makePages(site, stage),
      makeReference(join(site, "api")),
      buildPage(join(site, "page"), tables, "../index.html"),
    ]);
    await makeSearch(site);
    // what shows pages comes along at once; figures, the API and what plotly draws are kept when they have been looked at
    writeServiceWorker(site, (file) => /^(?!api\/|page\/)[^.]+\.html$|^assets\/(?!plotly)|^files\/.+\.png$/.test(file));
    rmSync(out, { recursive: true, force: true });
    renameSync(site, out);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function layAssets(assets: string): void {
  for (const file of ["site.css", "site.js", "search.js"]) copyFileSync(join(HERE, file), join(assets, file));
  for (const file of ["theme.css", "icon.svg"]) copyFileSync(join(ROOT, "page", file), join(assets, file));
  copyFileSync(load.resolve("plotly.js-cartesian-dist-min"), join(assets, "plotly.min.js"));
}

/** Notebooks, lessons and documents. */
async function makePages(out: string, stage: string): Promise<void> {
  const menu = contents();
  const pages = [
    ...menu.flatMap((part) => part.pages.map((page, at) => ({ ...page, ...beside(part.title, part.pages, at) }))),
    SEARCH,
  ];
  const jobs = {
    pages: pages.map((page) => ({
      ...page,
      source: page.source ?? "",
      file: page.source ? readable(page.source, stage) : "",
    })),
    menu,
    root: ROOT,
    template: join(HERE, "page"),
    out,
  };
  const spec = join(stage, "jobs.json");
  writeFileSync(spec, JSON.stringify(jobs));
  const { stdout } = await run(projectPaths().venvPython, [join(HERE, "make_pages.py"), spec], {
    env: jupyterEnv(ROOT),
  });
  const missing: string[] = JSON.parse(stdout);
  if (missing.length > 0) throw new Problem(`There is no such file to link to:\n${missing.join("\n")}`);
}

/** Notebooks and lessons are read one after the other. */
const beside = (title: string, pages: readonly SitePage[], at: number) =>
  title === "Notebooks" || title === "Lessons" ? { before: pages[at - 1], after: pages[at + 1] } : {};

/** The file to be read: of a lesson a copy without solutions and notes for the teacher. */
function readable(source: string, stage: string): string {
  const file = join(ROOT, source);
  if (!source.startsWith("lessons/")) return file;
  const copy = join(stage, source);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, textOfNotebook(studentCopy(JSON.parse(readFileSync(file, "utf8")), dirname(file))));
  return copy;
}

/** The API from the doc comments. */
async function makeReference(out: string): Promise<void> {
  const typedoc = join(dirname(load.resolve("typedoc/package.json")), "bin", "typedoc");
  const options = ["--options", join(HERE, "typedoc.json"), "--out", out];
  await run(process.execPath, [typedoc, ...options], { cwd: ROOT });
  const pages = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  for (const page of pages) {
    const file = join(out, page);
    writeFileSync(file, accessible(readFileSync(file, "utf8"), page.split(/[\\/]/).length));
  }
}

/**
 * A page of typedoc's as screen readers need it, and with addresses of the site from where it lies: typedoc writes them as they are given.
 * @param depth folders above the page, up to the site's
 */
function accessible(html: string, depth: number): string {
  let level = 0;
  return html
    .replaceAll('href="site:', `href="${"../".repeat(depth)}`)
    .replace('<div class="col-content">', '<div class="col-content" role="main" data-pagefind-filter="part:API">')
    .replaceAll('<nav id="tsd-sidebar-links"', '<nav id="tsd-sidebar-links" aria-label="Site"')
    .replace(/<h([1-6])(?=[ >])/g, (tag, written) => {
      level = Math.min(Number(written), level + 1);
      return level === Number(written) ? tag : `${tag} aria-level="${level}"`;
    });
}

/** The index of all pages but the one that computes. */
async function makeSearch(site: string): Promise<void> {
  const pagefind = await import("pagefind");
  try {
    const { index, errors } = await pagefind.createIndex({
      excludeSelectors: ["header", "nav", "form", ".highlight", ".col-sidebar", ".around", ".data", "footer"],
    });
    if (!index) throw new Error(`No index: ${errors.join("; ")}`);
    const { errors: unread } = await index.addDirectory({
      path: site,
      glob: "{*,notebooks/*,lessons/*,docs/*,data/**/*,api/**/*}.html",
    });
    const { errors: unwritten } = await index.writeFiles({ outputPath: join(site, "pagefind") });
    const failed = [...unread, ...unwritten];
    if (failed.length > 0) throw new Error(`No index: ${failed.join("; ")}`);
  } finally {
    await pagefind.close();
  }
  for (const name of readdirSync(join(site, "pagefind")))
    if (!SEARCHING.test(name)) rmSync(join(site, "pagefind", name), { recursive: true });
}
