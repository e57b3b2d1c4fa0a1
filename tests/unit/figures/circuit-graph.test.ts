import assert from "node:assert/strict";
import { test } from "node:test";
import { circuitGraph, type GraphEdge, type GraphNode } from "../../../src/figures/circuit-graph";
import { toSvg } from "../../../src/show/picture";
import { nearly } from "../../fixtures/close";

const nodes: GraphNode[] = [
  { id: "0.1", layer: 0, group: "early" },
  { id: "0.3", layer: 0, group: "early" },
  { id: "2.0", layer: 2, group: "late" },
  { id: "logits", layer: 3, group: "output" },
];
const edges: GraphEdge[] = [
  { from: "0.1", to: "2.0", value: 0.2, kind: "key", sent: "order" },
  { from: "0.1", to: "2.0", value: 0.1, kind: "query", sent: "content" },
  { from: "2.0", to: "logits", value: 0.4, kind: "logits", sent: "content" },
];
const options = {
  value: "share lost",
  kinds: ["query", "key", "logits"],
  sent: ["content", "order"],
  layers: { 3: "logits" },
};
type Line = {
  x: number[];
  y: (number | null)[];
  line: { width: number; color: string; dash: string };
  name: string;
  showlegend: boolean;
  hovertemplate?: string;
};
const traces = (all: readonly GraphEdge[] = edges) =>
  circuitGraph({ nodes, edges: all }, options).data as unknown as (Line & { text?: string[] })[];
const drawn = (all?: readonly GraphEdge[]) => traces(all).filter(({ hovertemplate, text }) => hovertemplate && !text);

test("layer 0 is on top, as in heat maps", () => {
  const { layout } = circuitGraph({ nodes, edges }, options);
  assert.deepEqual((layout.yaxis as { range: number[] }).range, [3.5, -0.5]);
});

test("every edge goes from its node to its node, thicker the more it carries", () => {
  const places = new Map(
    traces().flatMap(({ text, x, y }) => (text ?? []).map((id, i) => [id, [x[i], y[i]]] as const)),
  );
  assert.deepEqual(
    [...places.keys()],
    nodes.map(({ id }) => id),
  );
  for (const [i, { from, to }] of edges.entries()) {
    const { x, y } = drawn()[i];
    assert.deepEqual([x[0], y[0]], places.get(from));
    nearly(x[x.length - 1], places.get(to)![0]);
    assert.equal(y[y.length - 1], places.get(to)![1]);
  }
  const widths = drawn().map(({ line }) => line.width);
  assert.ok(widths[1] < widths[0] && widths[0] < widths[2]);
});

test("two edges between the same nodes part on the way", () => {
  const [a, b] = drawn();
  assert.notEqual(a.x[12], b.x[12]);
});

test("colours and dots stand for the same with other edges", () => {
  const look = (all: GraphEdge[]) => drawn(all).find(({ name }) => name === "key: order")!.line;
  const [few, many] = [look([edges[0]]), look(edges)];
  assert.deepEqual([few.color, few.dash], [many.color, "dot"]);
});

test("the legend names what there is, in the order of the options", () => {
  const named = traces()
    .filter(({ showlegend }) => showlegend)
    .map(({ name }) => name);
  assert.deepEqual(named, ["query: content", "key: order", "logits: content"]);
});

test("what is pointed at says from where to where, how and how much", () => {
  assert.match(drawn()[0].hovertemplate!, /0\.1 → 2\.0<br>key: order<br>share lost 0\.200/);
});

test("nodes of one column have places of their own", () => {
  const { x } = traces().find(({ text }) => text)!;
  assert.equal(new Set(x).size, nodes.length);
});

test("a circuit without paths is drawn too", () => assert.equal(drawn([]).length, 0));

for (const [what, edge, message] of [
  ["an end that is no node", { from: "0.1", to: "9.9" }, /edge 0 ends at "9\.9"; there are 0\.1, 0\.3, 2\.0, logits/],
  ["a way down", { from: "2.0", to: "0.1" }, /edge 0 goes from 2\.0 to 0\.1, which is not in a later layer/],
  ["a negative value", { value: -1 }, /edge 0, 0\.1 to 2\.0, has the value -1/],
  ["a value that is no number", { value: Number.NaN }, /"value" must be a finite number, not NaN/],
  ["an unknown kind", { kind: "mind" }, /edge 0 is "mind"; there are query, key, logits/],
  ["an unknown thing sent", { sent: "love" }, /edge 0 sends "love"; there are content, order/],
] as const)
  test(`refused: ${what}`, () => {
    assert.throws(() => circuitGraph({ nodes, edges: [{ ...edges[0], ...edge }] }, options), message);
  });

test("refused: two nodes of one name, and none", () => {
  assert.throws(
    () => circuitGraph({ nodes: [nodes[0], nodes[0]], edges: [] }, options),
    /rows 0 and 1 are both for id 0\.1/,
  );
  assert.throws(() => circuitGraph({ nodes: [], edges: [] }, options), /at least one row/);
});

test("it can be drawn", async () => {
  const svg = await toSvg(circuitGraph({ nodes, edges }, options));
  for (const { id } of nodes) assert.match(svg, new RegExp(`>${id.replace(".", "\\.")}<`));
});
