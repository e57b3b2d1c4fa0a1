/** The capstone's fifth stage: other prompts. */
import { headName } from "../../model/heads";
import { bootstrapMean, meanAndStd } from "../../numbers/statistics";
import type { AcronymDataset } from "../../prompts/acronyms";
import { POSITIONS } from "../../prompts/positions";
import { believes, exercise, right, type Verdict, wrong } from "../exercise";
import { type BracketContext, bracketPrompts } from "./bracket";
import { finders } from "./bracket-finder";
import { headGiven } from "./heads-given";

const SEEDS = 3;
/** As a share of half the interval: other draws, or 1.96 standard errors, are as good. */
const NEAR = 0.35;

interface Replication {
  readonly data: AcronymDataset;
  readonly head: unknown;
  readonly low: number;
  readonly high: number;
}

export const bracketSeeds = exercise({
  id: "bracket-seeds",
  title: "Again, with other prompts",
  difficulty: 2,
  minutes: 15,
  misconception: "an error bar is an interval",
  hints: [
    "loadAcronyms(prompts, tokenizer, { n, seed }) with seed, seed + 1 and seed + 2 draws other prompts. Make your stages functions of the data.",
    "For each: the head with which most is lost, and its change prompt by prompt. bootstrapMean(changes, { seed }) gives { low, high }.",
  ],
  truth: () => undefined,
  judge(answer, _, context) {
    const given: unknown[] = Array.isArray(answer) ? answer : [];
    if (given.length === 0 || !given.every(isReplication))
      return wrong(
        `Give a list of ${SEEDS}, each { data, head, low, high }: the prompts, the head's name, the interval.`,
      );
    if (given.length < SEEDS)
      return believes("one draw is enough", `You have ${given.length} of ${SEEDS} draws of prompts.`);
    if (new Set(given.map(({ data }) => JSON.stringify(data.tokens))).size < given.length)
      return believes(
        "the same again is a replication",
        "Two of your draws have the same prompts: they must agree, whatever is true. Draw with another seed.",
      );
    const judged = given.map((one, i) => judgeOne(one, i, context));
    const refused = judged.find((one) => typeof one !== "string");
    if (refused) return refused as Verdict;
    const same = new Set(given.map(({ head }) => headGiven(head))).size === 1;
    return right(
      `${judged.join("; ")}. ${same ? "The same head each time." : "Not the same head each time: say so in your report."}`,
    );
  },
});

/** What is wrong with one of them, or its numbers. */
function judgeOne({ data, head, low, high }: Replication, i: number, context: BracketContext): Verdict | string {
  const { closing, turned } = bracketPrompts(data);
  const [best] = finders({ ...context, data }, closing, turned);
  if (headGiven(head) !== headName(best))
    return wrong(`With draw ${i + 1} most is not lost with head ${headGiven(head)}.`);
  const truth = bootstrapMean(best.by, { seed: 0 });
  const allowed = Math.max((NEAR * (truth.high - truth.low)) / 2, 1e-3);
  const shown = `${low.toFixed(2)} … ${high.toFixed(2)}`;
  if (Math.abs(low - truth.low) <= allowed && Math.abs(high - truth.high) <= allowed)
    return `${headName(best)} ${shown}`;
  const { std } = meanAndStd(best.by);
  if (high - low > 2 * (truth.high - truth.low))
    return believes(
      "an error bar is an interval",
      `Draw ${i + 1}: ${shown} is as wide as the prompts are spread (standard deviation ${std.toFixed(2)}). Asked is how sure the mean is.`,
    );
  return wrong(`Draw ${i + 1}: your interval of the mean change is ${shown}; the bootstrap gives another.`);
}

const isReplication = (one: unknown): one is Replication => {
  const { data, low, high } = (one ?? {}) as Partial<Replication>;
  const rows = data?.tokens;
  return (
    Array.isArray(rows) &&
    rows.length > 0 &&
    rows.every((row) => Array.isArray(row) && row.length === POSITIONS.length) &&
    Array.isArray(data?.answers) &&
    data.answers.length === rows.length &&
    Number.isFinite(low) &&
    Number.isFinite(high)
  );
};
