/** Tokens: where they look, and what a value says about each. */
import { extent } from "../numbers/lists";
import { heatmap } from "./heatmap";
import type { Figure } from "./panels";
import { type Column, checkRows, distinct, type Label, numbersOrNull, type Row } from "./rows";
import { FONT_SIZE, textWidth } from "./style";

export interface AttentionOptions<R> {
  /** Column of the token that looks; default "query_pos". */
  query?: Column<R>;
  /** Column of the token looked at; default "key_pos". */
  key?: Column<R>;
  /** Column of the attention, 0 to 1; default "attention". */
  value?: Column<R>;
  /** One panel for each value of this column, for example "head". */
  columns?: Column<R>;
  title?: string;
  /** Attention of the darkest colour, default 1. */
  range?: number;
  wrap?: number;
  /** The prompt's tokens, one a position: they are written after the positions' labels. */
  tokens?: readonly string[];
}

/**
 * Where tokens look: query positions down, key positions across, white (0) to dark (1).
 * Keys after the query, which a causal model can't see, stay grey.
 * Throws a RangeError if an attention is outside 0..1 or goes to a later token, or the tokens don't fit the positions.
 */
export function attentionPattern<R extends object>(rows: readonly R[], options: AttentionOptions<R> = {}): Figure {
  const { query = "query_pos", key = "key_pos", value = "attention", columns, tokens } = options;
  const checked = checkRows(rows, [query, key, value, columns]);
  const order = distinct(checked, key);
  if (tokens !== undefined && tokens.length !== order.length) {
    throw new RangeError(`there are ${order.length} positions (${order.join(", ")}) but ${tokens.length} tokens`);
  }
  const label = (at: Label) => {
    const token = tokens === undefined ? at : shown(tokens[order.indexOf(at)]);
    return token === at ? at : `${at} ${token}`;
  };
  const visible = checked.filter((row) => isVisible(row, { query, key, value }, order));
  const relabelled = visible.map((row): Row => {
    return { ...row, [query]: label(row[query] as Label), [key]: label(row[key] as Label) };
  });
  const { title, range = 1, wrap } = options;
  const look = { title, range, wrap, colours: "sequential", missing: "hidden by the mask" } as const;
  return heatmap<Row>(relabelled, { x: key, y: query, value, columns, ...look });
}

/** Whether the query may look at the key; what it may not see must have no attention. */
function isVisible(row: Row, columns: { query: string; key: string; value: string }, order: readonly Label[]): boolean {
  const [query, key] = [row[columns.query], row[columns.key]];
  const [attention] = numbersOrNull([row], columns.value);
  if (attention === null) return true;
  if (attention < 0 || attention > 1.0001) {
    throw new RangeError(`"${columns.value}" must be in 0..1, not ${attention} (query ${query}, key ${key})`);
  }
  const later = order.indexOf(key as Label) > order.indexOf(query as Label);
  if (later && attention > 1e-6) {
    throw new RangeError(`query ${query} can't attend to ${key}, which comes later: ${attention}`);
  }
  return !later;
}

export interface TokenStripOptions<R> {
  /** Column of the positions' labels, across. */
  position: Column<R>;
  /** Column of the tokens, written into the cells. */
  token: Column<R>;
  value: Column<R>;
  /** One strip for each value of this column, for example a head or a prompt. */
  lines: Column<R>;
  title?: string;
  colours?: "diverging" | "sequential";
  range?: number;
  /** The bar that says what the colours mean; default true. Not needed where a value only marks tokens. */
  bar?: boolean;
}

/** Tokens of a prompt, each on the colour of its value; a leading space is shown as ␣. */
export function tokenStrip<R extends object>(rows: readonly R[], options: TokenStripOptions<R>): Figure {
  const { position, token, value, lines } = options;
  const written = checkRows(rows, [position, token, value, lines]).map((row) => ({
    ...row,
    [token]: shown(String(row[token])),
  })) as readonly Row[];
  const [, widest] = extent(written.map((row) => textWidth(row[token] as string, FONT_SIZE.axis)));
  const { title, colours = "sequential", range, bar } = options;
  const cell = { width: Math.max(36, Math.ceil(widest) + 12), height: 30 };
  return heatmap<Row>(written, { x: position, y: lines, value, text: token, title, colours, range, cell, bar });
}

/** A token as it stands on an axis: its leading space can be seen, and the beginning of the text is short. */
function shown(token: string): string {
  return token === "<|endoftext|>" ? "BOS" : token.replace(/^ /, "␣");
}
