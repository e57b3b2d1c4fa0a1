import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AttributionRow, PositionAttributionRow } from "../../../../src/experiments/attribution";
import type { LensRow } from "../../../../src/experiments/logit-lens";
import { headName } from "../../../../src/model/heads";
import {
  attributionAsInPaper,
  attributionClaims,
  attributionIdentities,
  ownWordShare,
  paperHeadLosses,
} from "../../../../src/paper/findings/attribution";
import { paperHeads } from "../../../../src/paper/paper";
import { LETTERS, type Letter, type Position } from "../../../../src/prompts/positions";
import type { Claim } from "../../../../src/show/claims";

type Kind = AttributionRow["kind"];
const part = (kind: Kind, letter: Letter, logit_diff: number, layer: number | null = null): AttributionRow => {
  const component = layer === null ? kind : `${kind} ${layer}`;
  return { kind, layer, head: null, component, letter, logit: 2 * logit_diff, logit_diff, std: 0 };
};
const headPart = (layer: number, head: number, letter: Letter, logit_diff: number): AttributionRow => ({
  ...part("head", letter, logit_diff, layer),
  ...{ head, component: headName({ layer, head }) },
});

/** Heads 0.0 and 0.1 write 3 and 1, the MLP `mlp`, the embedding −1. */
const partsWith = (mlp: number) =>
  LETTERS.flatMap((letter) => [
    part("embedding", letter, -1),
    headPart(0, 0, letter, 3),
    headPart(0, 1, letter, 1),
    part("mlp", letter, mlp, 0),
  ]);
/** Two prompts, around these means. */
const saidOf = (logit: number, logit_diff: number) =>
  LETTERS.flatMap((letter) => [-1, 1].map((d) => ({ letter, logit: logit + d, logit_diff: logit_diff + d })));
const draw = { parts: partsWith(2), said: saidOf(10, 5) };

const moved = (letter: Letter, key: Position, logit_diff: number): PositionAttributionRow => {
  return { layer: 0, head: 0, letter, key, logit_diff, std: 0 };
};
const byKey = LETTERS.flatMap((letter) => [moved(letter, "BOS", -1), moved(letter, `C${letter}`, 4)]);
const lensAt = (depth: number, logit_diff: number, accuracy: number): LensRow[] =>
  LETTERS.map((letter) => ({ letter, depth, logit_diff, std: 0, accuracy }));
const lens = [...lensAt(0, -9, 0.2), ...lensAt(0.5, 1, 0.5), ...lensAt(1, 5, 1)];

const failing = (claims: readonly Claim[]) => claims.filter(({ passed }) => !passed).map(({ claim }) => claim);

describe("attributionIdentities", () => {
  it("hold where everything adds up", () => {
    const claims = attributionIdentities([draw, draw], byKey, lens);
    assert.equal(claims.length, 3);
    assert.deepEqual(failing(claims), []);
    assert.ok(claims.every(({ evidence }) => evidence === "largest gap 0.0e+0"));
    assert.match(claims[0].claim, /2 draws of prompts/);
  });

  it("fail one by one, where a sum is wrong in one draw, one head or one letter", () => {
    const fails = (...args: Parameters<typeof attributionIdentities>) =>
      attributionIdentities(...args).map(({ passed }) => !passed);
    for (const said of [saidOf(10.01, 5), saidOf(10, 5.01)])
      assert.deepEqual(fails([draw, { ...draw, said }], byKey, lens), [true, false, false]);
    assert.deepEqual(fails([draw], [...byKey, moved(3, "T1", 0.01)], lens), [false, true, false]);
    const off = lens.map((row) => (row.depth === 1 && row.letter === 2 ? { ...row, logit_diff: 5.01 } : row));
    assert.deepEqual(fails([draw], byKey, off), [false, false, true]);
  });
});

describe("ownWordShare", () => {
  it("counts what is moved from elsewhere, for the letter or against it", () => {
    assert.equal(ownWordShare(byKey, 2), 4 / 5);
    assert.equal(ownWordShare([...byKey, moved(2, "C1", 3), moved(2, "T1", -8)], 2), 4 / 16);
    assert.equal(ownWordShare([moved(1, "C1", -1), moved(1, "BOS", 1)], 1), -0.5);
  });
});

describe("attributionClaims", () => {
  it("hold where heads copy and write most", () => {
    const claims = attributionClaims([draw, draw], [0.8, 0.6], lens);
    assert.deepEqual(failing(claims), []);
    assert.deepEqual(
      claims.map(({ evidence }) => evidence),
      ["share 0.80 / 0.60", Array(6).fill("4.00 / 2.00").join("; "), "0.20 / 0.20 / 0.20"],
    );
  });

  it("fail one by one", () => {
    const fails = (...args: Parameters<typeof attributionClaims>) =>
      attributionClaims(...args).map(({ passed }) => !passed);
    assert.deepEqual(fails([draw], [0.8, 0.5], lens), [true, false, false]);
    assert.deepEqual(fails([draw, { ...draw, parts: partsWith(4) }], [0.8], lens), [false, true, false]);
    assert.deepEqual(fails([draw], [0.8], [...lensAt(0, -9, 0.25), ...lens.slice(3)]), [false, false, true]);
  });
});

describe("paperHeadLosses", () => {
  it("has every head of figure 2, the one that costs most first: for letters 2 and 3 head 8.11", () => {
    const losses = paperHeadLosses();
    const tops = losses.filter(({ rank }) => rank === 1);
    assert.deepEqual(
      tops.map(({ head }) => head),
      ["10.10", "8.11", "8.11"],
    );
    assert.ok(tops.every(({ share }) => share > 0.7 && share < 1.2));
    for (const letter of LETTERS) {
      const shares = losses.filter((row) => row.letter === letter).map(({ share }) => share);
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => b - a),
      );
    }
  });
});

describe("attributionAsInPaper", () => {
  const movers = paperHeads().letter_movers;
  const parts = LETTERS.flatMap((letter) => [
    headPart(0, 0, letter, 1),
    ...movers.map(({ layer, head }, i) => headPart(layer, head, letter, i === 0 ? 3 : 0.5)),
  ]);

  it("holds where the paper's movers write, and one of them most", () => {
    assert.deepEqual(failing(attributionAsInPaper(parts)), []);
    assert.equal(attributionAsInPaper(parts)[0].evidence, Array(3).fill(headName(movers[0])).join(" / "));
  });

  it("fails where another head writes most for one letter, or a mover writes against the letter or is missing", () => {
    const fails = (rows: readonly AttributionRow[]) => attributionAsInPaper(rows).map(({ passed }) => !passed);
    assert.deepEqual(fails([...parts, headPart(0, 1, 2, 9)]), [true, false]);
    const last = headName(movers[movers.length - 1]);
    const other = parts.map((row) => (row.component === last ? { ...row, logit_diff: -0.5 } : row));
    assert.deepEqual(fails(other), [false, true]);
    assert.deepEqual(fails(parts.filter(({ component }) => component !== last)), [false, true]);
  });
});
