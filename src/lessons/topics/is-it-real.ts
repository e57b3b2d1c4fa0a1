/** Lesson 5: whether a small effect is one. */
import { headSite } from "../../experiments/patch-sites";
import { patchByPrompt } from "../../experiments/patching";
import { type HeadId, headName } from "../../model/heads";
import { range } from "../../numbers/lists";
import { groupBy, strongest, where } from "../../numbers/rows";
import { bootstrapMean, type Interval, mean, meanAndStd } from "../../numbers/statistics";
import { resample } from "../../prompts/corruption";
import { type Letter, wordPosition } from "../../prompts/positions";
import { believes, exercise, right, type Verdict, wrong } from "../exercise";
import { headGiven } from "./heads-given";
import { levelsOf } from "./letter-levels";

/** Seeds of the permutations of figure 5. */
const SEEDS = 3;
/** How far an end may lie from the bootstrap's, as a share of half the interval: other draws, or 1.96 standard errors, are as good. */
const NEAR = 0.35;

interface Cell extends HeadId {
  readonly letter: Letter;
}

const BAR = "an error bar is an interval";

export const figureFive = exercise({
  id: "is-it-real",
  title: "Is figure 5's effect real?",
  difficulty: 2,
  minutes: 15,
  misconception: BAR,
  hints: [
    "The spread over prompts says how prompts differ. You ask another thing: how far would the mean move if you had drawn other prompts?",
    "patchByPrompt gives a change for each prompt; bootstrapMean(changes, { seed }) gives the interval of their mean. Do it for the same head and letter with resample(data, seed), seed + 1 and seed + 2.",
    "Real means here: in all three the interval lies on the same side of 0. The cell was chosen because it is the strongest of many, so the first interval alone flatters it.",
  ],
  async truth({ model, data, tokenizer, seed }) {
    const options = { corruption: "previous_words", letters: [2, 3] as Letter[] } as const;
    const changes = (head: HeadId | undefined, by: number) =>
      patchByPrompt(model, data, {
        ...options,
        site: headSite("z", wordPosition, head && [head]),
        corrupted: resample(data, by),
      });
    const cells = [...groupBy(await changes(undefined, seed), (row) => `${headName(row)} ${row.letter}`).values()].map(
      (rows) => ({ layer: rows[0].layer, head: rows[0].head, letter: rows[0].letter, rows }),
    );
    const withMean = cells.map((cell) => ({ ...cell, change: mean(cell.rows.map((row) => row.change)) }));
    const { layer, head, letter, rows: first } = strongest(withMean, "change");
    const others = await Promise.all(
      range(SEEDS - 1).map(async (i) => where(await changes({ layer, head }, seed + i + 1), { letter })),
    );
    const seeds = [first, ...others].map((rows) => rows.map((row) => row.change));
    const levels = await levelsOf({ model, data, tokenizer });
    return { cell: { layer, head, letter }, cells: cells.length, seeds, level: levels[letter - 1] };
  },
  judge(answer, { cell, cells, seeds, level }, { seed }) {
    const { head, letter, intervals, real } = (answer ?? {}) as Record<string, unknown>;
    if ([head, letter, intervals, real].every((part) => part === undefined)) return { verdict: "unanswered" };
    if (headGiven(head) !== headName(cell) || letter !== cell.letter)
      return wrong(
        `The strongest cell of your figure 5 is another: not head ${headGiven(head)} at letter ${String(letter)}. Strongest is the largest change in absolute value, with seed ${seed}.`,
      );
    const given = intervalsGiven(intervals);
    if (typeof given === "string") return wrong(given);
    return judgeIntervals(given, { cell, seeds }) ?? judgeReal(real, { cell, cells, seeds, level, seed });
  },
});

const intervalOf = (changes: readonly number[], seed = 0): Interval => bootstrapMean(changes, { seed });
const sided = ({ low, high }: Interval): boolean => low > 0 || high < 0;
const sameSide = (all: readonly Interval[]): boolean =>
  all.every(({ low }) => low > 0) || all.every(({ high }) => high < 0);
