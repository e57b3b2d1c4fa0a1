// What another project gets that depends on this one, and what of ours others bring.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { npmCommand } from "../scripts/setup/steps.mjs";

const ROOT = resolve(__dirname, "..");
const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));

// the temporary folder lies within the project, whose own danfo would be found
const WITHOUT_DANFO = `
  const Module = require("node:module");
  const { _resolveFilename } = Module;
  Module._resolveFilename = (name, ...rest) => {
    if (/^danfojs-node/.test(name)) throw Object.assign(new Error("Cannot find module " + name), { code: "MODULE_NOT_FOUND" });
    return _resolveFilename(name, ...rest);
  };`;

const PROGRAM = `${WITHOUT_DANFO}
  const { toFrame, table, loadModel, forward } = require("acronym-circuit");
  (async () => {
    table([{ head: "1.0", change: 0.5 }]);
    const { model } = await loadModel("embedded");
    console.log(forward(model, [[1, 2, 3]]).logits.shape.slice(0, 2).join(" "));
    try { toFrame([{ a: 1 }]); } catch (error) { console.log(error.message); }
    try { require("acronym-circuit/scripts/cli.mjs"); } catch (error) { console.log(error.code); }
  })();`;

test("packed and installed, it works with its dependencies alone", (t) => {
  const home = mkdtempSync(join(tmpdir(), "package-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const [npm, ...args] = npmCommand(process.env);
  execFileSync(npm, [...args, "pack", "--silent", "--pack-destination", home], { cwd: ROOT });
  const [tarball] = readdirSync(home);
  execFileSync("tar", ["-xzf", tarball], { cwd: home });
  const installed = join(home, "node_modules", "acronym-circuit");
  mkdirSync(dirname(installed));
  cpSync(join(home, "package"), installed, { recursive: true });
  assert.deepEqual(readdirSync(installed).sort(), ["LICENSE", "README.md", "data", "dist", "package.json"]);
  for (const name of Object.keys(read("package.json").dependencies)) {
    mkdirSync(dirname(join(home, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name), "junction");
  }
  const env = { ...process.env, HF_HUB_OFFLINE: "1", ACRONYM_BACKEND: "wasm" };
  const said = execFileSync(process.execPath, ["-e", PROGRAM], { cwd: home, env, encoding: "utf8" });
  assert.match(
    said,
    /^head +change\n1\.0 +0\.500\n1 3\ntoFrame needs danfojs-node.*npm install danfojs-node.*\nERR_PACKAGE_PATH_NOT_EXPORTED\n$/,
  );
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
