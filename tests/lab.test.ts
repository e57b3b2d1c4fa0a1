// JupyterLab as `npm run lab` starts it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = resolve(__dirname, "..");

/** Starts it and waits for the address that it prints. */
async function lab(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(command, [...args, "--no-browser", "--port=0"], { cwd: ROOT, env, detached: true });
  let said = "";
  child.stdout.on("data", (chunk) => (said += chunk));
  child.stderr.on("data", (chunk) => (said += chunk));
  const ended = once(child, "exit");
  const kill = () => {
    try {
      process.kill(-(child.pid as number), "SIGKILL"); // all of its group
    } catch {}
  };
  const address = () => /http:\/\/127\.0\.0\.1:(\d+)\/lab\/tree\/START\.md\?token=(\w+)/.exec(said);
  for (let tries = 0; !address() && child.exitCode === null && tries < 1200; tries++) await sleep(100);
  const [, port, token] = address() ?? [];
  if (port === undefined) kill();
  assert.ok(port, `no address was printed:\n${said}`);
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `token ${token}` } });
  const isGone = async () => {
    for (let tries = 0; tries < 200; tries++) {
      try {
        await ask("/api");
      } catch {
        return true;
      }
      await sleep(100);
    }
    return false;
  };
  return { child, ended, ask, isGone, kill, said: () => said };
}

test("arguments come before the defaults; without them only this machine reaches it, in work/, at its start page, with our kernel", async (t) => {
  for (const [args, host] of [
    [[], "127.0.0.1"],
    [["--ip=0.0.0.0"], "0.0.0.0"],
  ] as const) {
    const { child, ended, ask, kill, said } = await lab(process.execPath, [
      join(ROOT, "scripts/cli.mjs"),
      "lab",
      ...args,
    ]);
    t.after(kill);
    const specs = await (await ask("/api/kernelspecs")).json();
    assert.equal(specs.default, "tslab");
    const found = await (await ask("/api/contents")).json();
    const names = found.content.map(({ name }: { name: string }) => name);
    for (const name of ["00-start-here.ipynb", "lesson-1-behaviour.ipynb", "START.md"]) assert.ok(names.includes(name));
    // printed is the machine's name where it listens to all
    assert.equal(/http:\/\/(?!127)[^/]*:\d+\/lab/.test(said()), host === "0.0.0.0", said());
    child.kill("SIGTERM");
    await ended;
  }
});

test("it ends with the npm that started it, told to or killed", async (t) => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const npm = await lab("npm", ["run", "lab", "--"]);
    t.after(npm.kill);
    npm.child.kill(signal);
    assert.ok(await npm.isGone(), `JupyterLab outlives npm's ${signal}`);
  }
});
