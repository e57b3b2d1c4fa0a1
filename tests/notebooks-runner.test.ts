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
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { listNotebooks, newStage, type Result, runNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { projectPaths, ROOT } from "../scripts/setup/paths.mjs";
import { isAlive, until } from "./fixtures/processes";
import { remoteLoads } from "./fixtures/remote-loads";

const folder = resolve(__dirname, "fixtures", "notebooks");
/** What only the compiler, the cells or the judgement decide, and no kernel is needed for: tests/in-process.test.ts. */
const ELSEWHERE = [
  "claims-nothing",
  "fails-a-claim",
  "forgets-to-wait",
  "forgets-to-wait-for-a-figure",
  "has-a-type-error",
  "loses-a-promise",
  "loses-an-error",
  "loses-an-error-between-cells",
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
  const EARLIER = ["notebooks/fails-in-a-cell.ipynb", "html/fails-in-a-cell.html", "figures/fails-in-a-cell/a.svg"];
  let atTheEnd = 0; // seconds of the run after its last notebook
  before(async () => {
    for (const file of [...EARLIER, "failed/good.ipynb"]) {
      mkdirSync(dirname(join(out, file)), { recursive: true });
      writeFileSync(join(out, file), "of an earlier run");
    }
    let last = 0;
    const onResult = (result: Result) => {
      results.set(result.name, result);
      last = performance.now();
    };
    const selection = listNotebooks(folder).filter((name) => !ELSEWHERE.includes(name));
    await runNotebooks({ folder, out, selection, timeLimit: 10, atOnce: 2, onResult });
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

  test("a failed cell, whatever its tags, is shown with its number, source and the line of src/", () => {
    assert.match(
      problems("fails-in-a-cell"),
      /^Cell 2 failed:\n.*1 \| console\.log\("before"\);\n.*2 \| random\(0\.5\);/s,
    );
    assert.match(problems("fails-in-a-cell"), /seed must be an integer, not 0\.5/);
    assert.match(problems("fails-in-a-cell"), /src[/\\]numbers[/\\]random\.ts:\d+:\d+/);
    assert.doesNotMatch(problems("fails-in-a-cell"), /node_modules/);
  });

  test("of a notebook that fails nothing is shown or counted that another run saved in it", () => {
    assert.deepEqual(results.get("fails-in-a-cell")?.claims, []);
    const { cells } = JSON.parse(read("failed", "fails-in-a-cell.ipynb"));
    const printed = (text: string) => ({ output_type: "stream", name: "stdout", text: [text] });
    assert.deepEqual(cells[1].outputs, [printed("this runs\n")]);
    const [before, error, ...rest] = cells[2].outputs;
    assert.deepEqual([before, error.ename, rest], [printed("before\n"), "RangeError", []]);
    assert.deepEqual([cells[3].outputs, cells[3].execution_count], [[], null], "cells after it do not run");
  });

  test("a failed run leaves the results of an earlier good one, a good one nothing of an earlier failed one", () => {
    for (const file of EARLIER) assert.equal(read(file), "of an earlier run", file);
    assert.equal(existsSync(join(out, "failed", "good.ipynb")), false);
  });

  test("a cell that ends the kernel", () => assert.match(problems("ends-its-kernel"), /Cell 1 .*The kernel ended/s));
  test("a cell that never ends", () => assert.match(problems("never-ends"), /longer than 10 seconds/));
  test("an error after the last cell is the notebook's, with the cell that started it", () => {
    assert.match(problems("loses-an-error-at-the-end"), /^Cell 2 failed:.*Error: after the last cell/s);
    assert.equal(existsSync(join(out, "notebooks", "loses-an-error-at-the-end.ipynb")), false);
  });

  test("a cell's programs reach neither the runner's events nor its end, nor is a timer that never ends waited for", () => {
    const { figures, claims, problems, seconds } = results.get("writes-past-its-kernel") ?? assert.fail();
    assert.deepEqual({ figures, claims: claims.length, problems }, { figures: 0, claims: 1, problems: [] });
    assert.ok(seconds > 0 && seconds < 30, `${seconds} s`);
    assert.ok(atTheEnd < 30, `the run lasted ${atTheEnd} s longer than its notebooks`);
  });

  test("an output that can't be saved ends that notebook only", () =>
    assert.match(problems("prints-half-a-character"), /can not be saved: .*ud800/));

  test("a notebook that would leave out a cell does not pass", () =>
    assert.match(problems("skips-a-cell"), /^Cell 1 failed:.*skip-execution/s));

  test("a file that is no notebook is named", () =>
    assert.match(problems("half-a-notebook"), /half-a-notebook\.ipynb is not a readable notebook/));

  test("an error in an event's handler ends the run, though its kernel only starts", { timeout: 120_000 }, async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "handler-"));
    const onEvent = ({ event }: Record<string, unknown>) => {
      if (event === "notebook") throw new Error("in the handler");
    };
    const run = runNotebooks({ folder, out: elsewhere, selection: ["never-ends"], timeLimit: 300, onEvent });
    await assert.rejects(run, /in the handler/);
    assert.deepEqual(readdirSync(elsewhere), []);
    rmSync(elsewhere, { recursive: true });
  });
});

