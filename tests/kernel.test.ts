// What scripts/notebooks/kernel.cjs changes in tslab.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { spellOut } from "../scripts/notebooks/shorthand.cjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { Kernel, launch } from "./fixtures/kernel-client";

const cases: readonly (readonly [string, string])[] = [
  ["const a = { b };", "const a = { b: b };"],
  ["f({ a, ...rest, c: 1, d() {} }, [{ e }]);", "f({ a: a, ...rest, c: 1, d() {} }, [{ e: e }]);"],
  ["({ a, b = 2 } = c);", "({ a: a, b: b = 2 } = c);"],
  ["const { a } = b; const f = ({ c }) => c;", "const { a } = b; const f = ({ c }) => c;"],
  ['"{ a }"; // { a }', '"{ a }"; // { a }'],
  [`\`{ a } \${f({ a })}\``, `\`{ a } \${f({ a: a })}\``],
  ["import { a } from 'b'; export { c };", "import { a } from 'b'; export { c };"],
  ["const x: { a: number } = { /* é𝒳 */ a };", "const x: { a: number } = { /* é𝒳 */ a: a };"],
  ["f({ a", "f({ a: a"],
  ["", ""],
];

for (const [cell, spelt] of cases) test(`"${cell}"`, () => assert.equal(spellOut(cell), spelt));

/** Before the kernel's own changes: the last socket is bound late, and it is said when a message was taken. */
const SLOW_BIND = `const { ZmqServer } = require(${JSON.stringify(require.resolve("tslab/dist/jupyter.js"))});
  const { bindSocket, handleShellMessage } = ZmqServer.prototype;
  let isBound = false;
  ZmqServer.prototype.bindSocket = async function (socket, port) {
    const isLast = socket === this.iopub;
    if (isLast) await new Promise((done) => setTimeout(done, 1500));
    await bindSocket.call(this, socket, port);
    if (isLast) isBound = true;
  };
  ZmqServer.prototype.handleShellMessage = function (...message) {
    console.error(isBound ? "taken: all bound" : "taken: too early");
    return handleShellMessage.apply(this, message);
  };`;

let home: string;
let kernel: Kernel;
before(async () => {
  home = mkdtempSync(join(tmpdir(), "slow-bind-"));
  const slow = join(home, "slow-bind.cjs");
  writeFileSync(slow, SLOW_BIND);
  kernel = await Kernel.start({ program: ["--require", slow, join(ROOT, "scripts", "notebooks", "kernel.cjs")] });
});
after(async () => {
  await kernel?.end();
  rmSync(home, { recursive: true });
});

test("it takes no message before all its sockets are bound, however long that takes", () => {
  assert.match(kernel.log, /taken: all bound/);
  assert.doesNotMatch(kernel.log, /too early/);
});

test("one whose ports are taken ends at once: whoever started it tries others", { timeout: 60_000 }, async () => {
  const second = launch(kernel.connection, home, [join(ROOT, "scripts", "notebooks", "kernel.cjs")], home);
  let said = "";
  second.stderr?.on("data", (chunk) => (said += chunk));
  const code = await new Promise((done) => second.once("close", done));
  assert.deepEqual([code, said], [1, "The kernel can not listen: Address already in use\n"]);
});

test("it says that all is well, and which TypeScript it compiles", async () => {
  const { status, language_info, implementation_version } = await kernel.ask("kernel_info_request", {});
  const version = /^\d+\.\d+\.\d+$/;
  assert.deepEqual([status, language_info.name, language_info.file_extension], ["ok", "typescript", ".ts"]);
  assert.equal(language_info.version, require("@tslab/typescript-for-tslab").version);
  assert.match(language_info.version, version);
  assert.match(implementation_version, version);
});

