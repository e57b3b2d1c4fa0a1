/** The circuit as a graph whose heads can be switched off, and what is left then. */
import { QUALITATIVE } from "../../src/figures/style";
import type { DrawnCircuit } from "../../src/groups/paths-between";
import { type HeadId, hasHead, headOf } from "../../src/model/heads";
import type { Letters } from "../engine";

/** The circuit's heads. */
export const circuitOf = ({ nodes }: DrawnCircuit): HeadId[] =>
  nodes.filter(({ group }) => group !== "output").map(({ id }) => headOf(id));

/** What is left of the logit difference, of all letters together: 1 untouched, 0 nothing. */
export function left({ before, after }: Letters): number {
  const sum = (rows: Letters["before"]) => rows.reduce((total, { logit_diff }) => total + logit_diff, 0);
  return sum(after) / sum(before);
}

const KINDS = ["query", "key", "value", "logits"];

interface CircuitProps {
  readonly circuit: DrawnCircuit;
  readonly off: readonly HeadId[];
  readonly letters: Letters | undefined;
  readonly onToggle: (head: HeadId) => void;
  readonly onPoint: (head: HeadId) => void;
  readonly onOff: (heads: "outside" | "none") => void;
}

export function CircuitView({ circuit, off, letters, onToggle, onPoint, onOff }: CircuitProps) {
  const groups = [...new Set(circuit.nodes.map(({ group }) => group))];
  const layers = Math.max(...circuit.nodes.map(({ layer }) => layer));
  const widths = groups.map((group) => 0.4 + circuit.nodes.filter((node) => node.group === group).length);
  const total = widths.reduce((a, b) => a + b);
  const places = new Map(
    circuit.nodes.map((node) => {
      const g = groups.indexOf(node.group);
      const own = circuit.nodes.filter(({ group }) => group === node.group);
      const start = widths.slice(0, g).reduce((a, b) => a + b, 0);
      const x = 3 + (94 * (start + (widths[g] * (own.indexOf(node) + 0.5)) / own.length)) / total;
      return [node.id, { x, y: 8 + (84 * node.layer) / layers }] as const;
    }),
  );
  const isOff = (id: string) => id !== "logits" && hasHead(off, headOf(id));
  const share = letters ? left(letters) : 1;
  return (
    <>
      <div class="circuit">
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          {circuit.edges.map((edge) => {
            const [from, to] = [places.get(edge.from)!, places.get(edge.to)!];
            const bend = 2.5 * (KINDS.indexOf(edge.kind) - 1);
            const middle = (from.y + to.y) / 2;
            const isCut = isOff(edge.from) || isOff(edge.to);
            return (
              <path
                key={`${edge.from} ${edge.to} ${edge.kind} ${edge.sent}`}
                d={`M${from.x} ${from.y} C${from.x + bend} ${middle} ${to.x + bend} ${middle} ${to.x} ${to.y}`}
                stroke={QUALITATIVE[KINDS.indexOf(edge.kind)]}
                stroke-width={1.5 + 10 * Math.min(1, edge.value)}
                stroke-dasharray={edge.sent === "order" ? "3 4" : undefined}
                opacity={isCut ? 0.12 : 0.7}
                fill="none"
                vector-effect="non-scaling-stroke"
              />
            );
          })}
        </svg>
        {circuit.nodes.map(({ id, group }) => {
          const { x, y } = places.get(id)!;
          const style = { left: `${x}%`, top: `${y}%` };
          return id === "logits" ? (
            <span key={id} class="node output" style={style}>
              letters
            </span>
          ) : (
            <button
              type="button"
              key={id}
              class={`node${isOff(id) ? " off" : ""}`}
              style={style}
              aria-pressed={isOff(id)}
              aria-label={`Switch off head ${id}, ${group}`}
              title={`${id}: ${group}`}
              onClick={() => onToggle(headOf(id))}
              onFocus={() => onPoint(headOf(id))}
              onMouseEnter={() => onPoint(headOf(id))}
            >
              {id}
            </button>
          );
        })}
      </div>
      <ul class="legend">
        {groups
          .filter((group) => group !== "output")
          .map((group) => (
            <li key={group}>
              <b>{group}</b>:{" "}
              {circuit.nodes
                .filter((node) => node.group === group)
                .map(({ id }) => id)
                .join(", ")}
            </li>
          ))}
        <li>
          Lines go into{" "}
          {KINDS.map((kind, i) => (
            <span key={kind} class="kind">
              <i style={{ backgroundColor: QUALITATIVE[i] }} />
              {kind === "logits" ? "the letters" : `a ${kind}`}
            </span>
          ))}
          ; dotted: which word, not what it is. Layer 0 is on top.
        </li>
      </ul>
      <div class="row">
        <label class="left">
          Left of the logit difference{" "}
          <meter min={0} max={1} low={0.33} high={0.66} optimum={1} value={Math.min(1, Math.max(0, share))} />
        </label>
        <output id="left">{letters ? `${Math.round(100 * share)}%`.replace("-", "−") : "…"}</output>
        <button type="button" onClick={() => onOff("outside")}>
          The circuit alone
        </button>
        <button type="button" onClick={() => onOff("none")}>
          All heads on
        </button>
      </div>
    </>
  );
}
