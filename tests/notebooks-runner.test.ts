// The runner on small notebooks with known faults (tests/fixtures/notebooks).
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { listNotebooks, newStage, type Result, runNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { table } from "../scripts/notebooks/report.mjs";
import { projectPaths, ROOT } from "../scripts/setup/paths.mjs";
import { isAlive, until } from "./fixtures/processes";
import { remoteLoads } from "./fixtures/remote-loads";

const folder = resolve(__dirname, "fixtures", "notebooks");
/** What only the compiler, the cells or the judgement decide, and no kernel is needed for: tests/in-process.test.ts. */
const ELSEWHERE = [
  "claims-nothing",
  "forgets-to-wait",
  "forgets-to-wait-for-a-figure",
  "has-a-type-error",
  "loses-a-promise",
  "loses-an-error",
  "waits-for-its-value",
];
const cli = resolve(__dirname, "..", "scripts", "cli.mjs");

test("a run leaves alone what another one, in another container, is still working on", (t) => {
  const out = mkdtempSync(join(tmpdir(), "stages-"));
  t.after(() => rmSync(out, { recursive: true }));
  const [theirs, abandoned] = [".stage-4194305", ".stage-4194306"].map((name) => join(out, name)); // process ids that none has here
  const benches = [theirs, abandoned].map((stage) => `${stage}-bench`);
  for (const stage of [theirs, abandoned, ...benches]) mkdirSync(stage);
  for (const stage of [abandoned, ...benches]) utimesSync(stage, 0, 0); // a bench has no heartbeat: it lives as long as its stage
  const stages = [newStage(out), newStage(out)];
  assert.notEqual(stages[0], stages[1]);
  assert.deepEqual(
    readdirSync(out)
      .sort()
      .map((name) => join(out, name)),
    [theirs, benches[0], ...stages].sort(),
  );
});

describe("runner", () => {
  const out = mkdtempSync(join(tmpdir(), "runner-"));
  const results = new Map<string, Result>();
  const problems = (name: string) => (results.get(name) ?? assert.fail(`${name} did not run`)).problems.join("\n");
  const read = (...path: string[]) => readFileSync(join(out, ...path), "utf8");
  let atTheEnd = 0; // seconds of the run after its last notebook
  before(async () => {
    let last = 0;
    const onResult = (result: Result) => {
      results.set(result.name, result);
      last = performance.now();
    };
    const selection = listNotebooks(folder).filter((name) => !ELSEWHERE.includes(name));
    await runNotebooks({ folder, out, selection, timeLimit: 10, onResult });
    atTheEnd = (performance.now() - last) / 1000;
  });
  after(() => rmSync(out, { recursive: true, force: true }));

  test("a good notebook has no problem; its figure and claims are counted", () => {
    const { figures, claims, problems, cells } = results.get("good") ?? assert.fail();
    assert.deepEqual(
      { figures, claims: claims.length, problems, cells },
      { figures: 1, claims: 2, problems: [], cells: 3 },
    );
  });

  test("out/ holds the executed notebook, the page and the figure in two formats, and no leftovers", () => {
    assert.deepEqual(readdirSync(join(out, "figures", "good")).sort(), ["two-bars.png", "two-bars.svg"]);
    const { cells } = JSON.parse(read("notebooks", "good.ipynb"));
    assert.deepEqual(
      cells.map((cell: { execution_count?: number }) => cell.execution_count),
      [undefined, 1, 2, 3],
    );
    assert.deepEqual(cells[1].outputs, [{ name: "stdout", output_type: "stream", text: ["first\n", "second\n"] }]);
    assert.deepEqual(
      readdirSync(out).filter((name) => name.startsWith(".")),
      [],
    );
  });

  test("a page is whole without the network: plotly.js once, the figure, its picture for readers without scripts", () => {
    const page = read("html", "good.html");
    assert.deepEqual(remoteLoads(page), []);
    assert.equal(page.match(/plotly\.js \(cartesian/g)?.length, 1);
    assert.equal(page.match(/class="figure-source"/g)?.length, 1);
    assert.match(page, /<noscript><img alt="Two bars &lt;1 &amp; 2\.5&gt;" src="data:image\/png;base64,/);
    assert.match(page, /"C", "\\u003c\/script>"/);
  });

  test("a page's links lead where the notebook's do, to other notebooks' pages", () => {
    const page = read("html", "good.html");
    assert.match(page, /<a href="fails-a-claim\.html">another<\/a>/);
    const target = /<a href="([^"]*)">this test<\/a>/.exec(page)?.[1] ?? "";
    assert.equal(resolve(out, "html", target), __filename);
    assert.match(page, /<a href="https:\/\/example\.org">elsewhere<\/a>/);
  });

  test("a folder's name is part of a link's address, whatever is in it", () => {
    const code = `import sys; sys.path.insert(0, sys.argv[1]); import run_notebooks as r
print(r.LINK.sub(lambda link: r.moved(link, '../a" onmouseover="b?c#d&e f'), '<a href="x.md">x</a>'))`;
    const at = resolve(__dirname, "..", "scripts", "notebooks");
    assert.equal(
      execFileSync(projectPaths().venvPython, ["-c", code, at], { encoding: "utf8" }).trim(),
      '<a href="../a%22%20onmouseover%3D%22b%3Fc%23d%26e%20f/x.md">x</a>',
    );
  });

  test("a failed cell is shown with its number, source and the line of src/", () => {
    assert.match(
      problems("fails-in-a-cell"),
      /^Cell 2 failed:\n.*1 \| console\.log\("before"\);\n.*2 \| random\(0\.5\);/s,
    );
    assert.match(problems("fails-in-a-cell"), /seed must be an integer, not 0\.5/);
    assert.match(problems("fails-in-a-cell"), /src[/\\]numbers[/\\]random\.ts:\d+:\d+/);
    assert.doesNotMatch(problems("fails-in-a-cell"), /node_modules/);
    const { cells } = JSON.parse(read("failed", "fails-in-a-cell.ipynb"));
    assert.deepEqual(cells[3].outputs, [], "cells after it do not run");
    assert.equal(existsSync(join(out, "notebooks", "fails-in-a-cell.ipynb")), false);
  });

  test("a failed claim is a problem and counted", () => {
    assert.equal(problems("fails-a-claim"), "Claim failed: two is three\n  2 ≠ 3");
    assert.match(table([...results.values()]), /^fails-a-claim +[\d.]+ +0 +2 +1 +FAILED$/m);
  });

  test("a cell that ends the kernel", () => assert.match(problems("ends-its-kernel"), /Cell 1 .*The kernel ended/s));
  test("a cell that never ends", () => assert.match(problems("never-ends"), /longer than 10 seconds/));
  for (const [name, error] of [
    ["loses-an-error-between-cells", /^Cell 1 failed:.*Error: rejected later/s],
    ["loses-an-error-at-the-end", /^Cell 2 failed:.*Error: after the last cell/s],
  ] as const)
    test(`${name}: its error is the notebook's, with the cell that started it`, () => {
      assert.match(problems(name), error);
      assert.equal(existsSync(join(out, "notebooks", `${name}.ipynb`)), false);
    });

  test("a cell's programs reach neither the runner's events nor its end", () => {
    const { figures, claims, problems, seconds } = results.get("writes-past-its-kernel") ?? assert.fail();
    assert.deepEqual({ figures, claims: claims.length, problems }, { figures: 0, claims: 1, problems: [] });
    assert.ok(seconds > 0 && atTheEnd < 55, `the run lasted ${atTheEnd} s longer than its notebooks`);
  });

  test("an output that can't be saved ends that notebook only", () =>
    assert.match(problems("prints-half-a-character"), /can not be saved: .*ud800/));

  test("a notebook passes only if every cell ran to its end", () => {
    assert.match(problems("skips-a-cell"), /^Cell 1 failed:.*skip-execution/s);
    assert.match(problems("raises-an-exception"), /^Cell 1 failed:.*Error: expected/s);
  });

  test("a timer that never ends is no fault, and is not waited for long", () => {
    assert.equal(problems("leaves-a-timer"), "");
    assert.ok((results.get("leaves-a-timer")?.seconds ?? Number.NaN) < 30);
  });

  test("a file that is no notebook is named", async () => {
    const broken = mkdtempSync(join(tmpdir(), "broken-"));
    writeFileSync(join(broken, "half.ipynb"), '{"cells": [');
    const [result] = await runNotebooks({ folder: broken, out: join(broken, "out") });
    assert.match(result.problems.join(), /half\.ipynb is not a readable notebook/);
    rmSync(broken, { recursive: true });
  });

  test("an error in an event's handler ends the run, with its kernel", { timeout: 120_000 }, async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "handler-"));
    const onEvent = ({ event }: Record<string, unknown>) => {
      if (event === "cell") throw new Error("in the handler");
    };
    const run = runNotebooks({ folder, out: elsewhere, selection: ["never-ends"], timeLimit: 300, onEvent });
    await assert.rejects(run, /in the handler/);
    assert.deepEqual(readdirSync(elsewhere), []);
    rmSync(elsewhere, { recursive: true });
  });

  test("a failed run leaves the results of an earlier good one", async () => {
    const changing = mkdtempSync(join(tmpdir(), "changing-"));
    const at = { folder: changing, out: join(changing, "out") };
    const cell = (source: string) => ({
      cell_type: "code",
      id: "a",
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    });
    const write = (source: string) =>
      writeFileSync(
        join(changing, "n.ipynb"),
        JSON.stringify({ cells: [cell(source)], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
      );
    write('console.log("good");');
    await runNotebooks(at);
    const good = readFileSync(join(at.out, "notebooks", "n.ipynb"), "utf8");
    write('throw new Error("bad");');
    await runNotebooks(at);
    assert.equal(readFileSync(join(at.out, "notebooks", "n.ipynb"), "utf8"), good);
    rmSync(changing, { recursive: true });
  });
});

