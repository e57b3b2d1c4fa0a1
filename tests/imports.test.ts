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
  "check",
  "extent",
  "random",
  "slices",
  "hooks",
  "ops",
  "examples",
  "onnx-model",
  "onnx-kernels",
  "backend",
  "model",
  "graph",
  "plan",
  "memory",
  "formulas",
  "forward",
  "half",
  "header-reader",
  "safetensors-header",
  "safetensors",
  "output",
  "progress",
  "hub",
  "settings",
  "checkpoint",
  "weights",
  "nearest",
  "tokenizer",
  "load",
  "words",
  "acronym-lines",
  "dataset",
  "corruption",
  "paper",
  "token-rows",
  "metrics",
  "mean-by",
  "sweep",
  "interventions",
  "experiment",
  "playground",
  "behaviour",
  "patching",
  "ordinal",
  "paths",
  "attribution",
  "circuits",
  "qk",
  "attention",
  "positional",
  "positional-findings",
  "linear-probe",
  "probes",
  "classify",
  "thresholds",
  "evidence",
  "paper-evidence",
  "circuit-heads",
  "circuit-paths",
  "head-groups",
  "random-circuits",
  "evaluate",
  "figures",
  "render",
  "display",
  "claims",
  "compare",
  "paper-positional",
  "paper-patching",
  "paper-figures",
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

for (const file of files.filter((name) => ORDER.includes(layerOf(name)))) {
  test(`src/${file} imports only upward`, () => {
    const own = ORDER.indexOf(layerOf(file));
    for (const imported of importsOf(file)) {
      const other = ORDER.indexOf(layerOf(imported));
      const isSameFolder = layerOf(imported) === layerOf(file) && imported !== file;
      assert.ok(other < own || isSameFolder, `${file} imports ${imported}, which is not above it in ORDER`);
    }
  });
}
