// Types, lint and format, install scripts, and the declarations as the notebooks' TypeScript reads them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type ts from "typescript";

const ROOT = resolve(__dirname, "..");

/** Runs a tool of node_modules; its output is the message of the failure. */
function tool(script: string, ...args: string[]): Promise<void> {
  return new Promise((done, failed) => {
    execFile(process.execPath, [join(ROOT, "node_modules", script), ...args], { cwd: ROOT }, (error, stdout, stderr) =>
      error ? failed(new assert.AssertionError({ message: `${stdout}${stderr}` || error.message })) : done(),
    );
  });
}

// set-up has compiled src with its own options
test("types: src, tests and scripts", () => tool("typescript7/bin/tsc", "-p", "tsconfig.check.json"));
test("lint and format", () =>
  tool("@biomejs/biome/bin/biome", "check", "--error-on-warnings", "--colors=off", "--max-diagnostics=20", "."));

test("every package with an install script is known, and none runs its", () => {
  const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
  const locked: Record<string, { name?: string; hasInstallScript?: boolean }> = read("package-lock.json").packages;
  const found = Object.entries(locked)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path, { name }]) => name ?? path.split("node_modules/").at(-1));
  assert.deepEqual(found.sort(), Object.keys(read("package.json").allowScripts).sort());
  const documented = readFileSync(join(ROOT, "environment.md"), "utf8");
  for (const name of found) assert.ok(documented.includes(`| \`${name}\``), `${name} is not in environment.md's table`);
  assert.match(readFileSync(join(ROOT, ".npmrc"), "utf8"), /^ignore-scripts=true$/m);
});

/** The compiler inside tslab, found the way tslab finds it. */
function notebookTypeScript(): typeof ts {
  return require(require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab/package.json")] }));
}

/** tslab's own options (its converter.js), with the declarations themselves checked too. */
function notebookOptions(compiler: typeof ts, strict: boolean): ts.CompilerOptions {
  return {
    module: compiler.ModuleKind.ESNext,
    moduleResolution: 2, // Node10
    esModuleInterop: true,
    target: compiler.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts"],
    experimentalDecorators: true,
    resolveJsonModule: true,
    jsx: compiler.JsxEmit.React,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules", "@types")],
    noEmit: true,
    skipLibCheck: false,
    strict,
  };
}

/** Files once parsed serve both ways of reading them. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What TypeScript 5.0.4 has against a notebook's cell that uses all of dist/. */
function complaints(strict: boolean): string[] {
  const compiler = notebookTypeScript();
  const modules = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => file.replace(/\\/g, "/").replace(/\.d\.ts$/, ""));
  assert.ok(modules.length > 0, "dist/ has no declarations");
  const consumer = join(ROOT, "notebooks", "__consumer__.ts");
  const text = modules
    .map((name, index) => `import * as m${index} from "../dist/${name}";\nvoid m${index};`)
    .join("\n");
  const options = notebookOptions(compiler, strict);
  const host = compiler.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.fileExists = (name) => name === consumer || fileExists(name);
  host.readFile = (name) => (name === consumer ? text : readFile(name));
  const source = host.getSourceFile;
  host.getSourceFile = (name, ...rest) => {
    if (name === consumer) return compiler.createSourceFile(name, text, rest[0]);
    if (!parsed.has(name)) parsed.set(name, source(name, ...rest));
    return parsed.get(name);
  };
  const program = compiler.createProgram([consumer], options, host);
  return program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === consumer || fileName.startsWith(join(ROOT, "dist").replace(/\\/g, "/")))
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(
      (diagnostic) =>
        `${diagnostic.file?.fileName}: ${compiler.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}`,
    );
}

test("tslab carries TypeScript 5.0.4", () => assert.equal(notebookTypeScript().version, "5.0.4"));
test("TypeScript 5.0.4 reads dist's declarations as a notebook does", () => assert.deepEqual(complaints(false), []));
test("TypeScript 5.0.4 reads dist's declarations in strict mode", () => assert.deepEqual(complaints(true), []));