const shown = ({ low, high }: Interval): string => `${low.toFixed(3)} … ${high.toFixed(3)}`;

/** Intervals as { low, high } or [low, high]. */
function intervalsGiven(given: unknown): Interval[] | string {
  const form = `intervals must be ${SEEDS}, one a seed, each { low, high } in logits.`;
  if (!Array.isArray(given)) return form;
  const found = given.map((one) => (Array.isArray(one) ? { low: one[0], high: one[1] } : one));
  return found.every((one) => Number.isFinite(one?.low) && Number.isFinite(one?.high) && one.low <= one.high)
    ? found
    : form;
}

function judgeIntervals(
  given: readonly Interval[],
  { cell, seeds }: { readonly cell: Cell; readonly seeds: readonly (readonly number[])[] },
): Verdict | undefined {
  const truths = seeds.map((changes) => intervalOf(changes));
  if (given.length < SEEDS)
    return believes(
      "one draw is enough",
      `You have ${given.length} of ${SEEDS} intervals. One says how the mean would move with other prompts, but not what another way of mixing them does: take the next seeds, too.`,
    );
  if (given.slice(1).every((one) => shown(one) === shown(given[0])) && shown(truths[1]) !== shown(truths[0]))
    return believes(
      "the same again is a replication",
      "Your three intervals are one and the same: give resample another seed each time.",
    );
  const off = truths.findIndex((truth, i) => !near(given[i], truth));
  if (off < 0) return undefined;
  const { std } = meanAndStd(seeds[off]);
  const [own, truth] = [given[off], truths[off]];
  if (own.high - own.low > 2 * (truth.high - truth.low))
    return believes(
      BAR,
      `${shown(own)} is as wide as the prompts are spread (standard deviation ${std.toFixed(3)}). That says how prompts differ. The mean of ${seeds[off].length} is surer than one of them: its interval is about ${Math.sqrt(seeds[off].length).toFixed(0)} times narrower.`,
    );
  return wrong(
    `For seed number ${off + 1}, head ${headName(cell)} at letter ${cell.letter}, your interval is ${shown(own)}; the bootstrap of the mean gives another.`,
  );
}

function near(given: Interval, { low, high }: Interval): boolean {
  const allowed = Math.max((NEAR * (high - low)) / 2, 1e-4);
  return Math.abs(given.low - low) <= allowed && Math.abs(given.high - high) <= allowed;
}

interface RealTruth {
  readonly cell: Cell;
  readonly cells: number;
  readonly seeds: readonly (readonly number[])[];
  readonly level: number;
  readonly seed: number;
}

function judgeReal(given: unknown, { cells, seeds, level }: RealTruth): Verdict {
  const truths = seeds.map((changes) => intervalOf(changes));
  const real = sameSide(truths);
  const share = (100 * Math.abs(mean(seeds[0]))) / level;
  const facts = `Intervals ${truths.map(shown).join(", ")}; the first mean is ${share.toFixed(1)}% of the letter's logit difference.`;
  if (typeof given !== "boolean") return wrong("The intervals are right. Now decide: is it real, true or false?");
  if (given === real)
    return right(
      `${facts} ${real ? "All on one side of 0: real, if small. How much it matters is another question." : `Not all on one side of 0: no effect is shown. It was the strongest of ${cells} cells, and of so many about ${Math.max(1, Math.round(cells / 20))} would miss 0 by chance.`}`,
    );
  if (given)
    return believes(
      "the strongest of many is real",
      `${facts} ${sided(truths[0]) ? "The first misses 0, but" : "The first holds 0, and"} it was chosen as the strongest of ${cells}; with other seeds it does not hold.`,
    );
  return believes(
    "small is not real",
    `${facts} All three lie on the same side of 0. It may be small, and it is there.`,
  );
}
