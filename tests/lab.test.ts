// JupyterLab as `npm run lab` starts it: arguments come before the defaults, and without them only this machine reaches it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLab } from "./fixtures/lab";

for (const [args, host, signal] of [
  [[], "127.0.0.1", "SIGTERM"],
  [["--ip=0.0.0.0"], "0.0.0.0", "SIGKILL"],
] as const)
  test(`reached at ${host}, in work/, at its start page, with our kernel; it ends with npm's ${signal}`, async (t) => {
    const lab = await startLab("npm", ["run", "lab", "--", ...args]);
    t.after(lab.kill);
    const specs = await (await lab.ask("/api/kernelspecs")).json();
    assert.equal(specs.default, "tslab");
    const found = await (await lab.ask("/api/contents")).json();
    const names = found.content.map(({ name }: { name: string }) => name);
    for (const name of ["00-start-here.ipynb", "lesson-1-behaviour.ipynb", "START.md"]) assert.ok(names.includes(name));
    // printed is the machine's name where it listens to all
    assert.equal(/http:\/\/(?!127)[^/]*:\d+\/lab/.test(lab.said()), host === "0.0.0.0", lab.said());
    lab.child.kill(signal);
    assert.ok(await lab.isGone(), `JupyterLab outlives npm's ${signal}`);
  });