describe("of a notebook that fails", () => {
  const output = { output_type: "stream", name: "stdout", text: "of another run" };
  const claims = {
    "application/vnd.acronym-circuit.claims+json": { claims: [{ claim: "1", passed: true, evidence: "" }] },
  };
  const saved = [output, { output_type: "display_data", metadata: {}, data: claims }];
  const cell = (id: string, source: string) => ({
    cell_type: "code",
    id,
    metadata: {},
    source,
    outputs: saved,
    execution_count: 7,
  });

  test("nothing is shown or counted that an earlier run saved in it", async (t) => {
    const home = mkdtempSync(join(tmpdir(), "stale-"));
    t.after(() => rmSync(home, { recursive: true }));
    const cells = [cell("a", 'console.log("now");'), cell("b", 'throw new Error("bad");'), cell("c", "1")];
    writeFileSync(join(home, "n.ipynb"), JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
    const [{ claims, executed, problems }] = await runNotebooks({ folder: home, out: join(home, "out") });
    assert.match(problems.join(), /^Cell 2 failed/);
    assert.deepEqual(claims, []);
    const { cells: ran } = JSON.parse(readFileSync(executed, "utf8"));
    assert.deepEqual(ran[0].outputs, [{ name: "stdout", output_type: "stream", text: ["now\n"] }]);
    assert.deepEqual([ran[1].outputs[0].ename, ran[2].outputs, ran[2].execution_count], ["Error", [], null]);
  });
});

describe("a full disk fails the notebook that needs the space, and no other", () => {
  const command = [process.execPath, cli, "start", "good", "waits-for-its-value", "--folder", folder];
  const mounts = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0;

  test("a disk of its own", {
    skip: mounts ? false : "only who may mount disks can have a small one",
    timeout: 240_000,
  }, (t) => {
    const out = mkdtempSync(join(tmpdir(), "small-disk-"));
    t.after(() => rmSync(out, { recursive: true }));
    const script = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"';
    const run = spawnSync("unshare", ["-m", "sh", "-c", script, out, ...command, "--out", out], { encoding: "utf8" });
    assert.match(run.stdout, /^✗ good /m, run.stderr);
    assert.match(run.stdout, /^✓ waits-for-its-value /m);
    assert.match(run.stderr, /^good: .*can not be saved: .*No space left/m);
    assert.equal(run.status, 1);
  });

  test("a limit of files' sizes", { skip: process.platform === "win32", timeout: 240_000 }, (t) => {
    const out = mkdtempSync(join(tmpdir(), "small-files-"));
    t.after(() => rmSync(out, { recursive: true }));
    const script = 'ulimit -f 2000 && exec "$0" "$@"'; // units of 512 bytes
    const run = spawnSync("sh", ["-c", script, ...command, "--out", out], { encoding: "utf8" });
    assert.match(run.stdout, /^✗ good /m, run.stderr);
    assert.match(run.stdout, /^✓ waits-for-its-value /m);
    assert.match(run.stderr, /^good: .*can not be saved: .*File too large/m);
    assert.equal(run.status, 1);
    assert.deepEqual(readdirSync(join(out, "notebooks")), ["waits-for-its-value.ipynb"]);
  });
});

test("notebooks side by side wait for no other's end, keep their lessons' progress apart, and come in their order", async (t) => {
  const tmp = join(ROOT, ".setup", "tmp");
  mkdirSync(tmp, { recursive: true });
  const home = mkdtempSync(join(tmp, "side-by-side-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const names = ["a", "b"];
  for (const [i, name] of names.entries()) {
    const source = [
      `import { existsSync, writeFileSync } from "node:fs";`,
      `writeFileSync("${name}.here", "");`,
      `const other = "${names[1 - i]}.here";`,
      `for (let i = 0; i < 600 && !existsSync(other); i++) await new Promise((r) => setTimeout(r, 100));`,
      `if (!existsSync(other)) throw new Error("alone");`,
      // the second ends first
      `await new Promise((r) => setTimeout(r, ${name === "a" ? 2000 : 0}));`,
      `console.log(process.env.ACRONYM_PROGRESS);`,
    ].join("\n");
    const cell = { cell_type: "code", id: "one", metadata: {}, execution_count: null, outputs: [], source };
    const notebook = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
    writeFileSync(join(home, `${name}.ipynb`), JSON.stringify(notebook));
  }
  const ended: string[] = [];
  const onResult = ({ name }: Result) => void ended.push(name);
  const out = join(home, "out");
  const results = await runNotebooks({ folder: home, out, atOnce: 2, claims: "may be missing", onResult });
  assert.deepEqual(
    results.map(({ name, problems, cells }) => [name, problems, cells]),
    names.map((name) => [name, [], 1]),
  );
  assert.deepEqual(ended, ["b", "a"]);
  const printed = results.map(
    ({ executed }) => `${JSON.parse(readFileSync(executed, "utf8")).cells[0].outputs[0].text}`,
  );
  assert.equal(new Set(printed).size, names.length, `${printed}`);
});

test("notebooks are selected by the beginning of their names; an unknown one is refused with those there are", () => {
  assert.deepEqual(listNotebooks(folder, ["good", "never"]), ["good", "never-ends"]);
  assert.throws(() => listNotebooks(folder, ["99"]), /No notebook's name starts with "99"\. There are: .*good/);
});

describe("a run that is ended takes its kernel with it", { skip: process.platform === "win32" }, () => {
  const parentOf = (pid: number) =>
    Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
  const PATIENCE = 30;
  const gone = (kernel: number) => until("the kernel's end", () => !isAlive(kernel), PATIENCE);
  const kernelOf = async (file: string) => {
    const written = () => existsSync(file) && readFileSync(file, "utf8") !== "";
    await until("the kernel's start", written, PATIENCE);
    return Number(readFileSync(file, "utf8"));
  };

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGKILL", null],
  ] as const) {
    test(signal, async (t) => {
      const home = mkdtempSync(join(tmpdir(), "ended-"));
      t.after(() => rmSync(home, { recursive: true, force: true }));
      const pidFile = join(home, "pid");
      const args = [cli, "start", "never-ends", "--folder", folder, "--out", join(home, "out")];
      const run: ChildProcess = spawn(process.execPath, args, {
        env: { ...process.env, PID_FILE: pidFile },
        stdio: "ignore",
      });
      const ended = new Promise((done) => run.once("exit", done));
      const kernel = await kernelOf(pidFile);
      assert.ok(isAlive(kernel));
      if (signal === "SIGKILL") process.kill(parentOf(kernel), signal); // the Python between them can tell nobody
      run.kill(signal);
      assert.equal(await ended, code);
      await gone(kernel);
      if (signal !== "SIGKILL") assert.deepEqual(readdirSync(join(home, "out")), []);
    });
  }

  test("npm alone is killed", async (t) => {
    const home = mkdtempSync(join(tmpdir(), "ended-"));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    const pidFile = join(home, "pid");
    const args = [cli, "start", "never-ends", "--folder", folder, "--out", join(home, "out")];
    const start = `require("node:child_process").spawn(process.execPath, ${JSON.stringify(args)}, { stdio: "ignore" })`;
    const npm = spawn(process.execPath, ["-e", start], {
      env: { ...process.env, PID_FILE: pidFile, npm_execpath: "npm-cli.js" },
      stdio: "ignore",
    });
    const kernel = await kernelOf(pidFile);
    const killed = performance.now();
    npm.kill("SIGKILL");
    await gone(kernel);
    assert.ok(performance.now() - killed < 8000, "the cell's limit did not end it");
    await until("an empty out/", () => readdirSync(join(home, "out")).length === 0, PATIENCE);
  });
});
