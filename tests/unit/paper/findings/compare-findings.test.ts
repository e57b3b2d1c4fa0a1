import assert from "node:assert/strict";
import { test } from "node:test";
import { PAPER_MODEL, THIS_MODEL } from "../../../../src/figures/style";
import { compareFindings } from "../../../../src/paper/findings/compare-findings";

const one = (finding: string, holds: boolean) => ({ finding, holds, evidence: `${finding}!` });

test("findings on which both models agree stand apart from the others", () => {
  const found = compareFindings(
    [one("a", true), one("b", false), one("c", false)],
    [one("a", true), one("b", true), one("c", false)],
  );
  assert.deepEqual(found, {
    same: [
      { finding: "a", [THIS_MODEL]: "yes: a!", [PAPER_MODEL]: "yes: a!" },
      { finding: "c", [THIS_MODEL]: "no: c!", [PAPER_MODEL]: "no: c!" },
    ],
    different: [{ finding: "b", [THIS_MODEL]: "no: b!", [PAPER_MODEL]: "yes: b!" }],
  });
});

test("lists about other findings are refused", () => {
  const [a, b] = [one("a", true), one("b", true)];
  assert.throws(() => compareFindings([a, b], [a]), /ours are 2, the paper's 1; the first that differs is "b"/);
  assert.throws(() => compareFindings([a], [a, b]), /ours are 1, the paper's 2$/);
  assert.throws(() => compareFindings([a, b], [b, a]), /the first that differs is "a"/);
});
