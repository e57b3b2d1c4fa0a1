// npm run notebooks:save: a notebook that is good is never replaced by one that is not, or by half of one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../scripts/setup/paths.mjs";
import { writeAtomically } from "../scripts/setup/stamp.mjs";

const fixtures = path.resolve(__dirname, "fixtures", "notebooks");
const cli = path.resolve(__dirname, "..", "scripts", "cli.mjs");
let home: string;
beforeEach(() => {
  // as deep in the project as the fixtures, whose cells import ../../../dist
  mkdirSync(path.join(ROOT, ".setup", "tmp"), { recursive: true });
  home = mkdtempSync(path.join(ROOT, ".setup", "tmp", "save-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const notebook = (name: string) => path.join(home, `${name}.ipynb`);
const text = (name: string) => readFileSync(notebook(name), "utf8");

/** Saves copies of these fixtures. */
function save(names: readonly string[], env: NodeJS.ProcessEnv = {}) {
  for (const name of names) copyFileSync(path.join(fixtures, `${name}.ipynb`), notebook(name));
  const before = Object.fromEntries(names.map((name) => [name, text(name)]));
  const args = [cli, "save", "--folder", home, "--out", path.join(home, "out")];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: "pipe" });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      said += chunk;
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, said }));
  return { before, child, ended };
}
const files = () => readdirSync(home).filter((name) => name !== "out");

test("a notebook all of whose cells and claims pass is saved executed, and nothing is left beside it", async () => {
  const { before, ended } = save(["good"]);
  const { code, said } = await ended;
  assert.equal(code, 0, said);
  assert.notEqual(text("good"), before.good);
  assert.ok(JSON.parse(text("good")).cells.some((cell: { outputs?: object[] }) => cell.outputs?.length));
  assert.deepEqual(files(), ["good.ipynb"]);
});

test("one that fails keeps all of them as they were", async () => {
  const { before, ended } = save(["fails-a-claim", "good"]);
  const { code, said } = await ended;
  assert.equal(code, 1);
  assert.match(said, /Nothing was saved/);
  for (const name of ["fails-a-claim", "good"]) assert.equal(text(name), before[name], name);
});

test("a run that is killed keeps them, too", { skip: process.platform === "win32" }, async () => {
  const pidFile = path.join(home, "out", "pid");
  const { before, child, ended } = save(["never-ends"], { PID_FILE: pidFile });
  for (let tries = 0; tries < 600 && !existsSync(pidFile); tries++) await sleep(100);
  assert.ok(existsSync(pidFile), "the kernel did not start");
  child.kill("SIGTERM"); // the runner's end takes the kernel along: tests/notebooks-runner.test.ts
  await ended;
  assert.equal(text("never-ends"), before["never-ends"]);
  assert.deepEqual(files(), ["never-ends.ipynb"]);
});

test("who reads a file while two write it again and again finds one of its states, also if both have the same process id, as in two containers", async () => {
  const file = path.join(home, "b.txt");
  const states = ["a", "b"].map((letter) => letter.repeat(1 << 20));
  writeAtomically(file, states[0]);
  const script = `Object.defineProperty(process, "pid", { value: 7 });
const { writeAtomically } = await import(${JSON.stringify(path.resolve(__dirname, "..", "scripts", "setup", "stamp.mjs"))});
for (let i = 0; i < 200; i++) writeAtomically(${JSON.stringify(file)}, "ab"[i % 2].repeat(1 << 20));`;
  const writers = [1, 2].map(() =>
    once(spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" }), "close"),
  );
  let running = true;
  const ended = Promise.all(writers).then((ends) => {
    running = false;
    return ends.map(([code]) => code);
  });
  let reads = 0;
  for (; running; reads++) {
    assert.ok(states.includes(readFileSync(file, "utf8")), "half a file");
    await sleep(0);
  }
  assert.deepEqual(await ended, [0, 0]);
  assert.ok(reads > 10);
  assert.deepEqual(files(), ["b.txt"]);
});

test("a file that can't be written leaves no half beside it", () => {
  const place = path.join(home, "a-folder");
  mkdirSync(path.join(place, "inside"), { recursive: true });
  assert.throws(() => writeAtomically(place, "text"));
  assert.deepEqual(files(), ["a-folder"]);
});
