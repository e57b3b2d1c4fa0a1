import assert from "node:assert/strict";
import { test } from "node:test";
import { otherCircuits, randomCircuits, randomSubsets } from "../../../src/experiments/random-circuits";
import { allHeads, type HeadId, headName, sameHead } from "../../../src/model/heads";

const config = { n_layers: 4, n_heads: 4 };
const circuit = [
  { layer: 2, head: 3 },
  { layer: 0, head: 1 },
  { layer: 2, head: 0 },
];

test("random circuits have the circuit's size and no head twice", () => {
  const circuits = randomCircuits(config, circuit, { draws: 50, seed: 0 });
  assert.equal(circuits.length, 50);
  for (const heads of circuits) assert.equal(new Set(heads.map(headName)).size, 3);
  const seen = new Set(circuits.flat().map(headName));
  assert.equal(seen.size, 16, "in fifty draws every head of the model comes");
});

test("with the same layers, each has as many heads of each layer as the circuit", () => {
  for (const heads of randomCircuits(config, circuit, { draws: 20, seed: 1, among: "same layers" })) {
    assert.deepEqual(
      heads.map(({ layer }) => layer),
      [0, 2, 2],
    );
    assert.equal(new Set(heads.map(headName)).size, 3);
  }
});

test("subsets are of the circuit, in its order, about half of it", () => {
  const subsets = randomSubsets(circuit, { draws: 400, seed: 2 });
  for (const heads of subsets)
    assert.deepEqual(
      heads,
      circuit.filter((head) => heads.includes(head)),
    );
  const share = subsets.flat().length / (400 * circuit.length);
  assert.ok(Math.abs(share - 0.5) < 0.05, `${share}`);
  assert.equal(new Set(subsets.map((heads) => heads.map(headName).join(" "))).size, 8, "every subset comes");
});

test("over seeds each head is in the first subset half of the time, and in the first circuit by its share", () => {
  const seeds = Array.from({ length: 2000 }, (_, seed) => seed);
  const shares = (heads: typeof circuit, drawn: (typeof circuit)[]) =>
    heads.map((head) => drawn.filter((one) => one.some((other) => sameHead(other, head))).length / seeds.length);
  const near = (found: number[], share: number) => {
    const tolerance = 4 * Math.sqrt((share * (1 - share)) / seeds.length);
    for (const one of found) assert.ok(Math.abs(one - share) < tolerance, `${found} should be about ${share}`);
  };
  near(
    shares(
      circuit,
      seeds.map((seed) => randomSubsets(circuit, { draws: 1, seed })[0]),
    ),
    1 / 2,
  );
  const first = (among: "all" | "same layers") =>
    seeds.map((seed) => randomCircuits(config, circuit, { draws: 1, seed, among })[0]);
  near(shares(allHeads(config), first("all")), 3 / 16);
  const layer = (l: number) => allHeads(config).filter((head) => head.layer === l);
  near(shares(layer(0), first("same layers")), 1 / 4);
  near(shares(layer(2), first("same layers")), 1 / 2);
});

test("the seed decides, and nothing else", () => {
  const draw = (seed: number) => [
    randomCircuits(config, circuit, { draws: 5, seed }),
    randomSubsets(circuit, { draws: 5, seed }),
  ];
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3)[0], draw(4)[0]);
  assert.throws(() => randomSubsets(circuit, { draws: 1, seed: 0.5 }), /seed must be an integer, not 0.5/);
});

const asText = (heads: readonly HeadId[]) => heads.map(headName).sort().join(" ");

test("where there are few other circuits all are given, each once, without the circuit itself", () => {
  // 4 of layer 0, (4 · 3) / 2 of layer 2
  const { circuits, there_are, drawn } = otherCircuits(config, circuit, { draws: 5, seed: 0, among: "same layers" });
  assert.deepEqual([circuits.length, there_are, drawn], [23, 23, false]);
  assert.equal(new Set([...circuits, circuit].map(asText)).size, 24);
  for (const heads of circuits) {
    const layers = heads.map(({ layer }) => layer);
    assert.deepEqual(layers, [0, 2, 2]);
    assert.equal(new Set(heads.map(headName)).size, 3);
  }
});

test("at most 50 with the circuit are few; of more some are drawn", () => {
  const one = [{ layer: 0, head: 0 }];
  const of = (n_heads: number) => otherCircuits({ n_layers: 1, n_heads }, one, { draws: 7, seed: 3 });
  assert.deepEqual([of(50).circuits.length, of(50).there_are, of(50).drawn], [49, 49, false]);
  assert.deepEqual([of(51).circuits.length, of(51).there_are, of(51).drawn], [7, 50, true]);
  const { circuits, there_are } = otherCircuits(config, circuit, { draws: 5, seed: 3 });
  assert.deepEqual(circuits, randomCircuits(config, circuit, { draws: 5, seed: 3 }));
  assert.equal(there_are, 559); // 16 choose 3, less one
});

test("a circuit of all heads, or of none, has no other", () => {
  for (const heads of [allHeads(config), []])
    for (const among of ["all", "same layers"] as const)
      assert.deepEqual(otherCircuits(config, heads, { draws: 5, seed: 0, among }), {
        circuits: [],
        there_are: 0,
        drawn: false,
      });
});

test("nearly all heads of a large model: few choices are found without trying all subsets", { timeout: 10_000 }, () => {
  const large = { n_layers: 4, n_heads: 12 };
  const { circuits, there_are } = otherCircuits(large, allHeads(large).slice(1), { draws: 5, seed: 0 });
  assert.deepEqual([circuits.length, there_are], [47, 47]);
});
