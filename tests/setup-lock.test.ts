import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../src/load/lock.mjs";

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  lock = join(folder, "lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The id of a process that has ended. */
const deadProcess = () => spawnSync(process.execPath, ["-e", ""]).pid;

test("work under one lock never overlaps, and the lock is gone afterwards", async () => {
  let inside = 0;
  const work = async () => {
    inside += 1;
    assert.equal(inside, 1);
    await sleep(20);
    inside -= 1;
  };
  await Promise.all([withLock(lock, work), withLock(lock, work), withLock(lock, work)]);
  assert.equal(existsSync(lock), false);
});

test("waiting ends with the signal's reason, and the owner keeps the lock", async () => {
  const controller = new AbortController();
  await withLock(lock, async () => {
    const second = withLock(lock, async () => assert.fail("not its turn"), {
      signal: controller.signal,
      doing: "counting",
      say: (line) => {
        assert.match(line, /which is counting …/);
        controller.abort(new Error("enough"));
      },
    });
    await assert.rejects(second, /enough/);
    assert.equal(existsSync(lock), true);
  });
});

test("the lock is given back when the work fails", async () => {
  await assert.rejects(
    withLock(lock, async () => {
      throw new Error("no");
    }),
  );
  assert.equal(await withLock(lock, async () => 1), 1);
});

test("a dead owner's lock is taken over", async () => {
  writeFileSync(lock, JSON.stringify({ pid: deadProcess() }));
  assert.equal(await withLock(lock, async () => 1), 1);
});

test("an unreadable or old empty lock is taken over", async () => {
  writeFileSync(lock, "{");
  assert.equal(await withLock(lock, async () => 1), 1);
  writeFileSync(lock, "");
  utimesSync(lock, new Date(0), new Date(0));
  assert.equal(await withLock(lock, async () => 2), 2);
});

test("a live pid that has not touched its lock for long is not its owner", async () => {
  writeFileSync(lock, JSON.stringify({ pid: process.pid }));
  utimesSync(lock, new Date(0), new Date(0));
  assert.equal(await withLock(lock, async () => 1), 1);
});

test("a live owner is waited for, and named when patience ends", async () => {
  writeFileSync(lock, JSON.stringify({ pid: process.ppid }));
  const said: string[] = [];
  const waiting = withLock(lock, async () => 1, { say: (line: string) => said.push(line), patience: 300 });
  await assert.rejects(waiting, new RegExp(`Process ${process.ppid} .* delete `));
  assert.deepEqual(said, [`Waiting for process ${process.ppid}, which is setting up this folder …`]);
});

test("the installer of a dead owner is waited for: it would go on writing", async () => {
  const installer = spawn(process.execPath, ["-e", "setTimeout(() => {}, 700)"]);
  writeFileSync(lock, JSON.stringify({ pid: deadProcess(), child: installer.pid }));
  let ended = false;
  installer.once("exit", () => {
    ended = true;
  });
  await withLock(lock, async () => assert.equal(ended, true));
});
