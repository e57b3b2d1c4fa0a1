import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  besideFindings,
  harmByLayer,
  headsWithHalf,
  hidingClaims,
  maskClaims,
  placeClaims,
  positionalFindings,
  swapClaims,
} from "../../../../src/paper/findings/positional";
import { paperBosSwaps, paperSwapAttention } from "../../../../src/paper/paper-positional";
import type { Letter } from "../../../../src/prompts/positions";
import type { Claim } from "../../../../src/show/claims";

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
    assert.equal(findings.length, 8);
    assert.deepEqual(
      findings.filter(({ holds }) => !holds),
      [],
    );
  });

  it("all fail where nothing moves and one late head does all harm", () => {
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

  it("the first fails as soon as one pair's position embeddings move attention further", () => {
    const attention = paperSwapAttention().map((row) =>
      row.pair === "C2↔C3" && row.swap === "Swap POS" ? { ...row, attention: row.attention + 0.1 } : row,
    );
    const failed = positionalFindings(attention, paperBosSwaps()).filter(({ holds }) => !holds);
    assert.deepEqual(
      failed.map(({ finding }) => finding),
      ["Each pair: position embeddings move attention less far than BOS attention"],
    );
  });
});

describe("besideFindings", () => {
  it("a row a statement, both answers in words", () => {
    const [ours, paper] = [false, true].map((holds) => [{ finding: "heads are few", holds, evidence: "9" }]);
    assert.deepEqual(besideFindings(ours, paper), [
      { statement: "heads are few", "GPT-2 Small, paper": "yes: 9", "this model": "no: 9" },
    ]);
  });
});

const failing = (claims: readonly Claim[]) => claims.flatMap(({ passed }, i) => (passed ? [] : [i]));

describe("maskClaims", () => {
  const even = [1, 1 / 2, 1 / 3];
  const probes = (before: number, shuffled: number) => [
    { layer: 0, run: "positions alike", accuracy: before },
    { layer: 1, run: "positions alike", accuracy: 0.33 }, // a layer that moves nothing finds nothing
    { layer: 0, run: "intact", accuracy: 1 },
    { layer: 1, run: "labels shuffled", accuracy: shuffled },
  ];

  const claims = (toBos: readonly number[], before: number, shuffled: number, prompts = 100) =>
    maskClaims(toBos, probes(before, shuffled), { prompts, seeds: 3 });

  it("hold for an even clock and a place that is not found before layer 0", () => {
    assert.deepEqual(failing(claims(even, 0.33, 0.32)), []);
  });

  it("fail one by one", () => {
    assert.deepEqual(failing(claims([1, 1 / 2, 0.34], 0.33, 0.32)), [0]);
    assert.deepEqual(failing(claims(even, 0.5, 0.32)), [1]);
    assert.deepEqual(failing(claims(even, 0.33, 0.39)), [2]);
  });

  it("allow for the luck of few prompts", () => {
    assert.deepEqual(failing(claims(even, 0.33, 0.42, 2)), []);
    assert.deepEqual(failing(claims(even, 0.33, 0.8, 2)), [2]);
  });
});

