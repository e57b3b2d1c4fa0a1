// The examples of docs/tasks.md run as they stand there, one after the other in each section; those of doc comments each by itself, and print what they say.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { format } from "node:util";
import ts from "typescript";
import * as library from "../src";
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
  const scope = { require: (name: string) => load(name === "../dist" ? "../src" : name), exports: {} };
  return execute(code, scope, `return { ${names.join(", ")} };`);
}

/** Executes TypeScript that may wait, with these names known to it. */
function execute(code: string, scope: object, end = ""): Promise<Record<string, never>> {
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(code, { compilerOptions: options });
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  return new AsyncFunction(...Object.keys(scope), `${outputText}\n${end}`)(...Object.values(scope));
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

/** Doc comments' examples: in which file, of what, and the code. */
const examples = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => {
    const text = readFileSync(join(ROOT, "src", file), "utf8");
    return [...text.matchAll(/@example\b(.*?)\*\/\s*export (?:async )?function (\w+)/gs)].map(([, said, name]) => {
      const code = /```ts\n(.*?)```/s.exec(said.replace(/^ *\* ?/gm, ""))?.[1];
      assert.ok(code, `src/${file}: the example of ${name} is not in \`\`\`ts`);
      return { file, name, code };
    });
  });

test("there are examples of what is met first", () => {
  const met = ["loadModel", "loadAcronyms", "forward", "patch", "activationPatch", "logitAttribution", "followPaths"];
  const missing = [...met, "classifyHeads", "probesOfRuns", "heatmap"].filter(
    (name) => !examples.some((one) => one.name === name),
  );
  assert.deepEqual(missing, []);
});

for (const { file, name, code } of examples)
  test(`the example of ${name} runs and prints what it says`, async (t) => {
    const printed: string[] = [];
    const console = { log: (...said: unknown[]) => printed.push(format(...said)) };
    const home = mkdtempSync(join(tmpdir(), "example-"));
    const folder = process.cwd();
    t.after(() => {
      process.chdir(folder);
      rmSync(home, { recursive: true, force: true });
    });
    process.chdir(home);
    // what is not for notebooks knows its own file's names, too
    await execute(`{${code}}`, { ...library, ...(load(`../src/${file}`) as object), console });
    const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]);
    const files = [...code.matchAll(/"([\w-]+\.(?:svg|csv))"/g)].map((match) => match[1]);
    assert.ok(said.length + files.length > 0, "it says nothing that could be wrong");
    assert.deepEqual(printed, said);
    assert.deepEqual(readdirSync(home), files);
  });
