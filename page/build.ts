/** Builds the page into a folder of files that any server of files can serve, under any path. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { MODEL_FILES } from "./model-files";
import type { Tables } from "./tables";

const ROOT = resolve(__dirname, "..");
const WASM = "tfjs-backend-wasm-simd.wasm";
const load = createRequire(__filename);

/** Files of the page as they are written by hand. */
const STATIC = ["index.html", "theme.css", "style.css", "icon.svg"];

/**
 * Builds the page. What was in the folder is removed.
 * @param out the folder
 * @param tables what is computed ahead
 * @param site the address, seen from the page, of a site that it is part of
 */
export async function buildPage(out: string, tables: Tables, site?: string): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "model"), { recursive: true });
  for (const file of STATIC) copyFileSync(join(ROOT, "page", file), join(out, file));
  allowHosts(join(out, "index.html"), tables.bigger.hosts);
  for (const file of MODEL_FILES) copyFileSync(join(ROOT, "data", "embedded", file), join(out, "model", file));
  copyFileSync(
    join(dirname(load.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist", WASM),
    join(out, WASM),
  );
  const { metafile } = await build({
    metafile: true,
    entryPoints: [join(ROOT, "page", "main.tsx")],
    outdir: out,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    chunkNames: "[name]-[hash]",
    legalComments: "linked",
    jsx: "automatic",
    jsxImportSource: "preact",
    alias: { "@tensorflow/tfjs": join(ROOT, "page", "browser", "tfjs.ts") },
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [
      {
        name: "tables",
        setup(own) {
          own.onResolve({ filter: /^tables:page$/ }, () => ({ path: "tables", namespace: "page" }));
          own.onLoad({ filter: /.*/, namespace: "page" }, () => ({
            contents: JSON.stringify(rounded(tables)),
            loader: "json",
          }));
        },
      },
    ],
  });
  if (site) linkSite(join(out, "index.html"), site);
  const rare = Object.entries(metafile.outputs).filter(([, { inputs }]) => Object.keys(inputs).some(isWebgpu));
  const onRequest = rare.map(([file]) => basename(file));
  writeServiceWorker(out, (file) => !file.endsWith(".LEGAL.txt") && !onRequest.includes(file));
}

/** A backend that a reader has to ask for, as large as all the rest. */
const isWebgpu = (source: string): boolean => source.includes("tfjs-backend-webgpu");

/** Lets the page ask these hosts, and no other. Throws an Error if its policy is not where it is looked for. */
function allowHosts(file: string, hosts: readonly string[]): void {
  const [html, own] = [readFileSync(file, "utf8"), "connect-src 'self'"];
  if (!html.includes(own)) throw new Error(`${file} has no ${own} in its policy`);
  writeFileSync(file, html.replace(own, [own, ...hosts].join(" ")));
}

function linkSite(file: string, site: string): void {
  const link = `<nav class="to-site" aria-label="Site"><a href="${site}">Notebooks, lessons, documents</a></nav>`;
  writeFileSync(file, readFileSync(file, "utf8").replace("<body>", `<body>\n    ${link}`));
}

/** Numbers with as many digits as can be seen. */
const rounded = (tables: Tables): unknown =>
  JSON.parse(JSON.stringify(tables, (_, value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value)));

/** The files in a folder and its folders, as an address names them. */
export const filesOf = (out: string): string[] =>
  readdirSync(out, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(out, file)).isFile())
    .map((file) => file.replaceAll("\\", "/"))
    .sort();

/**
 * The service worker keeps this very build, by a name made of its content: another build is another cache.
 * @param atOnce which files it fetches before they are asked for
 */
export function writeServiceWorker(out: string, atOnce: (file: string) => boolean): void {
  const files = filesOf(out).filter(atOnce);
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(out, file)));
  const code = readFileSync(join(ROOT, "page", "service-worker.js"), "utf8")
    .replace("VERSION", hash.digest("hex").slice(0, 16))
    .replace('"FILES"', JSON.stringify(["./", ...files]));
  writeFileSync(join(out, "service-worker.js"), code);
}

/** Sizes of the page's scripts, gzipped: those that every reader loads, and those of backends that few need. */
function scriptSizes(out: string): { file: string; bytes: number }[] {
  return filesOf(out)
    .filter((file) => file.endsWith(".js"))
    .map((file) => ({ file, bytes: gzipSync(readFileSync(join(out, file)), { level: 9 }).length }));
}

async function main(): Promise<void> {
  const { computeTables } = await import("./compute-tables");
  const out = join(ROOT, "out", "page");
  await buildPage(out, await computeTables());
  for (const { file, bytes } of scriptSizes(out))
    console.log(`${(bytes / 1000).toFixed(1).padStart(7)} kB gzipped  ${file}`);
  if (!process.argv.includes("--serve")) return console.log(`The page is in ${out}; npm run page -- --serve opens it`);
  const { serve } = await import("./serve");
  const { address } = await serve(out);
  console.log(`The page is at ${address}; Ctrl+C ends it`);
}

if (require.main === module) main();
