import type { HidingRow } from "../../experiments/hidden-words";
import { attentionShift, type SwapAttentionRow } from "../../experiments/swap-attention";
import { SHUFFLED } from "../../experiments/word-probes";
import { pairName, type SwapEffectRow, WORD_PAIRS } from "../../experiments/word-swaps";
import { PAPER_MODEL, THIS_MODEL } from "../../figures/style";
import { type HeadId, headName } from "../../model/heads";
import { range } from "../../numbers/lists";
import { groupBy, strongest, where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import type { Letter, Position } from "../../prompts/positions";
import { type Claim, claim, given } from "../../show/claims";

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

/** The share of all harm that comes from the first half of the layers, a middle one with it. */
function earlyHarm(rows: readonly BosEffect[]): number {
  const layers = harmByLayer(rows);
  return layers.slice(0, Math.ceil(layers.length / 2)).reduce((sum, { share }) => sum + share, 0);
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
  const single = WORD_PAIRS.map((pair) => ["Swap POS", "Swap BOS"].map((swap) => shift(pairName(pair), swap)));
  const [near, late] = ["C1↔C2", "C2↔C3"].map((pair) => shift(pair, "Swap POS+BOS"));
  const [first, third] = (["C1", "C3"] as const).map((key) => firstMover(attention, 1, key));
  const heads = headsWithHalf(bosSwaps);
  const early = earlyHarm(bosSwaps);
  const against = (a: number, b: number) => `${a.toFixed(3)} against ${b.toFixed(3)}`;
  return [
    {
      finding: "Each pair: position embeddings move attention less far than BOS attention",
      holds: single.every(([positions, bos]) => positions < bos),
      evidence: single.map(([positions, bos]) => against(positions, bos)).join("; "),
    },
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
  return where(rows, { layer, head, pair: "C1↔C3", swap: "Swap POS+BOS", letter, key })[0].attention;
}

/** What is found about a model beside what the paper's numbers say, a row a statement, for `table`. */
export function besideFindings(ours: readonly Finding[], paper: readonly Finding[]): Record<string, string>[] {
  const said = ({ holds, evidence }: Finding) => `${holds ? "yes" : "no"}: ${evidence}`;
  return paper.map((finding, i) => ({
    statement: finding.finding,
    [PAPER_MODEL]: said(finding),
    [THIS_MODEL]: said(ours[i]),
  }));
}

/** A probe's mean accuracy, 0 to 1, before a layer. */
export interface ProbeRow {
  readonly layer: number;
  /** "intact", "positions alike" or "labels shuffled". */
  readonly run: string;
  readonly accuracy: number;
}

const placesFound = (probes: readonly ProbeRow[], layer: number): number =>
  where(probes, { run: "positions alike", layer })[0].accuracy;

/**
 * What the causal mask alone tells, in any model.
 * @param toBos attention to BOS of a head that attends evenly, position by position
 * @param probes of the residual stream, with this many prompts and seeds. Near chance is within four standard errors: of few words more
 *   are guessed by luck
 */
export function maskClaims(
  toBos: readonly number[],
  probes: readonly ProbeRow[],
  { prompts, seeds }: { readonly prompts: number; readonly seeds: number },
): Claim[] {
  const off = Math.max(...toBos.map((attention, i) => Math.abs(attention - 1 / (i + 1))));
  const before = placesFound(probes, 0);
  const control = Math.max(...where(probes, { run: SHUFFLED }).map(({ accuracy }) => accuracy));
  const tested = 9 * Math.floor(prompts / 2) * seeds; // three words in three rotations of each prompt not trained on
  const near = 1 / 3 + 4 * Math.sqrt(2 / 9 / tested);
  const found = (accuracy: number) => `accuracy ${accuracy.toFixed(3)}`;
  return [
    given(
      "Even attention under the causal mask gives BOS 1 / (i + 1)",
      off < 1e-6,
      `largest difference ${off.toExponential(1)}`,
    ),
    given(
      "With all positions alike a word's place can't be found before layer 0",
      Math.abs(before - 1 / 3) < 0.05,
      found(before),
    ),
    given("With shuffled labels probes stay near chance", control < near, `accuracy at most ${control.toFixed(3)}`),
  ];
}

/** What the swaps do on one draw of prompts. */
export interface SwapDraw {
  readonly attention: readonly SwapAttentionRow[];
  readonly effects: readonly Pick<SwapEffectRow, "pair" | "swap" | "letter" | "change">[];
}

const SWAPS = ["Swap POS", "Swap BOS", "Swap POS+BOS"];

/**
 * Attention and answers under exchanged position embeddings, exchanged attention to BOS, and both: for each pair on each draw.
 * @param bosSwaps one head at a time, all pairs
 */
export function swapClaims(draws: readonly SwapDraw[], bosSwaps: readonly BosEffect[]): Claim[] {
  const early = earlyHarm(bosSwaps);
  const shifts = draws.flatMap(({ attention }) => perPair(attentionShift(attention), ({ shift }) => shift));
  const harms = draws.flatMap(({ effects }) => perPair(effects, ({ change }) => -change));
  const ownHarm = draws.map(({ effects }) => -where(effects, { pair: "C1↔C2", swap: "Swap POS", letter: 2 })[0].change);
  const written = (rows: readonly PairNumbers[]) =>
    `POS / BOS / both: ${rows.map(({ pair, numbers }) => `${pair} ${numbers.map((value) => value.toFixed(3)).join(" / ")}`).join("; ")}`;
  return [
    claim(
      "For each pair of words, exchanged position embeddings move the watched heads' attention less than exchanged BOS attention",
      shifts.every(({ numbers: [positions, bos] }) => positions < bos),
      written(shifts),
    ),
    claim(
      "For each pair they harm the logit differences less, on average over the letters",
      harms.every(({ numbers: [positions, bos] }) => positions < bos),
      written(harms),
    ),
    claim(
      "Still, exchanged embeddings of C1 and C2 cost letter 2 more than a logit",
      ownHarm.every((harm) => harm > 1),
      `harm ${ownHarm.map((harm) => harm.toFixed(3)).join("; ")}`,
    ),
    claim(
      "For each pair both exchanges harm more than that of BOS attention alone",
      harms.every(({ numbers: [, bos, both] }) => both > bos),
      written(harms),
    ),
    claim(
      "Most harm of exchanged BOS attention comes from the first half of the layers",
      early > 0.5,
      `share ${early.toFixed(3)}`,
    ),
  ];
}

interface PairNumbers {
  readonly pair: string;
  /** Under each of `SWAPS`. */
  readonly numbers: readonly number[];
}

function perPair<R extends { pair: string; swap: string }>(
  rows: readonly R[],
  value: (row: R) => number,
): PairNumbers[] {
  return [...groupBy(rows, ({ pair }) => pair)].map(([pair, own]) => ({
    pair,
    numbers: SWAPS.map((name) => mean(own.filter(({ swap }) => swap === name).map(value))),
  }));
}

/** A probe of one head's attention to BOS. */
export interface HeadProbe extends HeadId {
  readonly accuracy: number;
}

/**
 * What the mask is worth to this model, and to one that has learned nothing.
 * @param fresh the untrained model's probes
 * @param heads probes of each head's attention to BOS with all positions alike
 */
export function placeClaims(
  probes: readonly ProbeRow[],
  fresh: readonly ProbeRow[],
  heads: readonly HeadProbe[],
): Claim[] {
  const [own, others] = [probes, fresh].map((rows) => placesFound(rows, 1));
  const best = strongest(heads, "accuracy");
  return [
    claim(
      "With all positions alike more than four places in five are found after layer 0",
      own > 0.8,
      `accuracy ${own.toFixed(3)}`,
    ),
    claim(
      "So they are in an untrained model of the same shape: to be readable takes no training",
      others > 0.8,
      `accuracy ${others.toFixed(3)}`,
    ),
    claim(
      "One head's attention to BOS finds the place of more than three words in four, with all positions alike",
      best.accuracy > 0.75,
      `head ${headName(best)}: accuracy ${best.accuracy.toFixed(3)}`,
    ),
  ];
}

const LAYER_0 = "layer 0";

/**
 * What the words' tokens must see so that the model can tell the words apart. The thresholds were chosen after the numbers were seen;
 * other checkpoints were not looked at for the first three.
 * @param rows of `hiddenBehaviour` with `wordHidings`
 * @param others the same rows of other models
 */
export function hidingClaims(rows: readonly HidingRow[], others: readonly (readonly HidingRow[])[]): Claim[] {
  const right = (own: readonly HidingRow[], hidden: string, from: string) =>
    where(own, { hidden, from }).map(({ accuracy }) => accuracy);
  const written = (shares: readonly number[]) => shares.map((share) => share.toFixed(2)).join(" / ");
  const bos = right(rows, "BOS", "all heads");
  const fixed = right(rows, "BOS and The", "all heads");
  const [rests, capitals] = ["earlier T", "earlier C"].map((hidden) => right(rows, hidden, LAYER_0));
  const elsewhere = others.map((own) => right(own, "earlier C", LAYER_0));
  return [
    claim(
      "BOS is not needed: hidden from all words, every letter is still right in at least 95% of the prompts",
      bos.every((share) => share >= 0.95),
      written(bos),
    ),
    claim(
      "BOS or The is needed: both hidden, every letter is right in less than a fifth",
      fixed.every((share) => share < 0.2),
      written(fixed),
    ),
    claim(
      "In layer 0 earlier words' capitals are counted, not their rests: hidden, capitals cost letters 1 and 2 a third of the prompts or more, rests no letter a twentieth",
      capitals.slice(0, 2).every((share) => share <= 2 / 3) && rests.every((share) => share >= 0.95),
      `capitals hidden ${written(capitals)}, rests ${written(rests)}`,
    ),
    claim(
      "Other checkpoints don't count so: with capitals hidden in layer 0 every letter stays right in at least nine prompts of ten",
      elsewhere.flat().every((share) => share >= 0.9),
      elsewhere.map(written).join("; "),
    ),
  ];
}
