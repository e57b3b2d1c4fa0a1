import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { grid, range } from "../../../../src/numbers/lists";
import {
  averageFigures,
  type PatchingFigures,
  paperPatchingFigures,
  patchingClaims,
  patchingFigureClaims,
  patchingFindings,
  patchingIdentities,
  type SeedRow,
  strongestBySeed,
} from "../../../../src/paper/findings/patching";
import { paperBehaviour } from "../../../../src/paper/paper";
import type { PatchCell } from "../../../../src/paper/paper-patching";
import { LETTERS, POSITIONS } from "../../../../src/prompts/positions";

type Name = keyof PatchingFigures;
type Change = (cell: PatchCell) => number;

const changed = <C extends PatchCell>(figures: PatchingFigures<C>, name: Name, change: Change): PatchingFigures<C> => ({
  ...figures,
  [name]: figures[name].map((cell) => ({ ...cell, change: change(cell) })),
});

describe("patchingFindings", () => {
  const paper = paperPatchingFigures();
  const levels = paperBehaviour().logit_diff;
  const failing = (figures: PatchingFigures, level = levels) =>
    patchingFindings(figures, level)
      .map(({ holds }, i) => (holds ? -1 : i))
      .filter((i) => i >= 0);

  it("all hold for the paper's own cells", () => {
    assert.equal(patchingFindings(paper, levels).length, 14);
    assert.deepEqual(failing(paper), []);
  });

  it("find nothing where nothing changes, whatever the sign of the logit differences", () => {
    const still = changed(
      changed(paper, "fig01_res_1", () => 0),
      "fig02_attn_1",
      () => 0,
    );
    const nothing = changed(
      changed(still, "fig05_attn_2_Ci", () => 0),
      "fig06_attn_2_Ai_1",
      () => 0,
    );
    for (const level of [levels, levels.map((one) => -one)])
      assert.deepEqual(failing(nothing, level), [0, 1, 9, 10, 11, 12, 13]);
    const all = changed(
      changed(nothing, "fig04_res_2", () => 0),
      "fig07_res_3",
      () => 0,
    );
    assert.deepEqual(failing(all), [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13]); // but that letter 1 is untouched
    const said = patchingFindings(nothing, levels).map(({ evidence }) => evidence);
    assert.deepEqual([said[0], said[9], said[13]], ["none, none, none", "none, none", "none and none, none and none"]);
  });

  it("fail one by one where the cells that they are about are others", () => {
    const at = (name: Name, fits: (cell: PatchCell) => boolean, change: number) =>
      failing(changed(paper, name, (cell) => (fits(cell) ? change : cell.change)));
    assert.deepEqual(
      at("fig01_res_1", (c) => c.letter === 2 && c.layer === 0 && c.position === "T2", -20),
      [0],
    );
    assert.deepEqual(
      at("fig01_res_1", (c) => c.letter === 1 && c.layer === 11 && c.position === "C1", -20),
      [1],
    );
    assert.deepEqual(
      at("fig04_res_2", (c) => c.letter === 3 && c.layer === 0 && c.position === "C1", -1.8),
      [2],
    );
    assert.deepEqual(
      at("fig04_res_2", (c) => c.letter === 2 && c.layer === 11 && c.position === "C1", -1.8),
      [3],
    );
    assert.deepEqual(
      at("fig04_res_2", (c) => c.letter === 3 && c.position === "T2", 0),
      [4],
    );
    assert.deepEqual(
      at("fig04_res_2", (c) => c.letter === 2 && c.position === "C2", 0),
      [5],
    );
    assert.deepEqual(
      at("fig07_res_3", (c) => c.letter === 1 && c.position === "A1", -0.1),
      [6],
    );
    assert.deepEqual(
      at("fig07_res_3", (c) => c.letter === 3 && c.position === "A1", -1.5),
      [7],
    );
    assert.deepEqual(
      at("fig07_res_3", (c) => c.letter === 3 && c.position === "A2", -3),
      [8],
    );
    assert.deepEqual(
      at("fig02_attn_1", (c) => c.letter === 3 && c.layer === 0 && c.head === 0, -9),
      [9, 13],
    );
    assert.deepEqual(
      at("fig02_attn_1", (c) => c.change > 0, 0),
      [10],
    );
    assert.deepEqual(failing(paper, [1, 2, 30]), [11]);
    assert.deepEqual(
      at("fig05_attn_2_Ci", (c) => c.letter === 2 && c.layer === 0 && c.head === 0, -2),
      [12],
    );
    assert.deepEqual(
      at("fig06_attn_2_Ai_1", (c) => c.letter === 2 && c.layer === 5 && c.head === 8, -2),
      [13],
    );
  });
});

/** Two permutations of a model of two layers and heads in which everything is as the claims say. */
function measured(): PatchingFigures<SeedRow> {
  const effect = { std: 1, n: 4, low: -1, high: 1 };
  const rows = (
    change: (seed: number, letter: number, layer: number, place: string) => number,
    places: readonly string[],
    heads: boolean,
  ) =>
    grid({ seed: [0, 1], letter: LETTERS, layer: [0, 1], place: places })
      .filter(({ letter }) => !heads || letter > 1)
      .map(({ seed, letter, layer, place }) => ({
        ...{ seed, letter, layer, ...effect, change: change(seed, letter, layer, place) },
        ...(heads ? { head: Number(place) } : { position: place as (typeof POSITIONS)[number] }),
      }));
  const read = ["", "(", "A1", "A2"];
  const moves = (from: (letter: number) => string) => (_: number, letter: number, layer: number, place: string) =>
    place === from(letter) ? -5 + 4 * layer : place === read[letter] ? -4 * layer : 0;
  const later = (change: ReturnType<typeof moves>) => (seed: number, letter: number, layer: number, place: string) =>
    letter === 1 ? 0 : change(seed, letter, layer, place);
  const heads = range(2).map(String);
  return {
    fig01_res_1: rows(
      moves((letter) => `C${letter}`),
      POSITIONS,
      false,
    ),
    fig02_attn_1: rows(() => -1, heads, true),
    fig04_res_2: rows(later(moves((letter) => `C${letter - 1}`)), POSITIONS, false),
    fig05_attn_2_Ci: rows(() => -1, heads, true),
    fig06_attn_2_Ai_1: rows((seed, _, layer, head) => -2 - 2 * seed * layer * Number(head), heads, true),
    fig07_res_3: rows(
      later((seed, letter, _, place) => (place === read[letter] ? -3 - seed : 0)),
      POSITIONS,
      false,
    ),
  };
}

