/** Heads as nodes, paths as edges: what feeds what. */
import { extent } from "../numbers/lists";
import type { Axis, Figure, Trace } from "./panels";
import { grid } from "./panels";
import { checkRows, checkUnique, distinct, type Label, labels, numbers, type Row } from "./rows";
import { FONT_SIZE, INK, plotlyText, QUALITATIVE, textWidth } from "./style";

/** One head, or what the heads write to: the logits. */
export interface GraphNode {
  /** "8.11". */
  readonly id: string;
  readonly layer: number;
  /** The column in which it stands. */
  readonly group: string;
}

/** What goes from one node to another. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** 0 or more: the thickness of the line. */
  readonly value: number;
  /** One of the options' `kinds`. */
  readonly kind: string;
  /** One of the options' `sent`. */
  readonly sent: string;
}

export interface GraphOptions {
  /** What the thickness means, shown when pointed at. */
  readonly value: string;
  /** What an edge can go into; one colour each: `["query", "key"]`. */
  readonly kinds: readonly string[];
  /** What can be sent: the first has whole lines, the others dotted ones. */
  readonly sent: readonly string[];
  readonly title?: string;
  /** Height of a layer in px. */
  readonly row?: number;
  /** Names of layers that aren't numbers: `{ 12: "logits" }`. */
  readonly layers?: Readonly<Record<number, string>>;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Least width of a column, and of a node with what keeps it from the next one. */
const COLUMN = 140;
const NODE = { size: 36, stride: 44 };
/** Thickest line, in px. */
const THICK = 11;

/**
 * A circuit: layers downwards as in heat maps, groups side by side, a line for every path, as thick as its value.
 * Throws a RangeError if there are no nodes, an edge ends at none of them or at none of a later layer, or a value is negative or not finite.
 */
export function circuitGraph(
  { nodes, edges }: { nodes: readonly GraphNode[]; edges: readonly GraphEdge[] },
  options: GraphOptions,
): Figure {
  const { title, layers = {} } = options;
  const checked = checkRows(nodes, ["id", "layer", "group"]);
  checkUnique(checked, ["id"]);
  const groups = distinct(checked, "group");
  const columns = columnsOf(checked, groups);
  const places = placesOf(checked, columns);
  checkEdges(edges, places, options);
  const { kinds, sent } = options;
  const all = kinds.flatMap((kind) => sent.map((one) => entryOf({ kind, sent: one })));
  const entries = all.filter((entry) => edges.some((edge) => entryOf(edge) === entry));
  const [low, high] = extent(numbers(checked, "layer"));
  const row = options.row ?? (high - low < 8 ? 84 : 56);
  const lines = edgeTraces(edges, places, entries, options);
  return grid({
    title,
    panels: [{ title: "", traces: [...lines, nodeTrace(checked, places)] }],
    x: columnsAxis(columns),
    y: layerAxis(low, high, layers),
    size: { width: columns.reduce((sum, { width }) => sum + width, 0), height: (high - low + 1) * row },
    wrap: 1,
    legend: entries,
  });
}

const entryOf = ({ kind, sent }: Pick<GraphEdge, "kind" | "sent">) => plotlyText(`${kind}: ${sent}`);

interface Column {
  readonly group: Label;
  readonly left: number;
  readonly width: number;
}

/** The groups side by side, in px, each as wide as its nodes need. */
function columnsOf(nodes: readonly Row[], groups: readonly Label[]): Column[] {
  let right = 0;
  return groups.map((group) => {
    const width = Math.max(COLUMN, NODE.stride * nodes.filter((node) => node.group === group).length);
    right += width;
    return { group, left: right - width, width };
  });
}

/** Every node has a place of its own across its column, so that a line to one passes beside the others. */
function placesOf(nodes: readonly Row[], columns: readonly Column[]): Map<string, Place> {
  const entries = columns.flatMap(({ group, left, width }) => {
    const own = nodes.filter((node) => node.group === group);
    return own.map((node, i): [string, Place] => {
      return [node.id as string, { x: left + (width * (i + 0.5)) / own.length, y: node.layer as number }];
    });
  });
  return new Map(entries);
}

function checkEdges(
  edges: readonly GraphEdge[],
  places: ReadonlyMap<string, Place>,
  { kinds, sent }: GraphOptions,
): void {
  if (edges.length === 0) return;
  const rows = checkRows(edges, ["from", "to", "value", "kind", "sent"]);
  checkUnique(rows, ["from", "to", "kind", "sent"]);
  labels(rows, "kind").forEach((kind, i) => {
    if (!kinds.includes(`${kind}`)) throw new RangeError(`edge ${i} is "${kind}"; there are ${kinds.join(", ")}`);
    if (!sent.includes(edges[i].sent))
      throw new RangeError(`edge ${i} sends "${edges[i].sent}"; there are ${sent.join(", ")}`);
  });
  numbers(rows, "value").forEach((value, i) => {
    const { from, to } = edges[i];
    for (const end of [from, to]) {
      if (!places.has(end))
        throw new RangeError(`edge ${i} ends at "${end}"; there are ${[...places.keys()].join(", ")}`);
    }
    if (value < 0) throw new RangeError(`edge ${i}, ${from} to ${to}, has the value ${value}; it must not be negative`);
    const later = places.get(to)!.y > places.get(from)!.y;
    if (!later) throw new RangeError(`edge ${i} goes from ${from} to ${to}, which is not in a later layer`);
  });
}

function edgeTraces(
  edges: readonly GraphEdge[],
  places: ReadonlyMap<string, Place>,
  entries: readonly string[],
  { kinds, sent, value: name }: GraphOptions,
): Trace[] {
  const thickest = extent([0, ...edges.map(({ value }) => value)])[1] || 1;
  const look = ({ kind, sent: what }: GraphEdge) => ({
    color: QUALITATIVE[kinds.indexOf(kind) % QUALITATIVE.length],
    dash: sent.indexOf(what) === 0 ? "solid" : "dot",
  });
  const drawn = edges.map((edge): Trace => {
    const entry = entryOf(edge);
    const bend = entries.indexOf(entry) - (entries.length - 1) / 2;
    const points = curve(places.get(edge.from)!, places.get(edge.to)!, 7 * bend);
    return {
      ...lineTrace(entry, { ...look(edge), width: 1 + ((THICK - 1) * edge.value) / thickest }),
      x: points.map(({ x }) => x),
      y: points.map(({ y }) => y),
      opacity: 0.75,
      hovertemplate: `${plotlyText(`${edge.from} → ${edge.to}`)}<br>${entry}<br>${plotlyText(name)} ${edge.value.toFixed(3)}<extra></extra>`,
    };
  });
  // the legend's lines are all of one thickness
  const named = entries.map((entry): Trace => {
    const first = edges.find((edge) => entryOf(edge) === entry) as GraphEdge;
    return {
      ...lineTrace(entry, { ...look(first), width: 3 }),
      x: [0],
      y: [null],
      showlegend: true,
      hoverinfo: "skip",
    };
  });
  return [...named, ...drawn];
}

function lineTrace(entry: string, line: Trace): Trace {
  return { type: "scatter", mode: "lines", line, name: entry, legendgroup: entry, showlegend: false };
}

/** A line bent sideways, so that several between the same two nodes can be told apart. */
function curve(from: Place, to: Place, bend: number): Place[] {
  const steps = 24;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = i / steps;
    const ease = t * t * (3 - 2 * t);
    return { x: from.x + (to.x - from.x) * ease + bend * Math.sin(Math.PI * t), y: from.y + (to.y - from.y) * t };
  });
}

