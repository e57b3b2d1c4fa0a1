import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { noteChild, withLock } from "../src/load/lock.mjs";

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  lock = join(folder, "lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets the clock by which a lock is watched go a hundred times as fast. */
function hurry(t: TestContext) {
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => 100 * now());
}

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

test("an unreadable or old empty lock is taken over", async (t) => {
  hurry(t);
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

/** A lock as another machine or container would leave it. */
const foreign = (changes = {}) =>
  JSON.stringify({
    pid: process.pid,
    id: "other",
    host: "elsewhere",
    place: "another boot, another namespace",
    ...changes,
  });

test("an owner elsewhere is waited for though no process here has its id, and named with its host", async () => {
  const said: string[] = [];
  writeFileSync(lock, foreign({ pid: deadProcess() }));
  const heartbeat = setInterval(() => utimesSync(lock, new Date(), new Date()), 100);
  try {
    const waiting = withLock(lock, async () => assert.fail("taken over"), {
      say: (line: string) => said.push(line),
      patience: 1500,
    });
    await assert.rejects(waiting, /Process \d+ on elsewhere has been/);
  } finally {
    clearInterval(heartbeat);
  }
  assert.match(said[0], /^Waiting for process \d+ on elsewhere, which is/);
});

test("an owner elsewhere that is never heard of is nobody, whatever its clock says", { timeout: 60_000 }, async (t) => {
  hurry(t);
  writeFileSync(lock, foreign());
  const future = new Date(Date.now() + 9e8);
  utimesSync(lock, future, future);
  assert.equal(await withLock(lock, async () => 1), 1);
});

test("an empty lock from the future is taken over", { timeout: 20_000 }, async (t) => {
  hurry(t);
  writeFileSync(lock, "");
  const future = new Date(Date.now() + 9e8);
  utimesSync(lock, future, future);
  assert.equal(await withLock(lock, async () => 1), 1);
});

test("only one's own lock is given back", async () => {
  await withLock(lock, async () => writeFileSync(lock, foreign()));
  assert.equal(readFileSync(lock, "utf8"), foreign());
});

test("work that lost its lock while it slept begins anew once the lock is its own again", async (t) => {
  const context = { now: Date.now() };
  t.mock.method(Date, "now", () => context.now);
  const said: string[] = [];
  let runs = 0;
  const result = await withLock(
    lock,
    async (check) => {
      runs += 1;
      if (runs === 1) {
        check();
        rmSync(lock);
        await withLock(lock, async () => {}); // another takes it and is done
        context.now += 60_000;
        check();
        assert.fail("the loss was not noticed");
      }
      return runs;
    },
    { say: (line: string) => said.push(line) },
  );
  assert.equal(result, 2);
  assert.match(said[0], /took over/);
  assert.equal(existsSync(lock), false);
});

test("the installer is noted in one's own lock only", async () => {
  await withLock(lock, async () => {
    noteChild(lock, 42);
    assert.equal(JSON.parse(readFileSync(lock, "utf8")).child, 42);
  });
  writeFileSync(lock, foreign());
  noteChild(lock, 42);
  assert.equal(readFileSync(lock, "utf8"), foreign());
});

test("a pipe in place of a lock is not waited for in silence", {
  skip: process.platform === "win32",
  timeout: 20_000,
}, async (t) => {
  hurry(t);
  spawnSync("mkfifo", [lock]);
  assert.equal(await withLock(lock, async () => 1), 1);
});

const separate = process.platform === "linux" && spawnSync("unshare", ["-pf", "true"]).status === 0;

test("two containers, in neither of which the other's process can be seen, never work at the same time", {
  skip: separate ? false : "this system lets nobody have process ids of their own (unshare -p)",
  timeout: 120_000,
}, async () => {
  const log = join(folder, "log");
  const module = JSON.stringify(join(__dirname, "..", "src", "load", "lock.mjs"));
  const script = `const { withLock } = await import(${module});
const { appendFileSync, readFileSync } = await import("node:fs");
const note = (what) => appendFileSync(${JSON.stringify(log)}, what + " " + process.pid + "\\n");
note("ready");
while (readFileSync(${JSON.stringify(log)}, "utf8").split("ready").length < 3) await new Promise((done) => setTimeout(done, 10));
for (let i = 0; i < 3; i++) await withLock(${JSON.stringify(lock)}, async () => {
  note("in");
  await new Promise((done) => setTimeout(done, 300));
  note("out");
});`;
  const container = (begin: string) => {
    const command = ["sh", "-c", `${begin} "$@"`, "sh", process.execPath, "--input-type=module", "-e", script];
    const child = spawn("unshare", ["-pf", ...command], { stdio: "inherit" });
    return new Promise((done) => child.once("exit", done));
  };
  assert.deepEqual(
    await Promise.all([
      container("exec"),
      container("i=0; while [ $i -lt 60 ]; do i=$((i+1)); sleep 0; done; setsid -w"),
    ]),
    [0, 0],
  );
  const lines = readFileSync(log, "utf8").trim().split("\n").slice(2); // both were ready
  assert.equal(new Set(lines.map((line) => line.split(" ")[1])).size, 2, "one's process id means nothing to the other");
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    Array.from({ length: 6 }, () => ["in", "out"]).flat(),
  );
});