test("a full disk fails the notebook that needs the space, and no other", {
  skip: process.platform === "win32",
  timeout: 240_000,
}, (t) => {
  const out = mkdtempSync(join(tmpdir(), "small-disk-"));
  t.after(() => rmSync(out, { recursive: true }));
  const command = [process.execPath, cli, "start", "good", "waits-for-its-value", "--folder", folder, "--out", out];
  // who may mount disks can have a small one; others a limit of files' sizes, in units of 512 bytes
  const mounts = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0;
  const run = mounts
    ? inShell(["unshare", "-m"], `mount -t tmpfs -o size=1m tmpfs "${out}" && exec "$0" "$@"`, command)
    : inShell([], 'ulimit -f 2000 && exec "$0" "$@"', command);
  assert.match(run.stdout, /^✗ good /m, run.stderr);
  assert.match(run.stdout, /^✓ waits-for-its-value /m);
  assert.match(run.stderr, /^good: .*can not be saved: .*(No space left|File too large)/m);
  assert.equal(run.status, 1);
});

function inShell(before: readonly string[], script: string, args: readonly string[]) {
  const [program, ...rest] = [...before, "sh", "-c", script, ...args];
  return spawnSync(program, rest, { encoding: "utf8" });
}

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
      `console.log(process.env.ACRONYM_PROGRESS, process.env.ACRONYM_THREADS);`,
    ].join("\n");
    const cell = { cell_type: "code", id: "one", metadata: {}, execution_count: null, outputs: [], source };
    const notebook = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
    writeFileSync(join(home, `${name}.ipynb`), JSON.stringify(notebook));
  }
  const ended: string[] = [];
  const onResult = ({ name }: Result) => void ended.push(name);
  const out = join(home, "out");
  const { ACRONYM_THREADS: _, ...env } = process.env;
  const results = await runNotebooks({ folder: home, out, atOnce: 2, claims: "may be missing", env, onResult });
  assert.deepEqual(
    results.map(({ name, problems, cells }) => [name, problems, cells]),
    names.map((name) => [name, [], 1]),
  );
  assert.deepEqual(ended, ["b", "a"]);
  const printed = results.map(
    ({ executed }) => `${JSON.parse(readFileSync(executed, "utf8")).cells[0].outputs[0].text}`,
  );
  assert.equal(new Set(printed).size, names.length, `${printed}`);
  const share = Math.max(1, Math.floor(availableParallelism() / 2));
  for (const text of printed) assert.match(text, new RegExp(` ${share}\n$`), "each has its part of the threads");
});

test("notebooks are selected by the beginning of their names; an unknown one is refused with those there are", () => {
  assert.deepEqual(listNotebooks(folder, ["good", "never"]), ["good", "never-ends"]);
  assert.throws(() => listNotebooks(folder, ["99"]), /No notebook's name starts with "99"\. There are: .*good/);
});

describe("a run that is ended", { skip: process.platform === "win32" }, () => {
  const parentOf = (pid: number) =>
    Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
  const PATIENCE = 30;
  let home: string;
  let out: string;
  let args: string[];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "ended-"));
    out = join(home, "out");
    args = [cli, "start", "never-ends", "--folder", folder, "--out", out];
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const endOf = (run: ChildProcess) => new Promise((done) => run.once("exit", done));
  const inOut = () => (existsSync(out) ? readdirSync(out) : []);
  /** Its variables, and the process id of its kernel once that is in its cell for ever. */
  const withKernel = () => {
    const file = join(home, "pid");
    const kernel = async () => {
      await until("the kernel's start", () => existsSync(file) && readFileSync(file, "utf8") !== "", PATIENCE);
      const pid = Number(readFileSync(file, "utf8"));
      assert.ok(isAlive(pid));
      return pid;
    };
    return { env: { ...process.env, PID_FILE: file }, kernel };
  };
  const gone = (kernel: number) => until("the kernel's end", () => !isAlive(kernel), PATIENCE);

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)
    test(`${signal}: it says so by its code, and leaves nothing`, async () => {
      const run = spawn(process.execPath, args, { stdio: "ignore" });
      await until("its beginning", () => inOut().length > 0, PATIENCE);
      run.kill(signal); // before there is a kernel: that the listener's end takes it along is shown below
      assert.equal(await endOf(run), code);
      assert.deepEqual(inOut(), []);
    });

  test("the kernel goes with npm, which alone is killed and so has the run end itself by SIGTERM", async () => {
    const { env, kernel } = withKernel();
    const start = `require("node:child_process").spawn(process.execPath, ${JSON.stringify(args)}, { stdio: "ignore" })`;
    const npm = spawn(process.execPath, ["-e", start], {
      env: { ...env, npm_execpath: "npm-cli.js" },
      stdio: "ignore",
    });
    const pid = await kernel();
    const killed = performance.now();
    npm.kill("SIGKILL");
    await gone(pid);
    assert.ok(performance.now() - killed < 8000, "the cell's limit did not end it");
    await until("an empty out/", () => inOut().length === 0, PATIENCE);
  });

  test("the kernel goes even if nobody can tell it to", async () => {
    const { env, kernel } = withKernel();
    const run = spawn(process.execPath, args, { env, stdio: "ignore" });
    const ended = endOf(run);
    const pid = await kernel();
    process.kill(parentOf(pid), "SIGKILL"); // the Python between them
    run.kill("SIGKILL");
    assert.equal(await ended, null);
    await gone(pid);
  });
});
