// JupyterLab as `npm run lab` starts it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/setup/paths.mjs";
import { startLab } from "./fixtures/lab";

test("arguments come before the defaults; without them only this machine reaches it, in work/, at its start page, with our kernel", async (t) => {
  for (const [args, host] of [
    [[], "127.0.0.1"],
    [["--ip=0.0.0.0"], "0.0.0.0"],
  ] as const) {
    const { child, ended, ask, kill, said } = await startLab(process.execPath, [
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
    const npm = await startLab("npm", ["run", "lab", "--"]);
    t.after(npm.kill);
    npm.child.kill(signal);
    assert.ok(await npm.isGone(), `JupyterLab outlives npm's ${signal}`);
  }
});
