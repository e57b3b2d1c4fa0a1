import assert from "node:assert/strict";
import { test } from "node:test";
import { calibrationTable } from "../../../src/paper/calibration";
import { paperEvidence } from "../../../src/paper/paper-evidence";

const evidence = paperEvidence();
const shown = (rows: ReturnType<typeof calibrationTable>) =>
  rows.map((row) => [row.head, row["paper's group"], row["found as"], row.fails, row["not known"]].join(" | "));

test("the paper's heads are found in their groups; what its figures don't show is said to be unknown", () => {
  assert.deepEqual(shown(calibrationTable(evidence)), [
    "1.0 | fuzzy previous token | fuzzy previous token | – | –",
    "2.2 | fuzzy previous token | fuzzy previous token | – | –",
    "4.11 | fuzzy previous token | fuzzy previous token | – | –",
    "5.8 | propagation | propagation | – | indirect",
    "8.11 | letter mover | letter mover | – | copying",
    "9.9 | letter mover | letter mover | – | copying",
    "10.10 | letter mover | letter mover | – | copying",
    "11.4 | letter mover | letter mover | – | copying",
  ]);
});

test("a head that fails the criteria of its group says which; one that the paper does not name is listed as found", () => {
  const changed = evidence.map((one) => {
    if (one.layer === 8 && one.head === 11) return { ...one, copying: 0 };
    return one.layer === 0 && one.head === 0 ? { ...one, total: 1, attention_to_word: 1, copying: 1 } : one;
  });
  const rows = shown(calibrationTable(changed));
  assert.equal(rows[0], "0.0 | none | letter mover | – | –");
  assert.ok(rows.includes("8.11 | letter mover | propagation | copying | indirect"), rows.join("; "));
});
