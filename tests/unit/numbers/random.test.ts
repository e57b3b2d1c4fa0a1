import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../../src/numbers/random";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number) => Array.from({ length: 5 }, random(seed).uniform);
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
});

test("a source goes on from a saved state", () => {
  const a = random(1);
  a.uniform();
  const b = random([...a.state()]);
  assert.deepEqual([a.uniform(), a.int(9)], [b.uniform(), b.int(9)]);
});

test("shuffle permutes and leaves its argument alone", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  const out = random(0).shuffle(items);
  assert.deepEqual([...out].sort(), items);
  assert.notDeepEqual(out, items);
  assert.deepEqual(items, [1, 2, 3, 4, 5, 6, 7, 8]);
});

/** How far counts are from even: chi-square as a standard normal number (Wilson and Hilferty). Large if uneven, low if too even for chance. */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (Math.cbrt(chiSquare / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
}

function assertEven(places: readonly number[], bins: number, what: string): void {
  const counts = new Array<number>(bins).fill(0);
  for (const place of places) counts[place]++;
  const found = unevenness(counts);
  assert.ok(Math.abs(found) < 4, `${what}: ${found.toFixed(1)} standard deviations from even`);
}

const N = 8192;
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const SEEDS = {
  "from 0": upTo(N),
  "from -1 down": upTo(N).map((i) => -1 - i),
  "multiples of 2^32": upTo(N).map((i) => i * 2 ** 32),
  "far from 0": upTo(N).map((i) => Number.MAX_SAFE_INTEGER - i),
};

for (const [name, seeds] of Object.entries(SEEDS)) {
  test(`over seeds ${name} each draw is uniform`, () => {
    const draws = seeds.map((seed) => Array.from({ length: 4 }, random(seed).uniform));
    for (const k of [0, 1, 2, 3])
      assertEven(
        draws.map((draw) => Math.floor(64 * draw[k])),
        64,
        `draw ${k + 1}`,
      );
    assertEven(
      draws.slice(1).map(([x], i) => 8 * Math.floor(8 * x) + Math.floor(8 * draws[i][0])),
      64,
      "first draws of neighbouring seeds, as pairs",
    );
    for (const n of [2, 7, 52])
      assertEven(
        seeds.map((seed) => random(seed).int(n)),
        n,
        `int(${n})`,
      );
  });
}

test("over seeds the first normal number is normal", () => {
  const x = SEEDS["from 0"].map((seed) => random(seed).normal());
  const moment = (power: number) => x.reduce((sum, value) => sum + value ** power, 0) / N;
  // four standard deviations of the mean of N standard normal numbers' powers
  assert.ok(Math.abs(moment(1)) < 4 * Math.sqrt(1 / N), `mean ${moment(1)}`);
  assert.ok(Math.abs(moment(2) - 1) < 4 * Math.sqrt(2 / N), `mean square ${moment(2)}`);
  assert.ok(Math.abs(moment(3)) < 4 * Math.sqrt(15 / N), `mean cube ${moment(3)}`);
  assert.ok(Math.abs(moment(4) - 3) < 4 * Math.sqrt(96 / N), `mean fourth power ${moment(4)}`);
});

test("over seeds every item is as likely at every place of a shuffle", () => {
  const items = upTo(8);
  const shuffles = SEEDS["from 0"].map((seed) => random(seed).shuffle(items));
  for (const place of items)
    assertEven(
      shuffles.map((out) => out[place]),
      8,
      `place ${place}`,
    );
});

test("every bit of a seed, and its sign, changes about half of the state", () => {
  const bits = (seed: number) => random(seed).state();
  const differing = (a: number, b: number) => {
    const other = bits(b);
    const ones = (word: number) => (word >>> 0).toString(2).replaceAll("0", "").length;
    return bits(a).reduce((sum, word, i) => sum + ones(word ^ other[i]), 0);
  };
  const pairs = [...upTo(53).map((bit) => [0, 2 ** bit]), [1, -1], [2 ** 40, -(2 ** 40)], [-1, 2 ** 32 - 1]];
  for (const [a, b] of pairs) {
    const found = differing(a, b); // of 128: 64 by chance, standard deviation 5.7
    assert.ok(found > 30 && found < 98, `seeds ${a} and ${b}: ${found} bits`);
  }
});

test("a seed is hashed by splitmix64: its reference implementation's numbers", () => {
  const [high, low] = [6457827717110365317n, 3203168211198807973n];
  const state = [high >> 32n, high, low >> 32n, low].map((word) => Number(BigInt.asIntN(32, word)));
  assert.deepEqual(random(1234567).state(), state);
});

test("one seed gives independent numbers for different purposes", () => {
  const items = upTo(50);
  const purposes = ["", "permutations", "prompts", "bootstrap", "probes"];
  const pairs = purposes.flatMap((a, i) => purposes.slice(i + 1).map((b) => [a, b]));
  for (const [a, b] of pairs) {
    const seeds = upTo(1000);
    const same = seeds.map((seed) => {
      const other = random(seed, b).shuffle(items);
      return random(seed, a)
        .shuffle(items)
        .filter((item, i) => item === other[i]).length;
    });
    const mean = same.reduce((x, y) => x + y) / seeds.length; // 1 by chance, standard deviation 1 / √1000
    assert.ok(Math.abs(mean - 1) < 4 / Math.sqrt(seeds.length), `"${a}" and "${b}": ${mean} coincidences`);
  }
});

test("normal has mean 0 and variance 1", () => {
  const { normal } = random(7);
  const x = Array.from({ length: 20_000 }, normal);
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
  assert.ok(Math.abs(mean) < 0.02, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.03, `variance ${variance}`);
});

test("bad arguments are named", () => {
  assert.throws(() => random(1.5), /seed must be an integer, not 1.5/);
  assert.throws(() => random(2 ** 53), /seed must be an integer, not 9007199254740992/);
  assert.throws(() => random([0, 0, 0, 0]), RangeError);
  assert.throws(() => random([1, 2, 3]), /4 whole numbers of 32 bits.*not \[1,2,3\]/);
  assert.throws(() => random([1, 2, 3, 0.5]), RangeError);
  assert.throws(() => random(0).int(0), /positive integer, not 0/);
});
