// The runner of the tests, on small test files of every kind.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { jobsOf } from "../scripts/commands/test.mjs";
import { runTests } from "../scripts/tests/run-tests.mjs";

const dir = mkdtempSync(path.join(tmpdir(), "run-tests-"));
after(() => rmSync(dir, { recursive: true, force: true }));

/** What comes of test files with this code in one process, and what is printed of it. */
async function outcome(code: string | string[], env: NodeJS.ProcessEnv = {}) {
  const tools = `const assert = require("node:assert/strict"); const { describe, test } = require("node:test");`;
  const files = [code].flat().map((own, i) => {
    const file = path.join(dir, `${i || "some"}.test.cjs`);
    writeFileSync(file, `${tools}\n${own}`);
    return file;
  });
  const lines: string[] = [];
  const line = { show: () => {}, end: () => {}, leave: (text: string) => lines.push(text) };
  const { NODE_TEST_CONTEXT: _, ...clean } = process.env;
  const counts = await runTests([{ files, on: "wasm", env: { ...clean, ...env } }], { tmp: dir, line });
  return { ...counts, said: lines.join("\n") };
}

/** What is said of the n-th file: its line, and what follows until the next one's. */
const saidOf = (said: string, n: number) => said.split(/\n(?=[✓✗] )/)[n];

describe("files that share a process", () => {
  const busy = "const until = Date.now() + 30_000; while (process.cpuUsage().user < 300_000 && Date.now() < until);";
  const starts = `require("node:child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(busy)}]);`;
  let found: Awaited<ReturnType<typeof outcome>>;
  before(async () => {
    found = await outcome([
      `describe("suite", () => { test("a", () => {}); test("b", () => {}); });`,
      `test("busy", () => { ${starts} });`,
      `test("idle", () => {});`,
      `test("wrong", () => assert.equal(1, 2, "one is not two"));
       test("never", { skip: "no such machine" }, () => {});
       test("right", () => {});`,
      "",
    ]);
  });

  test("have a line each", () => {
    assert.deepEqual(
      found.said.split("\n").flatMap((line) => /^([✓✗]) .*?([^/\\]+)\.test\.cjs/.exec(line)?.slice(1).join(" ") ?? []),
      ["✓ some", "✓ 1", "✓ 2", "✗ 3", "✗ 4"],
    );
  });

  test("cases are counted, suites are not; the line says where the file ran, how long and how many", () => {
    assert.deepEqual({ ...found, said: "" }, { passed: 5, failed: 2, skipped: 1, said: "" });
    assert.match(saidOf(found.said, 0), /^✓ .*some\.test\.cjs {2}wasm {2}[\d.]+ s \(CPU [\d.]+ s\) {2}2 cases$/);
  });

  test("processors' seconds are each file's own, with those of the processes it started", {
    skip: process.platform === "linux" ? false : "of processes that it started only Linux tells them",
  }, () => {
    const [, busySeconds, idleSeconds] = [...found.said.matchAll(/\(CPU ([\d.]+) s\)/g)].map(([, s]) => Number(s));
    assert.ok(busySeconds >= 0.3 && idleSeconds < busySeconds, found.said);
  });

  test("a failed case is named with its message, a skipped one with its reason", () => {
    const said = saidOf(found.said, 3);
    assert.match(said, /^✗ .* 1 of 2 cases failed/);
    assert.match(said, /✗ wrong\n.*one is not two/);
    assert.match(said, /- never \(skipped: no such machine\)/);
    assert.doesNotMatch(said, /at .*node:internal/);
  });

  test("one without a case has failed", () => assert.match(saidOf(found.said, 4), /it has no case/));

  test("where the process ends early, the others did not run", async () => {
    const good = `test("good", () => {});`;
    const cut = await outcome([good, `test("cut", (_, done) => setTimeout(() => process.exit(3), 500));`, good, good]);
    assert.deepEqual({ ...cut, said: "" }, { passed: 1, failed: 3, skipped: 0, said: "" });
    assert.match(cut.said, /✗ .*1\.test\.cjs.*ended with code 3.*✗ .*2\.test\.cjs.*did not run.*✗ .*3\.test\.cjs/s);
  });
});

test("a file that does not run to its end has failed, and says why", async () => {
  const broken: [string, RegExp][] = [
    [`test("a", () => {}); require("./no-such-file");`, /Cannot find module/],
    [`test("a", () => process.kill(process.pid, "SIGKILL"));`, /ended with SIGKILL/],
    [`test("a", () => process.exit(0));`, /ended with code 0/],
  ];
  for (const [code, message] of broken) {
    const { failed, said } = await outcome(code);
    assert.equal(failed, 1, code);
    assert.match(said, message);
  }
});

test("one that computes without having started a backend has failed", async () => {
  const tfjs = JSON.stringify(require.resolve("@tensorflow/tfjs"));
  const computes = `test("a", () => { require(${tfjs}).scalar(1).dataSync(); });`;
  const { failed, said } = await outcome(computes, { ACRONYM_BACKEND: "wasm" });
  assert.equal(failed, 1);
  assert.match(said, /it computes, but starts no backend/);
  // where tfjs keeps it, as the one above has shown
  const asked = `globalThis._tfengine = { backendName: "cpu" }; test("a", () => {});`;
  assert.equal((await outcome(asked, { ACRONYM_BACKEND: "wasm" })).failed, 1);
  assert.equal((await outcome(asked, { ACRONYM_BACKEND: "cpu" })).failed, 0);
});

test("a unit that handles tensors runs on every backend, on the usual one perturbed; all else once, on the usual one", () => {
  const all = [
    "tests/unit/model/forward.test.ts",
    "tests/unit/experiments/patching.test.ts",
    "tests/unit/paper/choose-heads.test.ts",
    "tests/unit/numbers/random.test.ts",
    "tests/docs.test.ts",
  ].map(path.normalize);
  const runs = (backends: string[], perturb?: string) => {
    const found: Record<string, string[]> = Object.fromEntries(all.map((file) => [file, []]));
    for (const { files, env } of jobsOf(all, backends, perturb))
      for (const file of files) found[file].push([env.ACRONYM_BACKEND, env.ACRONYM_PERTURB].filter(Boolean).join(" "));
    return all.map((file) => found[file].sort());
  };
  const before = process.env.ACRONYM_BACKEND;
  delete process.env.ACRONYM_BACKEND;
  try {
    const once = [["onnx"], ["onnx"]];
    assert.deepEqual(runs(["native", "onnx", "wasm"]), [
      ["native", "onnx", "onnx 1", "wasm"],
      ["native", "onnx 1", "wasm"],
      ["onnx 1"],
      ...once,
    ]);
    assert.deepEqual(runs(["onnx", "wasm"]), [["onnx", "onnx 1", "wasm"], ["onnx 1", "wasm"], ["onnx 1"], ...once]);
    assert.deepEqual(runs(["wasm"]), [["wasm", "wasm 1"], ["wasm", "wasm 1"], ["wasm", "wasm 1"], [""], [""]]);
    const perturbed = [["onnx 3"], ["onnx 3"]];
    assert.deepEqual(runs(["native", "onnx", "wasm"], "3"), [
      ["native 3", "onnx 3", "wasm 3"],
      ["native 3", "onnx 3", "wasm 3"],
      ["onnx 3"],
      ...perturbed,
    ]);
  } finally {
    if (before !== undefined) process.env.ACRONYM_BACKEND = before;
  }
});