describe("no error is lost", () => {
  /** The cell's answer; waits, since after an error tslab skips what comes within 0.2 s. */
  const execute = async (code: string) => {
    const answer = await kernel.execute(code);
    await sleep(answer.reply.status === "ok" ? 0 : 300);
    return answer;
  };
  const later = (what: string) => `new Promise((done, fail) => setTimeout(() => ${what}, 50))`;

  for (const [what, code] of [
    ["is thrown", 'throw new TypeError("oh");'],
    ["is awaited", 'await Promise.reject(new TypeError("oh"));'],
    ["is the last value's", 'Promise.reject(new TypeError("oh"))'],
    ["is a pending last value's", later('fail(new TypeError("oh"))')],
    ["nobody waits for", 'void Promise.reject(new TypeError("oh")); console.log(1)'],
    ["is thrown by a timer", `setTimeout(() => { throw new TypeError("oh"); }, 1); await ${later("done(0)")}`],
  ] as const)
    test(`one that ${what} is the cell's: shown there, and the cell fails`, async () => {
      const { reply, stdout, stderr, errors } = await execute(code);
      assert.equal(errors, 1);
      assert.match(stderr, /^TypeError: oh\n/);
      assert.doesNotMatch(stdout, /Promise/);
      const { status, ename, evalue, cell, execution_count } = reply;
      assert.deepEqual([status, ename, evalue, cell], ["error", "TypeError", "oh", execution_count]);
      assert.equal(`${reply.traceback.join("\n")}\n`, stderr);
    });

  for (const [how, next] of [
    ["before the next cell", "console.log(2)"],
    ["while the next cell runs", `await ${later("done(0)")}; console.log(2)`],
    ["while an empty cell waits", ""],
  ] as const)
    test(`one that comes ${how} fails that cell, and is told with the cell that started it`, async () => {
      const wait = how.startsWith("before") ? 1 : 30;
      const { reply: first } = await execute(`setTimeout(() => { throw new TypeError("late"); }, ${wait}); 1`);
      assert.equal(first.status, "ok");
      if (wait === 1) await sleep(100);
      const { reply, stdout, stderr } = await execute(next);
      assert.equal(stdout, next && "2\n", "the cell runs all the same");
      assert.match(
        stderr,
        new RegExp(`^Cell \\[${first.execution_count}\\] failed after it had ended:\nTypeError: late`),
      );
      assert.deepEqual([reply.status, reply.cell], ["error", first.execution_count]);
      assert.equal((await execute("3")).stdout, "3\n", "it is told once");
    });

  test("a promise that is handled in time is none", async () => {
    const { reply, stderr, errors } = await execute("Promise.reject(new Error()).catch(() => 4)");
    assert.deepEqual([reply.status, stderr, errors], ["ok", "", 0]);
  });

  test("what the compiler watches is not under way: nobody would ever stop waiting for it", async () => {
    // a module that is not there yet is watched in another way
    await execute('import "./not-there-yet";');
    const cells = JSON.stringify(join(ROOT, "scripts", "notebooks", "cells.cjs"));
    const { stdout } = await execute(
      `console.log(...require(${cells}).underWay(), process.getActiveResourcesInfo().includes("StatWatcher"))`,
    );
    assert.equal(stdout, "true\n");
  });

  for (const [what, code] of [
    ["a last value that never comes", 'console.log("begun"); new Promise(() => {})'],
    ["an await that never ends", 'console.log("begun"); await new Promise(() => {});'],
    // after an await it could not be: Node breaks into a cell only until its first turn ends
    ["a loop that gives nobody a turn", "for (;;);"],
  ] as const)
    test(`${what} can be interrupted, which is said without a stack`, {
      skip: process.platform === "win32",
      timeout: 60_000,
    }, async () => {
      const begun = () => kernel.published.filter((text) => text.includes('"begun\\n"')).length;
      const before = begun();
      const answer = execute(code);
      for (let tries = 0; tries < 100 && begun() === before; tries++) await sleep(20);
      await sleep(100);
      kernel.process.kill("SIGINT");
      const { reply, stderr } = await answer;
      assert.deepEqual([reply.status, stderr], ["error", "interrupted; the kernel is ready for the next cell.\n"]);
      assert.equal((await execute("5")).stdout, "5\n");
    });
});