function nodeTrace(nodes: readonly Row[], places: ReadonlyMap<string, Place>): Trace {
  const at = nodes.map((node) => places.get(node.id as string)!);
  return {
    type: "scatter",
    mode: "markers+text",
    x: at.map(({ x }) => x),
    y: at.map(({ y }) => y),
    text: nodes.map((node) => plotlyText(node.id as string)),
    textfont: { size: FONT_SIZE.tick, color: INK },
    customdata: nodes.map((node) => plotlyText(node.group as Label)),
    marker: {
      size: nodes.map((node) => Math.max(NODE.size, textWidth(node.id as string, FONT_SIZE.tick) + 12)),
      color: "#ffffff",
      opacity: 1,
      line: { color: INK, width: 1.5 },
    },
    showlegend: false,
    hovertemplate: "%{text}<br>%{customdata}<extra></extra>",
  };
}

function columnsAxis(columns: readonly Column[]): Axis {
  const last = columns[columns.length - 1];
  const settings = {
    type: "linear",
    range: [0, last.left + last.width],
    showgrid: false,
    tickmode: "array",
    tickvals: columns.map(({ left, width }) => left + width / 2),
    ticktext: columns.map(({ group }) => plotlyText(group)),
    ticks: "",
  };
  return { title: "", room: 8 + FONT_SIZE.tick + 3, settings };
}

function layerAxis(low: number, high: number, names: Readonly<Record<number, string>>): Axis {
  const all = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const text = all.map((layer) => names[layer] ?? `${layer}`);
  const settings = {
    type: "linear",
    range: [high + 0.5, low - 0.5],
    tickmode: "array",
    tickvals: all,
    ticktext: text.map(plotlyText),
    zeroline: false,
  };
  return { title: "layer", room: 8 + Math.max(...text.map((one) => textWidth(one, FONT_SIZE.tick))), settings };
}