describe("swapClaims", () => {
  const pairs = ["C1↔C2", "C1↔C3", "C2↔C3"];
  const names = ["Clean Run", "Swap POS", "Swap BOS", "Swap POS+BOS"];
  /** One head, one word: by how much each swap lowers its attention and each letter's logit difference. */
  const draw = (shifts = [0, 0.1, 0.2, 0.3], harms = [0, 2, 3, 4]) => ({
    attention: pairs.flatMap((pair) =>
      names.map((swap, i) => {
        const word = { layer: 0, head: 0, letter: 1, key: "C1", std: 0 } as const;
        return { ...word, pair, swap, attention: 0.5 - shifts[i] };
      }),
    ),
    effects: pairs.flatMap((pair) =>
      names.flatMap((swap, i) => ([1, 2, 3] as Letter[]).map((letter) => ({ pair, swap, letter, change: -harms[i] }))),
    ),
  });
  const early = [effect(0, 0, -3), effect(1, 0, -1)];

  it("hold where embeddings move less and harm less, but do harm", () => {
    assert.deepEqual(failing(swapClaims([draw(), draw()], early)), []);
  });

  it("fail one by one, also if only the last draw is against them", () => {
    assert.deepEqual(failing(swapClaims([draw(), draw([0, 0.3, 0.2, 0.3])], early)), [0]);
    assert.deepEqual(failing(swapClaims([draw(), draw(undefined, [0, 3.5, 3, 4])], early)), [1]);
    assert.deepEqual(failing(swapClaims([draw(), draw(undefined, [0, 0.5, 3, 4])], early)), [2]);
    assert.deepEqual(failing(swapClaims([draw(), draw(undefined, [0, 2, 3, 2.5])], early)), [3]);
    assert.deepEqual(failing(swapClaims([draw()], [effect(0, 0, -1), effect(1, 0, -3)])), [4]);
  });

  it("the first fails as soon as one pair's embeddings move attention further", () => {
    const { attention, effects } = draw();
    const one = attention.map((row) =>
      row.pair === "C2↔C3" && row.swap === "Swap POS" ? { ...row, attention: 0 } : row,
    );
    assert.deepEqual(failing(swapClaims([{ attention: one, effects }], early)), [0]);
  });
});

describe("placeClaims", () => {
  const after = (accuracy: number) => [{ layer: 1, run: "positions alike", accuracy }];
  const heads = [
    { layer: 0, head: 0, accuracy: 0.4 },
    { layer: 0, head: 1, accuracy: 0.9 },
  ];

  it("hold where the place is found, trained or not, and by one head", () => {
    const claims = placeClaims(after(1), after(0.9), heads);
    assert.deepEqual(failing(claims), []);
    assert.match(claims[2].evidence, /head 0\.1: accuracy 0\.900/);
  });

  it("fail one by one", () => {
    assert.deepEqual(failing(placeClaims(after(0.7), after(0.9), heads)), [0]);
    assert.deepEqual(failing(placeClaims(after(1), after(0.7), heads)), [1]);
    assert.deepEqual(failing(placeClaims(after(1), after(0.9), heads.slice(0, 1))), [2]);
  });
});

describe("hidingClaims", () => {
  const rows = (shares: Readonly<Record<string, readonly number[]>>) =>
    Object.entries(shares).flatMap(([name, accuracies]) => {
      const [hidden, from] = name.split(": ");
      return accuracies.map((accuracy, i) => ({ hidden, from, letter: (i + 1) as Letter, accuracy, logit_diff: 0 }));
    });
  const fitting = {
    "BOS: all heads": [1, 0.95, 1],
    "BOS and The: all heads": [0.19, 0, 0],
    "earlier T: layer 0": [1, 1, 0.95],
    "earlier C: layer 0": [0.5, 0.3, 1],
  };
  const others = [rows({ "earlier C: layer 0": [1, 0.9, 1] })];
  const held = (changed: Partial<Record<keyof typeof fitting, readonly number[]>>, other = others) =>
    hidingClaims(rows({ ...fitting, ...changed }), other).map(({ passed }) => passed);

  it("holds where only counted capitals and the last fixed token are missed", () => {
    assert.deepEqual(held({}), [true, true, true, true]);
  });

  it("fails one by one where another token counts", () => {
    assert.deepEqual(held({ "BOS: all heads": [1, 0.9, 1] }), [false, true, true, true]);
    assert.deepEqual(held({ "BOS and The: all heads": [0, 0, 0.2] }), [true, false, true, true]);
    assert.deepEqual(held({ "earlier C: layer 0": [0.5, 0.7, 1] }), [true, true, false, true]);
    assert.deepEqual(held({ "earlier T: layer 0": [0.9, 1, 1] }), [true, true, false, true]);
    assert.deepEqual(held({}, [...others, rows({ "earlier C: layer 0": [0.8, 1, 1] })]), [true, true, true, false]);
  });
});
