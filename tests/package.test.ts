// What another project gets that depends on this one, and what of ours others bring.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildSync } from "esbuild";
import { serve } from "../page/serve";
import { npmCommand } from "../scripts/setup/steps.mjs";
import { findChromium, NO_CHROMIUM, openBrowser } from "./fixtures/chromium";

const ROOT = resolve(__dirname, "..");
const chromium = findChromium();
const skip = !chromium && NO_CHROMIUM;
const MODEL = ["config.json", "vocab.json", "model.safetensors"];
const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));

// the temporary folder lies within the project, whose own danfo would be found
const WITHOUT_DANFO = `
  const Module = require("node:module");
  const { _resolveFilename } = Module;
  Module._resolveFilename = (name, ...rest) => {
    if (/^danfojs-node/.test(name)) throw Object.assign(new Error("Cannot find module " + name), { code: "MODULE_NOT_FOUND" });
    return _resolveFilename(name, ...rest);
  };`;

/** Programs of the project, one after the other in one process. */
const PROGRAM = `
  const { toFrame, table, loadModel, forward, behaviour, buildAcronyms } = require("acronym-circuit");
  (async () => {
    table([{ head: "1.0", change: 0.5 }]);
    const { model, tokenizer } = await loadModel("embedded");
    console.log(forward(model, [[1, 2, 3]]).logits.shape.slice(0, 2).join(" "));
    try { toFrame([{ a: 1 }]); } catch (error) { console.log(error.message); }
    try { require("acronym-circuit/scripts/cli.mjs"); } catch (error) { console.log(error.code); }
    await import("./esm.mjs");
    await require("./cjs.cjs").done;
    await import("./heads.mjs");
    const rows = await behaviour(model, buildAcronyms([["Kite", "Pint", "Wren"]], tokenizer), tokenizer);
    console.log(JSON.stringify(rows.map((row) => [...row.letter_logits])));
  })();`;

const CONSUMERS: Readonly<Record<string, string>> = {
  // types and values, by import and by require; a wrong hook name has to be refused by the types
  "esm.mts": `import { forward, loadModel, type Patched } from "acronym-circuit";
    const { model } = await loadModel("embedded");
    const shape: number[] = forward(model, [[1, 2, 3]]).logits.shape;
    const none: Patched | undefined = undefined;
    // @ts-expect-error: no such hook
    const refused = () => forward(model, [[1]], { keep: ["blocks.0.attn.hook_nothing"] });
    console.log("import", shape.length, typeof refused, none);`,
  "cjs.cts": `import circuit = require("acronym-circuit");
    export const done = circuit.loadModel("embedded").then(({ model }) => {
      const shape: number[] = circuit.forward(model, [[1, 2, 3]]).logits.shape;
      console.log("require", shape.length);
    });`,
};
const EXAMPLE = "heads.mts";

/** What a project for browsers writes; its own build has no settings for this library. */
const FOR_BROWSERS = `import * as tf from "@tensorflow/tfjs";
  import { acronymsAmong, behaviour, type LoadedModel, modelFromBytes } from "acronym-circuit/browser";
  /** The logits of the 26 capitals as each letter. */
  export async function letters(files: ReadonlyMap<string, Uint8Array>): Promise<number[][]> {
    await tf.setBackend("cpu");
    const { model, tokenizer }: LoadedModel = modelFromBytes("mine", files);
    const data = acronymsAmong([["Kite", "Pint", "Wren"]], tokenizer);
    return (await behaviour(model, data, tokenizer)).map((row) => [...row.letter_logits]);
  }`;

