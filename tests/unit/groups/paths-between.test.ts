import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { pathPatch } from "../../../src/experiments/path-patching";
import { type CircuitPath, circuitPaths, drawnCircuit } from "../../../src/groups/paths-between";
import { initBackend } from "../../../src/model/backend/choose";
import type { Model, ModelConfig } from "../../../src/model/model";
import { near } from "../../fixtures/close";
import { processedModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_ctx: 12 };
const data = randomPrompts(4, 6);
const corrupted = randomPrompts(4, 16).tokens;
const [early, middle, late] = [0, 1, 2].map((layer) => ({ layer, head: 1 }));
const circuit = {
  letter_movers: [late],
  propagation: [middle],
  fuzzy_previous_token: [early],
  circuit: [late, middle, early],
};
const clean = [2, 4, 8];
let model: Model;
let paths: CircuitPath[];

before(async () => {
  await initBackend();
  model = processedModel(config, 0);
  paths = await circuitPaths(model, data, circuit, { corrupted, clean });
});

test("every path that goes up, for content and for order, once", () => {
  const content = paths.filter(({ lost }) => lost === "content").map(({ from, to, into }) => `${from} ${to} ${into}`);
  const order = paths.filter(({ lost }) => lost === "order").map(({ from, to, into }) => `${from} ${to} ${into}`);
  const pairs = [
    ["0.1", "1.1"],
    ["0.1", "2.1"],
    ["1.1", "2.1"],
  ];
  const between = pairs.flatMap(([a, b]) => ["query", "key", "value"].map((into) => `${a} ${b} ${into}`));
  const expected = [...["0.1", "1.1", "2.1"].map((from) => `${from} logits logits`), ...between].sort();
  assert.deepEqual(content.sort(), expected);
  assert.deepEqual(order.sort(), expected);
});

test("a path is path patching into that head alone, of the letter that loses most", async () => {
  const found = await pathPatch(model, data, { corrupted, receiver: { heads: [late], input: "v" }, senders: [early] });
  const shares = found.map(({ letter, change }) => -change / clean[letter - 1]);
  const path = paths.find(({ from, to, into, lost }) => `${from} ${to} ${into} ${lost}` === "0.1 2.1 value content")!;
  near(path.share, Math.max(...shares));
  near(path.share, shares[path.letter - 1]);
  near(path.change, found[path.letter - 1].change);
});

test("drawn: groups in columns, the logits on top, weak paths left out", () => {
  const path = { from: "0.1", to: "2.1", into: "key", lost: "order", change: -1, std: 0, letter: 2 } as const;
  const { nodes, edges } = drawnCircuit(
    circuit,
    [
      { ...path, share: 0.3 },
      { ...path, into: "value", share: 0.01 },
    ],
    { n_layers: 3, least: 0.02 },
  );
  assert.deepEqual(nodes, [
    { id: "0.1", layer: 0, group: "fuzzy previous token" },
    { id: "1.1", layer: 1, group: "propagation" },
    { id: "2.1", layer: 2, group: "letter mover" },
    { id: "logits", layer: 3, group: "output" },
  ]);
  assert.deepEqual(edges, [{ from: "0.1", to: "2.1", value: 0.3, kind: "key", sent: "order" }]);
});

test("drawn: a propagation head that stands in for a letter mover is one node, a mover", () => {
  const { nodes } = drawnCircuit({ ...circuit, letter_movers: [late, middle] }, [], { n_layers: 3, least: 0 });
  assert.deepEqual(
    nodes.map(({ id, group }) => [id, group]),
    [
      ["0.1", "fuzzy previous token"],
      ["1.1", "letter mover"],
      ["2.1", "letter mover"],
      ["logits", "output"],
    ],
  );
});

test("nothing is left behind", async () => {
  const before = tf.memory().numTensors;
  await circuitPaths(model, data, circuit, { corrupted, clean });
  assert.equal(tf.memory().numTensors, before);
});
