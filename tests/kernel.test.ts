// What scripts/kernel.cjs changes in tslab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spellOut } from "../scripts/lib/shorthand.cjs";

const cases: readonly (readonly [string, string])[] = [
  ["const a = { b };", "const a = { b: b };"],
  ["f({ a, ...rest, c: 1, d() {} }, [{ e }]);", "f({ a: a, ...rest, c: 1, d() {} }, [{ e: e }]);"],
  ["({ a, b = 2 } = c);", "({ a: a, b: b = 2 } = c);"],
  ["const { a } = b; const f = ({ c }) => c;", "const { a } = b; const f = ({ c }) => c;"],
  ['"{ a }"; // { a }', '"{ a }"; // { a }'],
  [`\`{ a } \${f({ a })}\``, `\`{ a } \${f({ a: a })}\``],
  ["import { a } from 'b'; export { c };", "import { a } from 'b'; export { c };"],
  ["const x: { a: number } = { /* é𝒳 */ a };", "const x: { a: number } = { /* é𝒳 */ a: a };"],
  ["f({ a", "f({ a: a"],
  ["", ""],
];

for (const [cell, spelt] of cases) test(`"${cell}"`, () => assert.equal(spellOut(cell), spelt));