describe("packed and installed into an empty project", () => {
  let home: string;
  /** The logits of the 26 capitals as each letter. */
  let lettersInNode: number[][];
  const env = { ...process.env, HF_HUB_OFFLINE: "1", ACRONYM_BACKEND: "wasm" };
  const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: home, env, encoding: "utf8" });

  before(() => {
    home = mkdtempSync(join(tmpdir(), "package-"));
    const [npm, ...args] = npmCommand(process.env);
    execFileSync(npm, [...args, "pack", "--silent", "--pack-destination", home], { cwd: ROOT });
    const [tarball] = readdirSync(home);
    execFileSync("tar", ["-xzf", tarball], { cwd: home });
    const installed = join(home, "node_modules", "acronym-circuit");
    mkdirSync(dirname(installed));
    cpSync(join(home, "package"), installed, { recursive: true });
    // what npm would install with it, and what a TypeScript project for Node has
    for (const name of [...Object.keys(read("package.json").dependencies), "@types/node"]) {
      mkdirSync(dirname(join(home, "node_modules", name)), { recursive: true });
      symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name), "junction");
    }
  });
  after(() => home && rmSync(home, { recursive: true, force: true }));

  test("it holds what it needs, and nothing else", () => {
    const installed = readdirSync(join(home, "node_modules", "acronym-circuit"));
    assert.deepEqual(installed.sort(), ["LICENSE", "README.md", "data", "dist", "package.json"]);
  });

  const tsc = (files: readonly string[], ...options: readonly string[]) => {
    const program = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    return node(program, "--strict", "--skipLibCheck", "--target", "es2022", "--types", "node", ...options, ...files);
  };

  test("it has types, for import and require, under every resolution", () => {
    const example = readFileSync(join(ROOT, "examples", EXAMPLE), "utf8");
    assert.ok(
      readFileSync(join(ROOT, "README.md"), "utf8").includes(`\`\`\`ts\n${example}\`\`\``),
      "the README shows it as it is",
    );
    const sources: Readonly<Record<string, string>> = { ...CONSUMERS, [EXAMPLE]: example };
    for (const [file, text] of Object.entries(sources)) writeFileSync(join(home, file), text);
    writeFileSync(join(home, "letters.ts"), FOR_BROWSERS);
    tsc(["esm.mts", "letters.ts"], "--module", "esnext", "--moduleResolution", "bundler", "--noEmit");
    tsc(Object.keys(sources), "--module", "nodenext"); // what runs below
  });

  test("it works with its dependencies alone, by import and require; the README's script makes its figure and its numbers", () => {
    writeFileSync(join(home, "without-danfo.cjs"), WITHOUT_DANFO);
    const said = node("--require", "./without-danfo.cjs", "-e", PROGRAM);
    lettersInNode = JSON.parse(said.trim().split("\n").at(-1) ?? "");
    assert.match(
      said,
      /^head +change\n1\.0 +0\.500\n1 3\ntoFrame needs danfojs-node.*npm install danfojs-node.*\nERR_PACKAGE_PATH_NOT_EXPORTED\nimport 3 function undefined\nrequire 3\n.*\n$/,
    );
    assert.match(readFileSync(join(home, "heads.svg"), "utf8"), /^<svg[\s\S]*Effect of each head on each letter/);
    const csv = readFileSync(join(home, "heads.csv"), "utf8").trim().split("\n");
    assert.match(csv[0], /\blayer,head\b.*\bchange\b/);
    assert.equal(csv.length, 1 + 4 * 4 * 3);
  });

  test("a project for browsers bundles its part without settings, once, and says what Node says", {
    skip,
  }, async (t) => {
    const { metafile, warnings } = buildSync({
      entryPoints: [join(home, "letters.ts")],
      outfile: join(home, "letters.js"),
      bundle: true,
      format: "esm",
      platform: "browser",
      metafile: true,
      logLevel: "error",
    });
    assert.deepEqual(warnings, []);
    const engines = Object.keys(metafile.inputs).filter((file) =>
      /tfjs-core\/dist\/(engine|tf-core\.node)\.js$/.test(file),
    );
    assert.equal(engines.length, 1, "tfjs is there once");
    for (const name of MODEL) cpSync(join(ROOT, "data", "embedded", name), join(home, name));
    writeFileSync(join(home, "index.html"), "<!doctype html><title>Letters</title>");
    const server = await serve(home);
    const browser = await openBrowser(chromium as string);
    t.after(() => Promise.all([browser.close(), server.close()]));
    const page = await browser.newPage();
    await page.goto(server.address);
    const there = await page.evaluate<number[][]>(`import("./letters.js").then(async ({ letters }) => {
      const read = async (name) => [name, new Uint8Array(await (await fetch(name)).arrayBuffer())];
      return letters(new Map(await Promise.all(${JSON.stringify(MODEL)}.map(read))));
    })`);
    assert.deepEqual([there.length, there[0].length], [3, 26]);
    assert.deepEqual([lettersInNode.length, lettersInNode[0].length], [3, 26]);
    for (const [i, logits] of lettersInNode.entries())
      for (const [j, logit] of logits.entries())
        assert.ok(Math.abs(there[i][j] - logit) < 1e-4, `letter ${i + 1}, capital ${j}: ${there[i][j]}, ${logit}`);
  });
});

test("packages with known holes that others name are stand-ins here", () => {
  const locked: Record<string, { link?: boolean; resolved?: string }> = read("package-lock.json").packages;
  for (const name of ["request", "xlsx", "tar", "@tensorflow/tfjs-node"]) {
    const found = Object.entries(locked).filter(([path]) => path.endsWith(`node_modules/${name}`));
    assert.deepEqual(
      found.map(([path, { link }]) => [path, link]),
      [[`node_modules/${name}`, true]],
    );
  }
  // what the lockfile brings comes from one registry, and nothing from an address of its own
  for (const [path, { resolved = "" }] of Object.entries(locked)) assert.doesNotMatch(resolved, /\/\//, path);
  assert.throws(require("request").get, /known holes/);
});

test("every Python package is pinned, with the hashes of its files", () => {
  const lines = readFileSync(join(ROOT, "requirements.txt"), "utf8").replaceAll("\\\n", " ").trim().split("\n");
  assert.ok(lines.length > 100);
  for (const line of lines.filter((one) => !one.startsWith("#")))
    assert.match(line, /^[a-z0-9-]+==\S+( ; .*?)?( +--hash=sha256:[0-9a-f]{64})+$/);
});
