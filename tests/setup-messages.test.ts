import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { checkNode } from "../scripts/setup/node-version.mjs";
import { jupyterEnv, projectPaths, withModel } from "../scripts/setup/paths.mjs";
import { installFault, inWords, problem, systems } from "../scripts/setup/problem.mjs";
import { run } from "../scripts/setup/run.mjs";

test("Node from 20.10 on is taken, older is refused with a way out", () => {
  for (const version of ["20.10.0", "20.20.2", "22.0.0", "24.1.0"]) assert.equal(checkNode(version), undefined);
  for (const version of ["14.21.3", "18.20.0", "20.9.0"])
    assert.match(checkNode(version) ?? "", /too old.*nodejs\.org/s);
});

test("advice is for the system at hand, for both Linux families if that is not known", () => {
  assert.deepEqual(systems("darwin"), ["mac"]);
  assert.deepEqual(systems("win32"), ["windows"]);
  assert.deepEqual(systems("linux", 'NAME="x"\nID=linuxmint\nID_LIKE="ubuntu debian"'), ["debian"]);
  assert.deepEqual(systems("linux", "ID=fedora"), ["fedora"]);
  assert.deepEqual(systems("linux", "ID=arch"), ["debian", "fedora"]);
  const advice = { debian: "apt", fedora: "dnf", mac: "brew", windows: "winget" };
  assert.match(problem("Missing.", advice, ["windows"]).message, /^Missing\.\n {2}Windows: {2}winget\n/);
});

test("Jupyter keeps its files in the project and the user's own settings out", (t) => {
  const root = mkdtempSync(join(tmpdir(), "env-"));
  t.after(() => rmSync(root, { recursive: true }));
  const env = jupyterEnv(root, { HOME: "/h", PYTHONPATH: "/x", JUPYTER_PATH: "/y", ACRONYM_N: "5" });
  assert.equal(env.PYTHONPATH, undefined);
  assert.equal(env.JUPYTER_PATH, undefined);
  assert.equal(env.ACRONYM_N, "5");
  const folders = Object.entries(env).filter(([name]) => /^(JUPYTER|IPYTHON).*DIR$/.test(name));
  assert.equal(folders.length, 6);
  for (const [name, folder] of folders) assert.ok(folder?.startsWith(join(root, ".setup")), name);
});

test("Windows keeps a virtual environment's Python in Scripts", () => {
  assert.match(projectPaths("/p", "win32").venvPython, /Scripts.python\.exe$/);
  assert.match(projectPaths("/p", "linux").venvPython, /bin.python$/);
});

test("a model's folder is named from where the command was given, a model's name stays", () => {
  const env = { INIT_CWD: __dirname, ACRONYM_MODEL: "fixtures" };
  assert.equal(withModel(env).ACRONYM_MODEL, join(__dirname, "fixtures"));
  assert.equal(withModel(env, "gpt2").ACRONYM_MODEL, "gpt2");
  assert.equal(withModel({}).ACRONYM_MODEL, undefined);
});

test("a program that takes longer than its time limit is ended, and the message says so", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "limit-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = { cwd: folder, env: process.env, log: join(folder, "log") };
  const hanging = ["-e", `process.on("exit", () => {}); setInterval(() => {}, 1000)`];
  const { code, output } = await run(process.execPath, hanging, { ...at, timeLimit: 300 });
  assert.equal(code, 1);
  assert.match(installFault("pip download", output, at.log).message, /^pip download failed\. It took too long/);
  const quick = await run(process.execPath, ["-e", "console.log(1)"], { ...at, timeLimit: 60_000 });
  assert.deepEqual(quick, { code: 0, output: "1\n" });
});

/** The commands and nothing else, in a folder called `name`. */
function commandsAlone(name: string) {
  const home = mkdtempSync(join(tmpdir(), "commands-"));
  chmodSync(home, 0o755);
  const root = join(home, name);
  for (const part of ["scripts", "src"]) cpSync(resolve(__dirname, "..", part), join(root, part), { recursive: true });
  writeFileSync(join(root, "package.json"), "{}");
  const call = (command: string, options: { uid?: number; gid?: number } = {}) => {
    const args = [join(root, "scripts", "cli.mjs"), command];
    const { stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", ...options });
    return error === undefined ? `${stdout}${stderr}` : error.message;
  };
  return { home, root, call };
}

test("a folder that this user may not write is said in words", { skip: process.platform === "win32" }, (t) => {
  const { home, root, call } = commandsAlone("project");
  t.after(() => rmSync(home, { recursive: true }));
  chmodSync(root, 0o555);
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}; // root may write anywhere
  const said = call("setup", nobody);
  if (said.includes("EACCES") && said.startsWith("spawn")) return t.skip("nobody can't run Node here");
  assert.match(said, /^\n.*\.setup can not be written: this user may not do that \(EACCES\)\. .*copy the project/);
  assert.doesNotMatch(said, / {4}at /);
});

test("other places that can't be written are said in words, other errors stay whole", () => {
  const fault = (code: string, more: object) => Object.assign(new Error(code), { code, ...more });
  assert.match(`${inWords(fault("ENOSPC", { syscall: "write" }))}`, /^\nA file can not be written: the disk is full/);
  assert.match(`${inWords(fault("EROFS", { syscall: "mkdir", path: "/out" }))}`, /\/out .*can only be read \(EROFS\)/);
  for (const error of [fault("ENOENT", { path: "/x" }), fault("toString", { path: "/x" }), new Error("odd"), undefined])
    assert.equal(inWords(error), error);
});

test("a folder with a ? in its path is refused by what can't run there", {
  skip: process.platform === "win32",
}, (t) => {
  const { home, call } = commandsAlone("what?");
  t.after(() => rmSync(home, { recursive: true }));
  for (const command of ["test", "fetch", "validate"]) assert.match(call(command), /has a "\?" in its path/, command);
});
