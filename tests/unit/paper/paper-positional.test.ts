import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { paperBosSwaps, paperSwapAttention, positionalFigureClaims } from "../../../src/paper/paper-positional";

const attention = paperSwapAttention();
const bosSwaps = paperBosSwaps();

describe("the paper's figures 12–14 as rows", () => {
  it("hold four movers, three pairs, four runs, three letters and three words", () => {
    assert.equal(attention.length, 4 * 3 * 4 * 3 * 3);
    const { pair, swap, letter, key } = attention[0];
    assert.deepEqual({ pair, swap, letter, key }, { pair: "C1↔C2", swap: "Clean Run", letter: 1, key: "C1" });
  });

  it("hold the numbers that are best known", () => {
    const bar = (swap: string) =>
      attention.find(
        (row) => row.layer === 8 && row.pair === "C1↔C3" && row.swap === swap && row.letter === 1 && row.key === "C1",
      )!.attention;
    assert.deepEqual(
      ["Clean Run", "Swap POS", "Swap BOS", "Swap POS+BOS"].map((swap) => bar(swap).toFixed(3)),
      ["0.198", "0.209", "0.068", "0.047"],
    );
    const extreme = bosSwaps.find(
      (row) => row.pair === "C1↔C3" && row.layer === 2 && row.head === 9 && row.letter === 3,
    )!;
    assert.ok(Math.abs(extreme.change + 0.185) < 0.001);
    assert.equal(bosSwaps.length, 3 * 3 * 144);
  });
});

describe("positionalFigureClaims", () => {
  const measured = bosSwaps.map((row) => ({ ...row, std: 0, n: 100 }));
  const exact = attention.map((row) => ({ ...row, std: 0 }));

  it("holds 27 claims, a figure each, which the paper's own numbers pass", () => {
    // figure 12 was read off other plots than figure 14: allow for the spread over prompts
    const claims = positionalFigureClaims(attention, measured, 100);
    assert.equal(claims.length, 27);
    for (const { claim, evidence } of claims) {
      const cells = claim.includes("fig12") ? 18 : claim.includes("fig13") ? 432 : 36;
      assert.ok(evidence.includes(`${cells} of ${cells} of all`), `${claim}: ${evidence}`);
    }
    assert.deepEqual(
      claims.filter(({ passed }) => !passed),
      [],
    );
  });

  it("fails for numbers of another model", () => {
    const other = exact.map((row) => ({ ...row, attention: row.attention / 2 }));
    const opposite = measured.map((row) => ({ ...row, change: -row.change }));
    assert.ok(positionalFigureClaims(other, opposite, 100).every(({ passed }) => !passed));
  });
});
