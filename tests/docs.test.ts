// The examples of docs/tasks.md run as they stand there, one after the other in each section.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import ts from "typescript";
import { initBackend } from "../src/model/backend/choose";
import { near } from "./fixtures/close";

const ROOT = resolve(__dirname, "..");
const sections = readFileSync(join(ROOT, "docs", "tasks.md"), "utf8")
  .split(/^## /m)
  .slice(1);
const load = createRequire(__filename);

/** What a section's examples leave behind: their constants by name. */
async function run(title: string): Promise<Record<string, never>> {
  const section = sections.find((one) => one.startsWith(`${title}\n`));
  assert.ok(section, `no section "${title}"`);
  const code = [...section.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]).join("\n");
  const names = [...code.matchAll(/^const (?:\{ (.*?) \}|\[(\w+)\]|(\w+))/gm)].flatMap((match) =>
    (match[1] ?? match[2] ?? match[3]).split(", "),
  );
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(code, { compilerOptions: options });
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const example = new AsyncFunction("require", "exports", `${outputText}\nreturn { ${names.join(", ")} };`);
  return example((name: string) => load(name === "../dist" ? "../src" : name), {});
}

before(() => initBackend());

const columns = (rows: readonly object[], column: string) => [
  ...new Set(rows.map((row) => (row as Record<string, unknown>)[column])),
];

test("acronyms of four letters", async () => {
  const { levels, parts, looks, patched } = await run("Acronyms of other lengths and templates");
  assert.deepEqual(columns(levels, "letter"), [1, 2, 3, 4]);
  assert.deepEqual(columns(parts, "letter"), [1, 2, 3, 4]);
  const labels = ["BOS", "The", "C1", "T1", "C2", "T2", "C3", "T3", "C4", "T4", "(", "A1", "A2", "A3"];
  assert.deepEqual(columns(looks, "query"), labels);
  assert.deepEqual(columns(patched, "position"), labels);
});

test("a task of a reader's own: induction on random tokens", async () => {
  const found = await run("A task of your own");
  const { residual, heads, paths, parts, looks, lost, alone } = found as unknown as Record<string, object[]>;
  for (const rows of [residual, heads, paths, parts, lost]) assert.deepEqual(columns(rows, "letter"), [1, 2, 3]);
  const labels = ["BOS", "a1", "a2", "a3", "a4", "a5", "b1", "b2", "b3"];
  assert.deepEqual(columns(residual, "position"), labels);
  assert.deepEqual(columns(looks, "key"), labels);
  assert.deepEqual([alone.length, (alone[0] as number[]).length], [40, 3]);
  const harmed = residual as { layer: number; position: string; letter: number; change: number }[];
  for (const { layer, position, letter, change } of harmed) {
    if (layer > 0) continue;
    const own = position === `a${letter + 1}`; // before layer 0 the answer stands nowhere else
    if (own) assert.ok(Math.abs(change) > 1e-3, `letter ${letter} at ${position}: ${change}`);
    else near(change, 0);
  }
});
