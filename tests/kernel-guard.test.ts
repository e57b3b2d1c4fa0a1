// Another user of this machine, who can reach the kernel's ports and read what it publishes, but doesn't know its key.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Dealer, Subscriber } from "zeromq";
import { createGuard } from "../scripts/notebooks/guard.cjs";
import { jupyterEnv, projectPaths, ROOT } from "../scripts/setup/paths.mjs";
import { CHANNELS, DELIMITER, Kernel, launch, request, sign } from "./fixtures/kernel-client";

const home = mkdtempSync(join(tmpdir(), "guard-"));
after(() => rmSync(home, { recursive: true, force: true }));

describe("on loopback", () => {
  let kernel: Kernel;
  const planted = join(home, "planted");
  before(async () => {
    const tslab = join(home, "node_modules", "tslab", "dist");
    mkdirSync(tslab, { recursive: true });
    writeFileSync(
      join(tslab, "main.js"),
      `require("node:fs").writeFileSync(${JSON.stringify(planted)}, ""); exports.startKernel = () => {};`,
    );
    const folder = join(home, "notebooks");
    mkdirSync(folder);
    kernel = await Kernel.start({ folder });
  });
  after(() => kernel?.end());

  test("a tslab that lies above the notebook's folder is not run", async () => {
    assert.equal((await kernel.execute("console.log(4)")).stdout, "4\n");
    assert.equal(existsSync(planted), false);
  });

  const marker = join(home, "attacked");
  const attack = request("execute_request", {
    code: `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "");`,
    silent: false,
    store_history: false,
  });

  test("a message that is not signed with the key runs nothing, is not answered and teaches nothing", async () => {
    assert.equal((await kernel.execute("console.log(1)")).stdout, "1\n"); // from now on the kernel's own words are published
    const { connection } = kernel;
    const heard: string[] = [];
    const listen = async (socket: Subscriber | Dealer) => {
      for await (const frames of socket) heard.push(frames.map(String).join("\n"));
    };
    const iopub = new Subscriber({ linger: 0 });
    iopub.connect(`tcp://127.0.0.1:${connection.iopub_port}`);
    iopub.subscribe();
    const doors = CHANNELS.map((channel) => {
      const door = new Dealer({ linger: 0 });
      door.connect(`tcp://127.0.0.1:${connection[`${channel}_port`]}`);
      return door;
    });
    for (const socket of [iopub, ...doors]) void listen(socket);
    try {
      const right = sign(connection.key, attack);
      const wrong = ["0".repeat(64), "", "0", "0".repeat(65), right.slice(0, 63), right.toUpperCase(), `${right}0`];
      const malformed = [
        [],
        [""],
        [DELIMITER],
        [DELIMITER, "0".repeat(64)],
        [DELIMITER, "0".repeat(64), "{"],
        [DELIMITER, "0".repeat(64), ...attack.slice(0, 3)],
        [DELIMITER, "0".repeat(64), "null", "null", "null", "null"],
        [DELIMITER, DELIMITER, ...attack],
        ["0".repeat(64), ...attack],
        [...attack, DELIMITER],
        [DELIMITER, "\0".repeat(64), "\ufffd", "", "", ""],
      ];
      const quiet = kernel.published.length;
      for (const door of doors) {
        for (const signature of wrong) await door.send([DELIMITER, signature, ...attack]);
        for (const frames of malformed) if (frames.length > 0) await door.send(frames);
      }
      await sleep(1000);
      // whatever looks like a signature is tried
      for (const signature of new Set(heard.join("\n").match(/[0-9a-f]{64}/g)))
        for (const door of doors) await door.send([DELIMITER, signature, ...attack]);
      await sleep(1000);
      assert.equal(existsSync(marker), false, "the attacker's code ran");
      assert.deepEqual(heard, [], "the kernel said something");
      assert.equal(kernel.published.length, quiet, "the kernel published something");
      for (const secret of [right, connection.key])
        assert.equal([...kernel.published, kernel.log].join("\n").includes(secret), false, "a secret was told");
      assert.equal((await kernel.execute("console.log(2)")).stdout, "2\n");
    } finally {
      for (const socket of [iopub, ...doors]) socket.close();
    }
  });

  test("a rightly signed message is taken once", async () => {
    await kernel.execute("let runs = 0;");
    const parts = request("execute_request", { code: "runs += 1;", silent: false, store_history: false });
    const frames = [DELIMITER, sign(kernel.connection.key, parts), ...parts];
    for (let times = 0; times < 3; times++) await kernel.sendFrames(frames);
    assert.equal((await kernel.execute("console.log(runs)")).stdout, "1\n");
  });

  test("what the kernel published is not taken back; signed nonsense is dropped", async () => {
    const { key } = kernel.connection;
    await kernel.execute('console.log("published")');
    const stream = kernel.published.find((text) => text.includes('"stream"'))?.split("\n") ?? assert.fail();
    const quiet = kernel.published.length;
    await kernel.sendFrames(stream.slice(stream.indexOf(DELIMITER)));
    for (const parts of [
      ["null", "{}", "{}", "{}"],
      ["{}", "{}", "{}", "{}"],
      ['{"msg_type":1}', "{}", "{}", "{}"],
      ["{", "{}", "{}", "{}"],
      [attack[0], "{}", "{}", "null"],
    ])
      await kernel.sendFrames([DELIMITER, sign(key, parts), ...parts]);
    await sleep(500);
    assert.deepEqual(kernel.published.slice(quiet), []);
    assert.equal((await kernel.execute("console.log(3)")).stdout, "3\n");
  });
});

