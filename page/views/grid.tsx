/** A chart as a table of cells that can be reached by arrow keys, and chosen. */
import type { TargetedKeyboardEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Chart } from "../figures";

interface GridProps {
  readonly chart: Chart;
  /** What a cell's key or click does; nothing without it. */
  readonly onChoose?: (row: number, column: number) => void;
  readonly onPoint?: (row: number, column: number) => void;
  readonly isChosen?: (row: number, column: number) => boolean;
  readonly isOff?: (row: number, column: number) => boolean;
}

/** Where an arrow key leads from a cell; undefined for other keys. */
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, Number.NEGATIVE_INFINITY],
  End: [0, Number.POSITIVE_INFINITY],
};

export function Grid({ chart, onChoose, onPoint, isChosen, isOff }: GridProps) {
  const { rows, columns, under, cells, axes, title } = chart;
  const [at, setAt] = useState<readonly [number, number]>([0, 0]);
  const table = useRef<HTMLTableElement>(null);
  const last = [rows.length - 1, columns.length - 1];
  const active = at.map((index, i) => Math.min(index, last[i]));
  const go = (event: TargetedKeyboardEvent<HTMLTableElement>) => {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [row, column] = active.map((index, i) => Math.min(last[i], Math.max(0, index + step[i])));
    const cell = table.current?.querySelector<HTMLElement>(`[data-cell="${row} ${column}"]`);
    if (!cell) return; // what a head can't see
    setAt([row, column]);
    cell.focus();
  };
  const state = (row: number, column: number) =>
    `${isChosen?.(row, column) ? ", taken from the other prompt" : ""}${isOff?.(row, column) ? ", switched off" : ""}`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table whose cells are chosen by arrow keys is a grid, says ARIA
    <table ref={table} role="grid" aria-label={title} class={columns.length < 7 ? "grid few" : "grid"} onKeyDown={go}>
      <thead>
        <tr>
          <th scope="col" class="corner">
            <span aria-hidden="true">
              {axes[0]} ↓ {axes[1]} →
            </span>
            <span class="spoken">{axes[0]}</span>
          </th>
          {columns.map((name, c) => (
            <th scope="col" key={name}>
              {name}
              {under && <small>{under[c]}</small>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((name, r) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {columns.map((column, c) => {
              const cell = cells[r][c];
              if (!cell) return <td key={column} class="none" />;
              const isActive = active[0] === r && active[1] === c;
              const common = {
                "data-cell": `${r} ${c}`,
                tabIndex: isActive ? 0 : -1,
                style: { backgroundColor: cell.paint.fill, color: cell.paint.ink },
                title: cell.label + state(r, c),
                onFocus: () => {
                  setAt([r, c]);
                  onPoint?.(r, c);
                },
                onMouseEnter: () => onPoint?.(r, c),
              };
              const chosen = `${isChosen?.(r, c) ? " chosen" : ""}${isOff?.(r, c) ? " off" : ""}`;
              return (
                <td key={column}>
                  {onChoose ? (
                    <button
                      type="button"
                      {...common}
                      class={`cell${chosen}`}
                      aria-label={cell.label + state(r, c)}
                      aria-pressed={Boolean(isChosen?.(r, c) || isOff?.(r, c))}
                      onClick={() => onChoose(r, c)}
                    >
                      <span aria-hidden="true">{cell.text}</span>
                    </button>
                  ) : (
                    <span {...common} class="cell" role="img" aria-label={cell.label}>
                      <span aria-hidden="true">{cell.text}</span>
                    </span>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
