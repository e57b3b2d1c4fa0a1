import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import ts from "typescript";

/**
 * The order of src/: a file imports only from files above it. The one place where the order is kept; the parts of a
 * folder count as the folder.
 */
const ORDER = [
  "random",
  "hooks",
  "backend",
  "ops",
  "model",
  "plan",
  "forward",
  "safetensors",
  "hub",
  "weights",
  "nearest",
  "tokenizer",
  "words",
  "acronym-lines",
  "load",
  "dataset",
  "corruption",
  "paper",
  "metrics",
  "interventions",
  "sweep",
  "behaviour",
  "patching",
  "attribution",
  "circuits",
  "attention",
  "probes",
  "classify",
  "evaluate",
  "figures",
  "render",
  "display",
  "claims",
  "index",
];

const SRC = resolve(__dirname, "../src");

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
);

/** The name in ORDER that a file of src/ goes by. */
function layerOf(file: string): string {
  return relative(SRC, resolve(SRC, file)).split(/[/\\]/)[0].replace(/\.ts$/, "");
}

/** The files of src/ that a file imports, types and lazy `require` calls included. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(SRC, file), "utf8"), true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(SRC, resolve(SRC, dirname(file), name)));
}

test("src: every file has its place in the order", () => {
  const unknown = files.filter((file) => !ORDER.includes(layerOf(file)));
  assert.deepEqual(unknown, [], "put them where they belong in ORDER");
});

for (const file of files) {
  test(`src/${file} imports only upward`, () => {
    const own = ORDER.indexOf(layerOf(file));
    for (const imported of importsOf(file)) {
      const other = ORDER.indexOf(layerOf(imported));
      assert.notEqual(other, -1, `${imported} is not in ORDER`);
      const isSameFolder = layerOf(imported) === layerOf(file) && imported !== file;
      assert.ok(other < own || isSameFolder, `${file} imports ${imported}, which is not above it in ORDER`);
    }
  });
}
