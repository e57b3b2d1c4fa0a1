import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { grid } from "../../../../src/numbers/lists";
import {
  averagingClaims,
  legibilityClaims,
  lookingClaims,
  type PatchedInput,
  productsAddUp,
  writingClaims,
} from "../../../../src/paper/findings/movers";
import { CORRUPTIONS } from "../../../../src/prompts/corruption";
import { LETTERS } from "../../../../src/prompts/positions";
import type { Claim } from "../../../../src/show/claims";

const held = (claims: readonly Claim[]) => claims.map(({ passed }) => passed);
/** Of four capitals, this many are copied. */
const copying = (count: number) =>
  [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j && i < count ? 2 : j === 0 ? 1 : 0)));
const none = [0, 1, 2, 3].map((i) => (i === 0 ? [0, 1, 1, 1] : [1, 0, 0, 0]));

describe("productsAddUp", () => {
  it("holds within a thousandth, and says both numbers", () => {
    assert.deepEqual(productsAddUp(3.92281, 3.92279), {
      claim: "The products add up to the logarithm of the ratio in which attention is shared",
      passed: true,
      evidence: "3.9228 from the parts, 3.9228 from the attention scores",
      given: true,
    });
    assert.equal(productsAddUp(1, 1.002).passed, false);
    assert.equal(productsAddUp(1.002, 1).passed, false);
  });
});

describe("writingClaims", () => {
  const head = { correlationRight: 0, attentionRight: 0, logitRight: 0, logitOthers: 0 };
  const attention = (...rs: number[]) => rs.map((correlation, i) => ({ ...head, head: `2.${i}`, correlation }));

  it("hold where half of the capitals are copied and every mover's correlation is clear", () => {
    const claims = writingClaims([...copying(2).slice(0, 1), null, ...copying(4).slice(2)], attention(0.69, 0.31));
    assert.deepEqual(held(claims), [true, true]);
    assert.deepEqual(
      claims.map(({ evidence }) => evidence),
      ["100% of the capitals, by chance 4%", "2.0: r = 0.69, 2.1: r = 0.31"],
    );
    assert.equal(writingClaims(copying(2), attention(1))[0].passed, true);
  });

  it("fail where fewer are copied, or one mover has none", () => {
    assert.deepEqual(held(writingClaims(none, attention(0.9, 0.3))), [false, false]);
    assert.deepEqual(held(writingClaims(copying(4), attention(-0.9))), [true, false]);
  });
});

describe("lookingClaims", () => {
  /** Values carry the current word, queries what came before; k and the rest lose 1. */
  const patched: PatchedInput[] = grid({
    corruption: CORRUPTIONS,
    letter: LETTERS,
    seed: [0, 1, 2],
    input: ["q", "k", "v", "z"] as const,
  }).map((row) => ({ ...row, change: row.input === (row.corruption === "current_word" ? "v" : "q") ? -3 : -1 }));
  const preferring = (...values: number[]) => values.map((selectivity, i) => ({ head: `1.${i}`, selectivity }));
  const but = (changed: Partial<PatchedInput>, change: number) =>
    patched.map((row) =>
      Object.entries(changed).every(([column, value]) => row[column as keyof PatchedInput] === value)
        ? { ...row, change }
        : row,
    );

  it("hold where values carry the word and queries the place", () => {
    const claims = lookingClaims(patched, preferring(2, 0.1));
    assert.deepEqual(held(claims), [true, true, true, true]);
    assert.deepEqual(
      claims.map(({ evidence }) => evidence),
      [
        "mean loss q 1.00, k 1.00, v 3.00",
        "mean loss q 3.00, k 1.00, v 1.00",
        "mean loss q 3.00, k 1.00, v 1.00",
        "1.0: 2.00, 1.1: 0.10",
      ],
    );
  });

  it("fail by one letter of one seed alone", () => {
    const one = { letter: 2, seed: 1 } as const;
    const current = but({ ...one, corruption: "current_word", input: "k" }, -3);
    assert.deepEqual(held(lookingClaims(current, preferring(1))), [false, true, true, true]);
    const letters = but({ ...one, corruption: "previous_letters", input: "v" }, -3.5);
    assert.deepEqual(held(lookingClaims(letters, preferring(1))), [true, false, true, true]);
    const words = but({ ...one, corruption: "previous_words", input: "q" }, 5);
    assert.deepEqual(held(lookingClaims(words, preferring(1, 0))), [true, true, false, false]);
  });

  it("leave letter 1 out where nothing comes before it, but not where its own word is another", () => {
    const silent = but({ letter: 1, corruption: "previous_words" }, 0);
    assert.equal(lookingClaims(silent, preferring(1))[2].passed, true);
    const first = but({ letter: 1, corruption: "current_word", input: "v" }, 0);
    assert.equal(lookingClaims(first, preferring(1))[0].passed, false);
  });

  it("don't count what the whole output loses", () => {
    assert.deepEqual(held(lookingClaims(but({ input: "z" }, -100), preferring(1))), [true, true, true, true]);
  });

  it("refuse rows in which an input is missing", () => {
    const part = patched.filter(({ input }) => input !== "k");
    assert.throws(() => lookingClaims(part, preferring(1)), /no values to average/);
  });
});

describe("averagingClaims", () => {
  const spread = { std: 1, n: 10, low: 0, high: 0 };
  const averaged = (prompts: Record<"q" | "k" | "v", number>, places: Record<"q" | "k" | "v", number>) =>
    grid({ letter: LETTERS, input: ["q", "k", "v"] as const }).flatMap(({ letter, input }) => [
      { ...spread, letter, input, mean: "prompts" as const, change: -prompts[input] },
      { ...spread, letter, input, mean: "prompts and positions" as const, change: -places[input] },
    ]);

  it("hold where only values know the prompt, and queries and keys their place", () => {
    const claims = averagingClaims(averaged({ q: 1, k: 2, v: 4 }, { q: 3, k: 5, v: 4 }));
    assert.deepEqual(held(claims), [true, true]);
    assert.deepEqual(
      claims.map(({ evidence }) => evidence),
      [
        "mean loss q 1.00, k 2.00, v 4.00",
        "mean loss q 3.00, k 5.00, v 4.00, over prompts alone q 1.00, k 2.00, v 4.00",
      ],
    );
  });

  it("fail where queries and keys together know as much, or one of them no place", () => {
    assert.deepEqual(held(averagingClaims(averaged({ q: 1, k: 2, v: 3 }, { q: 2, k: 5, v: 4 }))), [false, false]);
    assert.deepEqual(held(averagingClaims(averaged({ q: 1, k: 2, v: 9 }, { q: 9, k: 4, v: 9 }))), [true, false]);
  });

  it("take what helps for no loss", () => {
    assert.deepEqual(held(averagingClaims(averaged({ q: -9, k: 2, v: 1 }, { q: -1, k: 9, v: 0 }))), [false, false]);
  });
});

describe("legibilityClaims", () => {
  it("hold where more is copied as found at C, and less than the paper's from embeddings", () => {
    const claims = legibilityClaims({ embedding: copying(1), foundAtC: copying(4), paper: copying(3) });
    assert.deepEqual(held(claims), [true, true]);
    assert.deepEqual(
      claims.map(({ evidence }) => evidence),
      ["100% against 25%", "25% here, 75% in the paper's figure 10"],
    );
  });

  it("fail where as much is copied", () => {
    const same = copying(2);
    assert.deepEqual(held(legibilityClaims({ embedding: same, foundAtC: same, paper: same })), [false, false]);
  });
});
