import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { headSumClaims, headSums, mirrorClaim, mirrorShares } from "../../../../src/paper/findings/denoising";
import type { PatchCell } from "../../../../src/paper/paper-patching";
import { LETTERS, type Letter, type Position } from "../../../../src/prompts/positions";

const whole = LETTERS.map((letter) => ({ letter, change: -10 * letter }));

describe("headSums", () => {
  const heads = (changes: readonly number[]): PatchCell[] =>
    LETTERS.flatMap((letter) => changes.map((change, head) => ({ letter, layer: 0, head, change: change * letter })));

  it("are shares of what the whole corruption costs, letter by letter", () => {
    assert.deepEqual(headSums(whole, heads([-4, -3, 1]), heads([6, 6])), [
      { letter: 1, cost: 10, noising: 0.6, denoising: 1.2 },
      { letter: 2, cost: 20, noising: 0.6, denoising: 1.2 },
      { letter: 3, cost: 30, noising: 0.6, denoising: 1.2 },
    ]);
  });

  it("are refused without the whole corruption of a letter", () => {
    assert.throws(
      () => headSums(whole.slice(1), heads([-1]), heads([1])),
      /no change of the whole prompt for letter 1/,
    );
  });
});

describe("headSumClaims", () => {
  const sums = (noising: number, denoising: number) =>
    LETTERS.map((letter) => ({ letter, cost: 10, noising, denoising }));
  const passed = (max: [number, number], mean: [number, number]) =>
    headSumClaims({ max: sums(...max), mean: sums(...mean) }).map((one) => one.passed);

  it("hold where the difference is the measure's", () => {
    assert.deepEqual(passed([0.7, 1.1], [0.8, 0.9]), [true, true]);
  });

  it("fail where denoising does no more, where the difference stays, and where heads repair more than the whole", () => {
    assert.deepEqual(passed([0.8, 0.8], [0.8, 0.8]), [false, false]);
    assert.deepEqual(passed([0.5, 0.9], [0.5, 0.8]), [true, false]);
    assert.deepEqual(passed([0.5, 0.9], [0.9, 0.5]), [true, false]);
    assert.deepEqual(passed([0.6, 1.4], [0.9, 1.05]), [true, false]);
  });

  it("fail if it is otherwise for one letter alone", () => {
    const [first, ...others] = sums(0.7, 1.1);
    const max = [{ ...first, denoising: 0.6 }, ...others];
    assert.equal(headSumClaims({ max, mean: sums(0.8, 0.9) })[0].passed, false);
  });
});

describe("mirrorShares", () => {
  const at = (cells: Readonly<Record<number, readonly [word: number, read: number]>>): PatchCell[] =>
    LETTERS.flatMap((letter) =>
      Object.entries(cells).flatMap(([layer, [word, read]]) =>
        [[`C${letter}`, word] as const, [READ[letter], read] as const].map(([position, share]) => ({
          ...{ letter, layer: Number(layer), position: position as Position },
          change: share * 10 * letter,
        })),
      ),
    );
  const READ: Readonly<Record<Letter, Position>> = { 1: "(", 2: "A1", 3: "A2" };

  it("are lost by corruption, and still lost after repair, as shares", () => {
    const rows = mirrorShares(whole, at({ 0: [-1, 0], 1: [-0.25, -0.75] }), at({ 0: [1, 0], 1: [0.5, 0.5] }));
    assert.equal(rows.length, 3 * 2 * 4);
    assert.deepEqual(rows.slice(20), [
      { letter: 3, layer: 1, what: "Ci corrupted: lost", share: 0.25 },
      { letter: 3, layer: 1, what: "read-out repaired: still lost", share: 0.5 },
      { letter: 3, layer: 1, what: "read-out corrupted: lost", share: 0.75 },
      { letter: 3, layer: 1, what: "Ci repaired: still lost", share: 0.5 },
    ]);
  });

  it("make the claim hold where corrupting one place is repairing the other, and fail otherwise", () => {
    const noised = at({ 0: [-1, 0], 1: [-0.25, -0.75] });
    const claimOf = (repaired: readonly [number, number]) =>
      mirrorClaim(mirrorShares(whole, noised, at({ 0: [1, 0], 1: repaired })));
    assert.equal(claimOf([0.25, 0.75]).passed, true);
    assert.match(claimOf([0.25, 0.75]).evidence, /0\.000/);
    assert.equal(claimOf([0.25, 0.6]).passed, false);
    assert.equal(claimOf([0.4, 0.75]).passed, false);
  });

  it("name a cell that is missing", () => {
    const noised = at({ 0: [-1, 0] });
    const without = noised.filter(({ position }) => position !== "A1");
    assert.throws(() => mirrorShares(whole, without, noised), /no cell of letter 2, layer 0, position A1/);
  });

  it("has no rows of a letter that another word costs nothing, as with two prompts that stay where they are", () => {
    const cells = at({ 0: [-1, 0] });
    const free = whole.map((row) => (row.letter === 2 ? { ...row, change: 0 } : row));
    assert.deepEqual(
      mirrorShares(free, cells, cells).map(({ letter }) => letter),
      [1, 1, 1, 1, 3, 3, 3, 3],
    );
    const [, sums] = headSums(free, [], []);
    assert.deepEqual([sums.noising, sums.denoising], [null, null]);
    assert.deepEqual(
      headSumClaims({ max: [sums], mean: [sums] }).map(({ passed }) => passed),
      [false, false],
    );
  });
});
