/** Where heads look when a letter is predicted: the paper's figure 3. Pure. */
import type { AttentionRow } from "../experiments/attention";
import { headName } from "../model/heads";
import { LETTERS, type Letter, type Position, position, readoutPosition } from "../prompts/positions";
import { type CircuitHeads, GROUPS } from "./classify";
import { membersOf } from "./group-tables";

/** Attention from where a letter is predicted. */
export interface ReadoutAttention {
  /** "8.11" */
  readonly head: string;
  readonly letter: Letter;
  readonly key: Position;
  readonly attention: number;
  readonly std: number;
}

/** Attention from "(", A1 and A2 to all tokens but BOS, as in the paper's figure 3. */
export function readoutAttention(rows: readonly AttentionRow[]): ReadoutAttention[] {
  return LETTERS.flatMap((letter) =>
    rows
      .filter(({ query, key }) => position(query) === readoutPosition(letter) && key !== "BOS")
      .map(({ layer, head, key, attention, std }) => ({
        head: headName({ layer, head }),
        letter,
        key,
        attention,
        std,
      })),
  );
}

/** The token at which a head looks most when a letter is predicted. */
export function looksMostAt(rows: readonly ReadoutAttention[], head: string, letter: Letter): Position | undefined {
  const own = rows.filter((row) => row.head === head && row.letter === letter);
  return own.sort((a, b) => b.attention - a.attention)[0]?.key;
}

/** Of the strongest letter mover and the strongest propagation head, as far as there are any; `who`: "letter mover 8.11". */
export function strongestLooks(
  rows: readonly ReadoutAttention[],
  heads: CircuitHeads,
): (ReadoutAttention & { readonly who: string })[] {
  return GROUPS.slice(0, 2).flatMap((group) => {
    const names = membersOf(heads, group).slice(0, 1).map(headName);
    return rows.filter(({ head }) => names.includes(head)).map((row) => ({ ...row, who: `${group} ${row.head}` }));
  });
}

/** Of letter movers and propagation heads: attention to the word whose letter is due, then to both tokens of the word before; null: not in the rows. */
export function lookTable(
  model: string,
  rows: readonly ReadoutAttention[],
  { letter_movers, propagation }: Pick<CircuitHeads, "letter_movers" | "propagation">,
): Readonly<Record<string, string | number | null>>[] {
  const columns: [Letter, Position][] = [
    ...LETTERS.map((letter): [Letter, Position] => [letter, `C${letter}`]),
    [2, "C1"],
    [2, "T1"],
    [3, "C2"],
    [3, "T2"],
  ];
  return [...letter_movers, ...propagation].map(headName).map((head) => {
    const weight = (letter: Letter, key: Position) =>
      rows.find((row) => row.head === head && row.letter === letter && row.key === key)?.attention ?? null;
    const weights = columns.map(([letter, key]) => [`letter ${letter}: ${key}`, weight(letter, key)]);
    return { model, head, ...Object.fromEntries(weights) };
  });
}
