/** Heads by layer and number, both from 0. */
import { isIndex, shown } from "../numbers/check";
import { grid, range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";

export interface HeadId {
  readonly layer: number;
  readonly head: number;
}

/** "8.11": layer and head as they are written. */
export const headName = ({ layer, head }: HeadId): string => `${layer}.${head}`;

/** The head of a name: 8.11 of "8.11". Throws a RangeError if the text names none. */
export function headOf(name: string): HeadId {
  const [, layer, head] = name.match(/^(\d+)\.(\d+)$/) ?? [];
  if (head === undefined)
    throw new RangeError(`${shown(name)} names no head; give layer and head, both from 0, as in "8.11"`);
  return { layer: Number(layer), head: Number(head) };
}

/** Whether two heads are one. */
export const sameHead = (a: HeadId, b: HeadId): boolean => a.layer === b.layer && a.head === b.head;

/** Whether a list has this head. */
export const hasHead = (heads: readonly HeadId[], { layer, head }: HeadId): boolean =>
  heads.some((one) => sameHead(one, { layer, head }));

/** The heads, or rows of heads, but those of another list. */
export const headsWithout = <H extends HeadId>(heads: readonly H[], out: readonly HeadId[]): H[] =>
  heads.filter((head) => !hasHead(out, head));

/** Heads as they are written, "8.11, 9.9", or "none". */
export const headList = (heads: readonly HeadId[]): string => heads.map(headName).join(", ") || "none";

/** Every head of a model. */
export const allHeads = ({ n_layers, n_heads }: { n_layers: number; n_heads: number }): HeadId[] =>
  grid({ layer: range(n_layers), head: range(n_heads) });

/** The heads of each layer that has one. */
export const headsByLayer = (heads: readonly HeadId[]): Map<number, number[]> => {
  const layers = groupBy(heads, ({ layer }) => layer);
  return new Map([...layers].map(([layer, own]) => [layer, own.map(({ head }) => head)]));
};

/** The heads of a model that are not in a circuit. Throws a RangeError if the circuit has heads that the model lacks, or one twice. */
export function headsOutside(
  circuit: readonly HeadId[],
  config: { readonly n_layers: number; readonly n_heads: number },
): HeadId[] {
  checkHeads(config, circuit);
  return headsWithout(allHeads(config), circuit);
}

interface HeadCounts {
  readonly n_layers: number;
  readonly n_heads: number;
}

/** Throws a RangeError if the model has no such head, naming those it has. */
export function checkHead(
  { n_layers, n_heads }: HeadCounts,
  { layer, head }: { readonly layer: number; readonly head: number },
): void {
  if (isIndex(layer, n_layers) && isIndex(head, n_heads)) return;
  throw new RangeError(
    `no head ${shown(layer)}.${shown(head)}; layers are 0 … ${n_layers - 1}, heads 0 … ${n_heads - 1}`,
  );
}

/** An empty list passes. Throws a RangeError if the model lacks one of the heads, or one comes twice. */
export function checkHeads(
  config: HeadCounts,
  heads: readonly { readonly layer: number; readonly head: number }[],
): void {
  const seen = new Set<string>();
  for (const one of heads) {
    checkHead(config, one);
    const name = headName(one);
    if (seen.has(name)) throw new RangeError(`head ${name} comes twice; give it once`);
    seen.add(name);
  }
}
