// Files that change while a kernel runs: a package that is installed, dist that is built anew, a module of one's own.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../scripts/setup/paths.mjs";
import { Kernel } from "./fixtures/kernel-client";

const folder = mkdtempSync(join(ROOT, ".setup", "tmp", "kernel-files-"));
let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start({ folder });
});
after(async () => {
  await kernel?.end();
  rmSync(folder, { recursive: true, force: true });
});
/** What a cell that has to run prints. */
async function ok(code: string) {
  const { reply, stdout } = await kernel.execute(code);
  assert.equal(reply.status, "ok", JSON.stringify(reply));
  return stdout.trim();
}

test("a cell's own modules come with what these import, also in a circle", async () => {
  const files = {
    "outer.ts": `import { three } from "./inner"; export * from "./passed-on"; export const four = three + 1;\n`,
    "inner.ts": `import { zero } from "./innermost"; export const three = 3 + zero;\n`,
    "innermost.ts": "export const zero = 0;\n",
    "passed-on.ts": `import five from "./assigned"; export const six = five + 1;\n`,
    "assigned.ts": "export default 5;\n",
    "even.ts": `import { odd } from "./odd"; export const even = (n: number): boolean => n === 0 || odd(n - 1);\n`,
    "odd.ts": `import { even } from "./even"; export const odd = (n: number): boolean => n !== 0 && even(n - 1);\n`,
  };
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
  assert.equal(await ok(`import { four, six } from "./outer"; console.log(four, six);`), "4 6");
  assert.equal(await ok(`import { even } from "./even"; console.log(even(4), even(5));`), "true false");
});

test("cells go on compiling while packages and files come and go, and see what has changed", async () => {
  mkdirSync(join(folder, "node_modules"));
  writeFileSync(join(folder, "own.ts"), "export const one = 1;\n");
  assert.equal(await ok(`import { one } from "./own"; console.log(one);`), "1");
  const missing = await kernel.execute(`import { two } from "two";`);
  assert.equal(missing.reply.status, "error");
  await sleep(300); // after an error tslab skips what comes at once
  // what was not found comes, and what was found changes: the compiler is told of both before the next cell
  mkdirSync(join(folder, "node_modules", "two"));
  writeFileSync(join(folder, "node_modules", "two", "index.d.ts"), "export const two: 2;\n");
  writeFileSync(join(folder, "node_modules", "two", "index.js"), "exports.two = 2;\n");
  writeFileSync(join(folder, "own.ts"), "export const one = 3;\n");
  // how soon the system tells of changed files is up to it, and to what else it does
  const both = `import { one } from "./own"; import { two } from "two"; console.log(one - two);`;
  for (let tries = 0; tries < 20; tries++) {
    await sleep(500);
    const { reply, stdout } = await kernel.execute(both);
    if (reply.status === "ok" && stdout.trim() === "1") return;
  }
  assert.equal(await ok(both), "1");
});
