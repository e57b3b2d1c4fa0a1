// Executes every notebook, and compares the committed outputs with what the code prints now: one as `npm start` does, in a kernel of its own,
// the others with the kernel's compiler and cells in one process, which saves about a quarter of the work; the rest is computing.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { compareNotebooks } from "../scripts/notebooks/compare.mjs";
import { listNotebooks, type Result, runNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { runInProcess } from "./fixtures/in-process";
import { remoteLoads } from "./fixtures/remote-loads";

const folder = resolve(__dirname, "../notebooks");
const names = existsSync(folder) ? listNotebooks(folder) : [];
/** The one that runs in a kernel is the one that people open first; what kernels do is tested elsewhere. */
const IN_KERNEL = "00-start-here";
const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));

test("there are notebooks", () => {
  assert.notEqual(names.length, 0);
  assert.ok(names.includes(IN_KERNEL));
});

describe("notebooks", { skip: names.length === 0 }, () => {
  const out = mkdtempSync(join(tmpdir(), "notebooks-"));
  const results = new Map<string, Result>();
  const onResult = (result: Result) => results.set(result.name, result);
  before(async () => {
    const others = names.filter((name) => name !== IN_KERNEL);
    await runInProcess({ folder, out: join(out, "in-process"), selection: others, onResult });
    await runNotebooks({ folder, out, selection: [IN_KERNEL], onResult });
  });
  after(() => rmSync(out, { recursive: true, force: true }));

  for (const name of names) {
    const result = () => results.get(name) ?? assert.fail("it did not run");

    test(`${name}: every cell runs, figures are written, claims are checked`, async (t) => {
      const { problems, claims } = result();
      for (const { claim, passed, evidence } of claims) await t.test(claim, () => assert.ok(passed, evidence));
      assert.deepEqual(
        problems.filter((text) => !text.startsWith("Claim failed")),
        [],
      );
    });

    test(`${name}: the committed outputs are what the code prints now`, () => {
      const { source, executed } = result();
      assert.deepEqual(
        compareNotebooks(read(source), read(executed)),
        [],
        "after checking them: npm run notebooks:save",
      );
    });

    test(`${name}: the committed file is tidy`, () => {
      const { source, executed } = result();
      const bare = (file: string) => {
        const notebook = read(file);
        for (const cell of notebook.cells) if (cell.outputs) cell.outputs = [];
        return notebook;
      };
      assert.deepEqual(bare(source), bare(executed), "counts, metadata and kernel: npm run notebooks:save");
      assert.doesNotMatch(
        readFileSync(source, "utf8"),
        /\/home\/|\/Users\/|\/root\/|[A-Z]:\\\\Users/,
        "a folder of a machine",
      );
      const { language_info } = read(results.get(IN_KERNEL)!.executed).metadata;
      assert.deepEqual(read(source).metadata.language_info, language_info, "what the kernel says of itself");
    });

    test(`${name}: its page loads nothing from the network`, () => {
      assert.deepEqual(remoteLoads(readFileSync(result().html, "utf8")), []);
    });
  }
});
