import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { paperBosSwaps, paperSwapAttention } from "../../../src/paper/paper-positional";
import { harmByLayer, headsWithHalf, positionalFindings } from "../../../src/paper/statements";

const effect = (layer: number, head: number, change: number) => ({ layer, head, change });

describe("harmByLayer", () => {
  it("shares out what harms; what helps does not count", () => {
    const shares = harmByLayer([effect(0, 0, -3), effect(0, 1, 5), effect(2, 0, -1)]);
    assert.deepEqual(shares, [
      { layer: 0, share: 0.75 },
      { layer: 1, share: 0 },
      { layer: 2, share: 0.25 },
    ]);
    assert.deepEqual(harmByLayer([effect(0, 0, 1)]), [{ layer: 0, share: 0 }]);
  });
});

describe("headsWithHalf", () => {
  it("counts the fewest heads that have half of the harm, each head's rows together", () => {
    assert.equal(headsWithHalf([effect(0, 0, -1), effect(0, 0, -1), effect(0, 1, -1)]), 1);
    assert.equal(headsWithHalf([effect(0, 0, -1), effect(0, 1, -1), effect(1, 0, -1)]), 2);
  });
});

describe("positionalFindings", () => {
  it("all hold for the paper's own numbers", () => {
    const findings = positionalFindings(paperSwapAttention(), paperBosSwaps());
    assert.equal(findings.length, 7);
    assert.deepEqual(
      findings.filter(({ holds }) => !holds),
      [],
    );
  });

  it("fail, all but the one about layers and heads, where nothing moves", () => {
    const attention = paperSwapAttention();
    const clean = attention.filter(({ swap }) => swap === "Clean Run");
    const still = attention.map((row) => ({
      ...row,
      attention: clean.find(
        (c) =>
          c.layer === row.layer &&
          c.head === row.head &&
          c.pair === row.pair &&
          c.letter === row.letter &&
          c.key === row.key,
      )!.attention,
    }));
    const findings = positionalFindings(still, [effect(3, 0, -1)]);
    assert.deepEqual(
      findings.filter(({ holds }) => holds),
      [],
    );
  });
});
