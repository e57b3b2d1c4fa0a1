import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAcronyms } from "../../../src/prompts/acronym-lines";

const LINE = "The Ketchup Lark Wreck (KL, KLW";

test("a line has a prompt, an acronym and three words", () => {
  assert.deepEqual(parseAcronyms(LINE, "f"), [
    { prompt: "The Ketchup Lark Wreck (KL", acronym: "KLW", words: ["Ketchup", "Lark", "Wreck"] },
  ]);
});

test("final newlines, Windows line ends and a byte-order mark change nothing", () => {
  const parsed = parseAcronyms(`${LINE}\n${LINE}`, "f");
  for (const text of [`${LINE}\n${LINE}\n`, `${LINE}\r\n${LINE}\r\n`, `${LINE}\r${LINE}\r`, `\uFEFF${LINE}\n${LINE}`])
    assert.deepEqual(parseAcronyms(text, "f"), parsed);
});

test("a malformed line is named by file and number with what is wrong", () => {
  const faults: [string, RegExp][] = [
    ["The Ketchup Lark Wreck (KL KLW", /has 0 commas, not 1/],
    ["The Ketchup\u200b Lark Wreck (KL, KLW", /"The Ketchup\\u\{200b\} Lark .* holds what can't be seen, U\+200B/],
    ["The \u041aetchup Lark Wreck (KL, KLW", /begin with "\u041aLW" \(U\+041A: no letter of A–Z\), but the acronym/],
    ["The Ketchup, Lark Wreck (KL, KLW", /has 2 commas/],
    ["The Ketchup Lark Wreck (KL, KL", /acronym "KL" is not three capitals/],
    ["The Ketchup Lark Wreck (KL, KLw", /acronym "KLw" is not three capitals/],
    ["A Ketchup Lark Wreck (KL, KLW", /does not begin with "The "/],
    ["The Ketchup Lark Wreck KL, KLW", /not exactly one " \("/],
    ["The Ketchup Lark (KL, KLW", /"Ketchup Lark" is 2 words/],
    ["The Ketchup  Lark Wreck (KL, KLW", /a space too many/],
    ["The Ketchup Lark Wreck (KL, KLX", /begin with "KLW", but the acronym is "KLX"/],
    ["The Ketchup Lark Wreck (KW, KLW", /after the bracket stands "KW", not "KL"/],
    ["The Ketchup\u00a0Lark Wreck (KL, KLW", /"The Ketchup\\u\{a0\}Lark Wreck .* holds what can't be seen, U\+00A0/],
    ["The Ketchup Lark Wreck (KL, KLW\u200b", /KLW\\u\{200b\}" holds what can't be seen, U\+200B/],
    [`${"x".repeat(1e6)}`, /^.{0,400}$/],
    ["", /the line is blank/],
  ];
  for (const [line, message] of faults) {
    assert.throws(() => parseAcronyms(`${LINE}\n${line}\n${LINE}`, "some/file.txt"), message);
    assert.throws(() => parseAcronyms(`${LINE}\n${line}\n${LINE}`, "some/file.txt"), /^Error: some\/file\.txt:2: /);
  }
  assert.throws(() => parseAcronyms(`\n${LINE}`, "f"), /f:1: the line is blank/);
  assert.throws(() => parseAcronyms("\n", "f"), /f has no prompts/);
});
