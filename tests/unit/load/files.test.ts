// What is done with any text that others have written: prompts, word lists, a model's small files.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { LIMIT, readText } from "../../../src/load/files";
import { gpt2Tokenizer } from "../../../src/load/tokenizer";
import { loadAcronyms } from "../../../src/prompts/dataset";
import { loadWords } from "../../../src/prompts/words";

const home = mkdtempSync(path.join(tmpdir(), "files-"));
after(() => rmSync(home, { recursive: true, force: true }));

const READERS: Record<string, (file: string) => unknown> = {
  readText: (file) => readText(file, LIMIT.settings),
  loadWords,
  loadAcronyms: (file) => loadAcronyms(file, gpt2Tokenizer()),
};
const write = (content: Uint8Array) => (file: string) => writeFileSync(file, content);
function huge(file: string): void {
  writeFileSync(file, "");
  truncateSync(file, 3e9);
}
const LINE = "The Ketchup Lark Wreck (KL, KLW\n";

for (const [what, put, message] of [
  ["UTF-16", write(Buffer.from(`\ufeff${LINE}`, "utf16le")), / is UTF-16: save it as UTF-8/],
  ["UTF-16, the other way round", write(Buffer.from(`\ufeff${LINE}`, "utf16le").swap16()), / is UTF-16/],
  ["a code page's text", write(Buffer.from("Caf\u00e9\n", "latin1")), / is no UTF-8: save it as UTF-8/],
  ["a folder", (file: string) => mkdirSync(file), / is not a file but a folder/],
  ["gigabytes", huge, / has 3000000000 bytes/],
  ["a pipe", (file: string) => void spawnSync("mkfifo", [file]), / is not a file but a pipe/],
  ["a device", (file: string) => symlinkSync("/dev/zero", file), / is not a file but a device/],
] as const)
  for (const [name, read] of Object.entries(READERS))
    test(`${name}: ${what} is refused in words`, { skip: process.platform === "win32" }, () => {
      const file = path.join(home, `${name} ${what}`);
      put(file);
      assert.throws(
        () => read(file),
        (error: Error) => error.message.startsWith(file) && message.test(error.message),
      );
    });

test("a byte-order mark is no part of a text", () => {
  const file = path.join(home, "marked");
  writeFileSync(file, `\ufeff${LINE}`);
  assert.equal(readText(file, LIMIT.line), LINE);
  assert.equal(loadAcronyms(file, gpt2Tokenizer()).prompts.length, 1);
});
