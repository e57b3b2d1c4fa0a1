// npm run notebooks:save: a notebook that is good is never replaced by one that is not, or by half of one.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { main } from "../scripts/commands/save.mjs";
import type { runNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { writeAtomically } from "../scripts/setup/stamp.mjs";
import { outcomeOf } from "./fixtures/command";
import { until } from "./fixtures/processes";

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

const out = () => path.join(home, "out");
const files = () => readdirSync(home).filter((name) => name !== "out");

/** Copies of these fixtures, and how to save them. */
function copies(names: readonly string[]) {
  for (const name of names) copyFileSync(path.join(fixtures, `${name}.ipynb`), notebook(name));
  const before = Object.fromEntries(names.map((name) => [name, text(name)]));
  return { before, args: ["--folder", home, "--out", out()] };
}

test("a notebook all of whose cells and claims pass is saved executed, and nothing is left beside it", () => {
  const { before, args } = copies(["good"]);
  const { status, stderr } = spawnSync(process.execPath, [cli, "save", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.notEqual(text("good"), before.good);
  assert.ok(JSON.parse(text("good")).cells.some((cell: { outputs?: object[] }) => cell.outputs?.length));
  assert.deepEqual(files(), ["good.ipynb"]);
});

for (const [what, problems, output] of [
  ["fails", ["Claim failed: two is three"], ""],
  ["names a folder of this machine in an output", [], ROOT],
] as const)
  test(`one that ${what} keeps all of them as they were`, async () => {
    const { before, args } = copies(["fails-a-claim", "good"]);
    // as if they had been executed, the first one so
    const executed: typeof runNotebooks = async ({ folder }) =>
      Object.keys(before).map((name, i) => {
        const file = path.join(out(), `${name}.ipynb`);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, `executed${i === 0 ? output : ""}`);
        const source = path.join(folder, `${name}.ipynb`);
        const counts = { cells: 1, seconds: 1, figures: 0, claims: [], fault: null };
        return { name, source, executed: file, html: "", ...counts, problems: i === 0 ? [...problems] : [] };
      });
    const { code, out: said, err } = await outcomeOf((own) => main([...own], executed), args);
    assert.equal(code, 1);
    assert.match(`${said}\n${err}`, /Nothing was saved/);
    for (const name of ["fails-a-claim", "good"]) assert.equal(text(name), before[name], name);
  });

test("a run that is killed keeps them, too", { skip: process.platform === "win32" }, async () => {
  const { before, args } = copies(["never-ends"]);
  const child = spawn(process.execPath, [cli, "save", ...args], { stdio: "ignore" });
  const ended = once(child, "close");
  await until("its beginning", () => existsSync(out()) && readdirSync(out()).length > 0, 60);
  child.kill("SIGTERM"); // that its kernel goes along: tests/notebooks-runner.test.ts
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