/** One row of one permutation is another: a claim must hold in each. */
const inOne = (name: Name, fits: (row: SeedRow) => boolean, change: number): PatchingFigures<SeedRow> => ({
  ...measured(),
  [name]: measured()[name].map((row) => (row.seed === 1 && fits(row) ? { ...row, change } : row)),
});
const passed = (claims: readonly { passed: boolean }[]) => claims.map((one) => one.passed);

describe("patchingIdentities", () => {
  it("hold, with the numbers of each permutation", () => {
    const claims = patchingIdentities(measured());
    assert.deepEqual(passed(claims), [true, true]);
    assert.match(claims[0].claim, /\(2 permutations\)$/);
    assert.match(claims[1].evidence, /^by -3\.000 \/ -4\.000; largest difference between layers 0/);
  });

  it("fail where letter 1 changes the least, and where A1 differs from layer to layer", () => {
    const of = (...change: Parameters<typeof inOne>) => passed(patchingIdentities(inOne(...change)));
    assert.deepEqual(
      of("fig04_res_2", (row) => row.letter === 1 && row.position === "BOS", 1e-9),
      [false, true],
    );
    assert.deepEqual(
      of("fig07_res_3", (row) => row.letter === 1 && row.position === "A2", 1e-9),
      [false, true],
    );
    const atA1 = (row: SeedRow) => row.letter === 2 && row.position === "A1";
    assert.deepEqual(
      of("fig07_res_3", (row) => atA1(row) && row.layer === 1, -3.9),
      [true, false],
    );
    assert.deepEqual(of("fig07_res_3", atA1, 0), [true, true]); // as in a model that does nothing with it
  });
});

describe("patchingClaims", () => {
  it("hold, with evidence by permutation and letter", () => {
    const claims = patchingClaims(measured());
    assert.deepEqual(passed(claims), [true, true, true, true, true, true]);
    assert.equal(claims[3].evidence, "2.00 > 1.00, 2.00 > 1.00; 4.00 > 1.00, 4.00 > 1.00");
    assert.match(claims[0].evidence, /^C1 -5\.0 \[-1\.0, 1\.0\] → -1\.0 \[-1\.0, 1\.0\], \( 0\.0/);
  });

  it("fail one by one if it is otherwise in one permutation", () => {
    const of = (...change: Parameters<typeof inOne>) => passed(patchingClaims(inOne(...change))).indexOf(false);
    const cell = (letter: number, layer: number, position: string) => (row: SeedRow) =>
      row.letter === letter && row.layer === layer && row.position === position;
    assert.equal(of("fig01_res_1", cell(2, 1, "C2"), -6), 0);
    assert.equal(of("fig01_res_1", cell(3, 1, "A2"), 1), 0);
    assert.equal(of("fig01_res_1", cell(1, 0, "T1"), -0.6), 1);
    assert.equal(of("fig04_res_2", cell(3, 0, "T2"), -6), 2);
    assert.equal(of("fig04_res_2", cell(2, 1, "C1"), -6), 2);
    assert.equal(
      of("fig05_attn_2_Ci", (row) => row.letter === 3, -5),
      3,
    );
    assert.equal(of("fig07_res_3", cell(3, 1, "A1"), -2.1), 4);
    assert.equal(of("fig07_res_3", cell(2, 1, "A1"), 0.9), 5);
  });
});

describe("figures measured with several permutations", () => {
  it("are averaged", () => {
    const { fig07_res_3 } = averageFigures(measured());
    assert.equal(fig07_res_3.length, measured().fig07_res_3.length / 2);
    assert.equal(Math.min(...fig07_res_3.map(({ change }) => change)), -3.5);
  });

  it("have one strongest cell a figure and letter, chosen by the average and shown in each permutation", () => {
    const rows = strongestBySeed(measured(), [3]);
    assert.equal(rows.length, 6 * 2);
    const six = rows.filter(({ figure }) => figure === "fig. 6");
    assert.deepEqual(
      six.map(({ layer, head, change, permutation }) => [layer, head, change, permutation]),
      [
        [1, 1, -2, "permutation 0"],
        [1, 1, -4, "permutation 1"],
      ],
    );
  });

  it("agree with the paper if they are the paper's, and don't otherwise", () => {
    const paper = paperPatchingFigures();
    const rows = (sign: number) =>
      Object.fromEntries(
        Object.entries(paper).map(([name, cells]) => [
          name,
          cells.map((cell) => ({ ...cell, change: sign * cell.change, seed: 0, std: 0, n: 1, low: 0, high: 0 })),
        ]),
      ) as unknown as PatchingFigures<SeedRow>;
    assert.deepEqual(passed(patchingFigureClaims(rows(1))), Array(6).fill(true));
    assert.deepEqual(passed(patchingFigureClaims(rows(-1))), Array(6).fill(false));
  });
});
