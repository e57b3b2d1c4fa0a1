/** Many curves over the same x: lines, or colours where lines could not be told apart. */
import { heatmap } from "./heatmap";
import type { Figure } from "./panels";
import { type Column, checkRows, distinct, groups, type Label, type Row } from "./rows";
import { type LineOptions, lines } from "./series";
import { columnName, isShare, valueName } from "./style";

/** More lines than this in one panel can't be told apart by colour. */
const MOST_LINES = 6;

export interface ProfileOptions<R> extends LineOptions<R> {
  series: Column<R>;
}

/**
 * `lines` for up to six series; for more each series is a row of colours, without its spread, and the reference is the row on top.
 * Throws a RangeError as `lines` or `heatmap` does.
 */
export function profiles<R extends object>(rows: readonly R[], options: ProfileOptions<R>): Figure {
  const { x, y, series, columns, reference, title, wrap, names } = options;
  const checked = checkRows(rows, [x, y, series, columns, reference]);
  if (distinct(checked, series).length <= MOST_LINES) return lines(rows, options);
  const own = checked.map((row): Row => ({ ...row, [series]: valueName(series, row[series] as Label) }));
  const cells = [...referenceRows(checked, options), ...own];
  const value = { value: y, ...(isShare(y) && { range: 1, colours: "sequential" as const }) };
  const cell = { width: 16, height: 14 };
  return heatmap<Row>(cells, { x, y: series, columns, ...value, title, wrap, names, cell });
}

/** The first series' reference, as a series of its own. */
function referenceRows<R>(rows: readonly Row[], { x, y, series, columns, reference, names }: ProfileOptions<R>): Row[] {
  if (reference === undefined) return [];
  const name = names?.[reference] ?? columnName(reference);
  return groups(rows, columns).flatMap((panel) =>
    groups(panel.rows, x).map(({ rows: [row] }) => ({ ...row, [series]: name, [y]: row[reference] })),
  );
}
