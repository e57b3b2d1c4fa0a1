import { attentionShift, type SwapAttentionRow } from "../experiments/word-swaps";
import { type HeadId, headName } from "../model/heads";
import { range } from "../numbers/lists";
import { groupBy } from "../numbers/rows";
import type { Letter, Position } from "../prompts/positions";

/** What the exchange of one head's attention to BOS changes, as far as it is needed here. */
export interface BosEffect extends HeadId {
  /** Change of a letter's logit difference, in logits. */
  readonly change: number;
}

/** By layer: its share of all harm, summed over heads, letters and pairs of words. All 0 if nothing harms. */
export function harmByLayer(rows: readonly BosEffect[]): { layer: number; share: number }[] {
  const harm = range(1 + Math.max(...rows.map(({ layer }) => layer))).map((layer) =>
    total(rows.filter((row) => row.layer === layer)),
  );
  const all = total(rows);
  return harm.map((one, layer) => ({ layer, share: all > 0 ? one / all : 0 }));
}

const total = (rows: readonly BosEffect[]): number => rows.reduce((sum, { change }) => sum + Math.max(0, -change), 0);

/** The fewest heads that have half of all harm between them. */
export function headsWithHalf(rows: readonly BosEffect[]): number {
  const harms = [...groupBy(rows, headName).values()].map(total).sort((a, b) => b - a);
  const upTo = harms.map((_, i) => harms.slice(0, i + 1).reduce((a, b) => a + b));
  return 1 + upTo.findIndex((harm) => harm >= total(rows) / 2);
}

export interface Finding {
  readonly finding: string;
  readonly holds: boolean;
  /** The numbers that decide. */
  readonly evidence: string;
}

/**
 * What figures 12–14 of the paper show, put as questions to any model's numbers.
 * @param attention all pairs and swaps (see `fourSwaps`); the first row's head is the mover that is looked at alone
 * @param bosSwaps one head at a time, all pairs
 */
export function positionalFindings(attention: readonly SwapAttentionRow[], bosSwaps: readonly BosEffect[]): Finding[] {
  const shifts = attentionShift(attention);
  const shift = (pair: string, swap: string) => shifts.find((row) => row.pair === pair && row.swap === swap)!.shift;
  const [positions, bos, both] = ["Swap POS", "Swap BOS", "Swap POS+BOS"].map((swap) => shift("C1↔C3", swap));
  const [near, late] = ["C1↔C2", "C2↔C3"].map((pair) => shift(pair, "Swap POS+BOS"));
  const [first, third] = (["C1", "C3"] as const).map((key) => firstMover(attention, 1, key));
  const heads = headsWithHalf(bosSwaps);
  const layers = harmByLayer(bosSwaps);
  const early = layers.slice(0, Math.ceil(layers.length / 2)).reduce((sum, { share }) => sum + share, 0);
  const against = (a: number, b: number) => `${a.toFixed(3)} against ${b.toFixed(3)}`;
  return [
    {
      finding: "C1↔C3: position embeddings move attention less than half as far as BOS attention",
      holds: positions < bos / 2,
      evidence: against(positions, bos),
    },
    {
      finding: "C1↔C3: both together move it further than either",
      holds: both > Math.max(positions, bos),
      evidence: against(both, Math.max(positions, bos)),
    },
    { finding: "Both: C1↔C3 moves attention further than C1↔C2", holds: both > near, evidence: against(both, near) },
    {
      finding: "Both: C2↔C3 moves it less than a fifth as far as C1↔C3",
      holds: late < both / 5,
      evidence: against(late, both),
    },
    {
      finding: "Both, C1↔C3: for letter 1 the first mover looks at C3 more than at C1",
      holds: third > first,
      evidence: against(third, first),
    },
    {
      finding: "Half of the harm of exchanged BOS attention takes at least five heads",
      holds: heads >= 5,
      evidence: heads === 1 ? "one head" : `${heads} heads`,
    },
    {
      finding: "Most of that harm is in the first half of the layers",
      holds: early > 0.5,
      evidence: `share ${early.toFixed(3)}`,
    },
  ];
}

function firstMover(rows: readonly SwapAttentionRow[], letter: Letter, key: Position): number {
  const [{ layer, head }] = rows;
  const found = rows.find(
    (row) =>
      row.layer === layer &&
      row.head === head &&
      row.pair === "C1↔C3" &&
      row.swap === "Swap POS+BOS" &&
      row.letter === letter &&
      row.key === key,
  );
  return found!.attention;
}