test("frames beyond the signed ones are let go of; the memory of taken messages is bounded", () => {
  const guard = createGuard("key", 100);
  const message = (id: string) => {
    const parts = request("execute_request", {}, id);
    return ["client", DELIMITER, sign("key", parts), ...parts].map((part) => Buffer.from(part));
  };
  const first = message("first");
  assert.deepEqual(guard([...first, Buffer.from("buffer")]), first);
  assert.equal(guard(first), undefined);
  const later = Array.from({ length: 100 }, (_, i) => message(String(i)));
  for (const one of later) assert.ok(guard(one));
  assert.deepEqual([guard(later[0]), guard(later.at(-1) ?? [])], [undefined, undefined]);
  assert.deepEqual(guard(first), first, "the oldest is forgotten");
});

for (const [what, change, message] of [
  ["without a key", { key: "" }, /has no key/],
  ["with a key of another kind", { key: null }, /has no key/],
  ["with another way to sign", { signature_scheme: "hmac-md5" }, /"hmac-md5"/],
] as const)
  test(`a kernel does not start ${what}`, async () => {
    const ports = { shell_port: 0, control_port: 0, stdin_port: 0, iopub_port: 0, hb_port: 0 };
    const connection = Object.assign({ ip: "127.0.0.1", transport: "tcp", key: "k", ...ports }, change);
    const child = launch(connection, home, [join(ROOT, "scripts", "notebooks", "kernel.cjs")], home);
    let log = "";
    child.stderr?.on("data", (chunk) => (log += chunk));
    const limit = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const code = await new Promise((done) => child.once("close", done));
    clearTimeout(limit);
    assert.equal(code, 1);
    assert.match(log, message);
  });

test("Jupyter writes the key where only its owner can read it", { skip: process.platform === "win32" }, () => {
  const script = [
    "import os, stat",
    "os.umask(0)",
    "from jupyter_client.manager import KernelManager",
    'manager = KernelManager(kernel_name="tslab")',
    "manager.write_connection_file()",
    "print(oct(stat.S_IMODE(os.stat(manager.connection_file).st_mode)), len(manager.session.key) >= 32)",
    "manager.cleanup_connection_file()",
  ].join("\n");
  const env = { ...jupyterEnv(ROOT, process.env), JUPYTER_RUNTIME_DIR: join(home, "runtime") };
  assert.equal(execFileSync(projectPaths().venvPython, ["-c", script], { env, encoding: "utf8" }), "0o600 True\n");
});
