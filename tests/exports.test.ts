// src/index.ts, with src/portable.ts, is what notebooks, documented examples and the code that the page shows import, by name, and nothing else.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { codeOf } from "../page/code";
import { OPENING } from "../page/state";
import { codeCells } from "../scripts/notebooks/format-cells.mjs";
import * as library from "../src";

const ROOT = resolve(__dirname, "..");
const filesOf = (folder: string, end: string) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith(end))
    .map((file) => readFileSync(join(ROOT, folder, file), "utf8"));

const notebooks = [...filesOf("notebooks", ".ipynb"), ...filesOf("lessons", ".ipynb")];
const cells = notebooks.flatMap((text) => codeCells(JSON.parse(text)).map((cell) => cell.text));
const examples = [...filesOf(".", ".md"), ...filesOf("docs", ".md")].flatMap((text) =>
  [...text.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]),
);

const shown = codeOf({ ...OPENING, exchange: { pair: ["C1", "C2"], embeddings: true, clock: true } });

const imported = new Set(
  [...cells, ...examples, shown]
    .flatMap((code) =>
      [...code.matchAll(/import \{([^}]*)\} from "\.\.\/dist"/g)].flatMap((match) => match[1].split(",")),
    )
    .map((name) => name.trim()),
);

test("every exported value is imported by a notebook, a documented example or the page's code", () => {
  const unused = Object.keys(library).filter((name) => !imported.has(name));
  assert.deepEqual(unused, [], "take them off src/index.ts or src/portable.ts");
});
