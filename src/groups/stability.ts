/** How much the groups depend on which prompts were drawn. Pure. */
import { where } from "../numbers/rows";

/** The groups that one draw of prompts shows. */
export interface GroupDraw {
  /** Prompts in the draw. */
  readonly n: number;
  /** Chooses the prompts, and which is mixed with which. */
  readonly seed: number;
  /** Group by head, of those in one: `{ "2.0": "letter mover" }`. */
  readonly groups: Readonly<Record<string, string>>;
}

/** How often each head is in a group, a row a head, most often first: a column for each number of prompts. */
export function drawsTable(draws: readonly GroupDraw[]): Readonly<Record<string, string>>[] {
  const sizes = [...new Set(draws.map(({ n }) => n))];
  const heads = [...new Set(draws.flatMap(({ groups }) => Object.keys(groups)))];
  const times = (head: string, own: readonly GroupDraw[]) => own.filter(({ groups }) => head in groups).length;
  const groupsOf = (head: string) => new Set(draws.flatMap(({ groups }) => groups[head] ?? []));
  return heads
    .sort((a, b) => times(b, draws) - times(a, draws) || a.localeCompare(b))
    .map((head) => ({
      head,
      group: [...groupsOf(head)].join(" or "),
      ...Object.fromEntries(
        sizes.map((n) => {
          const own = where(draws, { n });
          return [`${n} prompts`, `${times(head, own)} of ${own.length}`];
        }),
      ),
    }));
}

/** The least and the most heads in a group, for each number of prompts. */
export const sizesOverDraws = (draws: readonly GroupDraw[]): { n: number; least: number; most: number }[] =>
  [...new Set(draws.map(({ n }) => n))].map((n) => {
    const counts = where(draws, { n }).map(({ groups }) => Object.keys(groups).length);
    return { n, least: Math.min(...counts), most: Math.max(...counts) };
  });
