// What src/ is made of: rooms in an order, no way around it, and which of them run in a browser.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";
import { transformSync } from "esbuild";
import ts from "typescript";

/** A file imports only from its own room and those before it. */
const ROOMS = [
  "numbers",
  "figures",
  "show",
  "model",
  "load",
  "prompts",
  "experiments",
  "discovery",
  "groups",
  "paper",
  "lessons",
  "portable.ts",
  "browser.ts",
  "index.ts",
];

/**
 * Rooms that a page in a browser uses as they are; of `model` all but the choice of a backend, of `lessons` all but what a notebook calls: both are the
 * host's; of `load` and `prompts` all but what reads or hashes files. `portable.ts` and `browser.ts` offer them.
 */
const PORTABLE =
  /^(numbers|figures|model(?!\/backend)|load(?!\/(hub|config-file|files|folder|load|lock|resolve|safetensors-file|sha256|untrained|vocabulary-files|weight-files)\b)|prompts(?!\/(dataset|settings|words)\b)|experiments|discovery|groups|lessons(?!\/notebook))\/|^(portable|browser)\.ts$/;

const SRC = resolve(__dirname, "../src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.m?ts$|\.mjs$/.test(file))
  .map((file) => file.replaceAll(sep, "/"));
const roomOf = (file: string) => file.split("/")[0];

interface Imported {
  /** As it is written. */
  readonly name: string;
  /** The file of src/, if it is one; a path beginning with ".." if it lies outside; undefined for packages. */
  readonly file?: string;
}

const source = (file: string) => readFileSync(join(SRC, file), "utf8");

/** Every import, `import()`, `require` and type of a file. */
function importsOf(file: string, text = source(file)): Imported[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName: name }) => {
    if (!name.startsWith(".")) return { name };
    const path = relative(SRC, resolve(SRC, dirname(file), name)).replaceAll(sep, "/");
    return { name, file: [path, `${path}.ts`, `${path}/index.ts`].find((one) => files.includes(one)) ?? `../${path}` };
  });
}

/** A file as it runs, without types and comments; what of its imports is left then; and its code without texts. */
const compiled = new Map(
  files.map((file) => {
    const text = transformSync(source(file), {
      loader: file.endsWith(".mjs") ? "js" : "ts",
      legalComments: "none",
    }).code;
    const code = text.replace(/(["'`])(?:\\.|(?!\1)[^\\])*\1/gs, '""');
    return [file, { loads: importsOf(file, text), code }] as const;
  }),
);
const loadedBy = (file: string) => compiled.get(file)?.loads ?? [];

test("src/ holds its rooms and the list of what they offer", () => {
  assert.deepEqual(readdirSync(SRC).sort(), [...ROOMS].sort());
});

for (const file of files) {
  test(`src/${file} imports only from its own room and earlier ones`, () => {
    for (const { name, file: imported } of importsOf(file)) {
      if (imported === undefined) continue;
      assert.ok(files.includes(imported), `${name} is no file of src/`);
      const [own, other] = [file, imported].map((one) => ROOMS.indexOf(roomOf(one)));
      assert.ok(other <= own, `${name} is in a later room`);
    }
  });
}

test("inside a room no file imports itself by way of others", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    assert.ok(!path.includes(file), `a circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
    if (done.has(file)) return;
    for (const { file: next } of loadedBy(file)) if (next && files.includes(next)) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

for (const file of files.filter((name) => PORTABLE.test(name))) {
  test(`src/${file} runs without Node, and so does what it loads`, () => {
    const seen = new Set<string>();
    const visit = (one: string, path: string) => {
      if (seen.has(one)) return;
      seen.add(one);
      // `require` of a package by its name is an import that waits: bundlers know it
      const asks = /\b(process|require(?!\(""\))|__dirname|Buffer|setImmediate)\b/;
      assert.doesNotMatch(compiled.get(one)?.code ?? source(one), asks, `${path} asks for Node`);
      for (const { name, file: next } of loadedBy(one)) {
        assert.ok(!builtinModules.includes(name.replace(/^node:/, "").split("/")[0]), `${path} loads ${name}`);
        if (next) visit(next, `${path} → ${next}`);
      }
    };
    visit(file, file);
  });
}
