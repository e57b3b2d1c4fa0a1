/** Lesson 5: few heads that do the whole task, and whether there is one choice of them. */
import { circuitValues } from "../../experiments/circuit-evaluation";
import { fewestHeads } from "../../experiments/fewest-heads";
import { columnMean } from "../../experiments/measure";
import { allHeads, type HeadId, headList, headsOutside } from "../../model/heads";
import { range } from "../../numbers/lists";
import { mean } from "../../numbers/statistics";
import { type AcronymDataset, select } from "../../prompts/acronyms";
import { resample } from "../../prompts/corruption";
import { LETTERS } from "../../prompts/positions";
import { believes, type ExerciseContext, exercise, right, type Verdict, wrong } from "../exercise";
import { headsGiven } from "./heads-given";
import { type Levels, listed } from "./letter-levels";

/** What a circuit must reach at each letter. */
const FAITHFUL = 0.8;
/** Prompts of the search; what it finds is measured on all. */
const SEARCHED = 30;

/** Faithfulness of circuits at each letter, `[circuit][letter]`. */
async function faithfulnessOf(
  circuits: readonly (readonly HeadId[])[],
  data: AcronymDataset,
  { model, seed }: ExerciseContext,
): Promise<number[][]> {
  const all = allHeads(model.config);
  const values = await circuitValues(model, data, [...circuits, all, []], { corrupted: resample(data, seed) });
  const levels = values.map((rows) => LETTERS.map((_, i) => columnMean(rows, i)));
  const [whole, none] = levels.slice(-2);
  return levels.slice(0, -2).map((own) => own.map((level, i) => (level - none[i]) / (whole[i] - none[i])));
}

const least = (faithful: Levels): number => Math.min(...faithful);

/** The smallest circuit that a greedy search on some prompts finds and that holds on all, or undefined. */
async function smallestCircuit(context: ExerciseContext): Promise<HeadId[] | undefined> {
  const { model, data } = context;
  const all = allHeads(model.config);
  const search = async (some: AcronymDataset) =>
    fewestHeads(all, {
      measure: async (sets) => (await faithfulnessOf(sets, some, context)).map(least),
      least: FAITHFUL,
    });
  const n = data.prompts.length;
  const quick = await search(select(data, range(Math.min(n, SEARCHED))));
  if (quick && least((await faithfulnessOf([quick], data, context))[0]) >= FAITHFUL) return quick;
  return search(data);
}

export const fewestHeadsContest = exercise({
  id: "fewest-heads",
  title: "Contest: the smallest circuit",
  difficulty: 3,
  minutes: 20,
  misconception: "the circuit is unique",
  hints: [
    "Don't collect: take away. Begin with all heads, and leave out the one without which the circuit is most faithful.",
    "After each head that goes the others count anew: measure again. A head that did nothing may be needed now.",
    "Judge a set by its worst letter. circuitValues measures many sets in one call: give it every set with one head less, and the model with all and with no heads.",
  ],
  truth: smallestCircuit,
  async judge(answer, best, context) {
    const given = headsGiven(answer, context.model);
    if (typeof given === "string") return wrong(given);
    const [faithful] = await faithfulnessOf([given], context.data, context);
    if (!faithful.every(Number.isFinite))
      return wrong("On this model heads do nothing at some letter, so that no set of them is a share of anything.");
    const said = `${given.length} heads, faithfulness ${listed(faithful)}`;
    if (least(faithful) < FAITHFUL) return judgeUnfaithful(faithful, said);
    if (best && given.length > best.length)
      return believes(
        "what was found is what is needed",
        `${said}: faithful, but ${best.length} heads are enough. Each head of yours may do something; leave out the one whose loss the others bear best, measure anew, and so on.`,
      );
    const place =
      best && given.length === best.length
        ? "as few as the library's own greedy search needs"
        : "fewer than the library's own greedy search needs";
    return right(`${said}: ${place}. ${await another(given, context)}`);
  },
});

function judgeUnfaithful(faithful: Levels, said: string): Verdict {
  const letter = faithful.indexOf(least(faithful)) + 1;
  if (mean(faithful) >= FAITHFUL)
    return believes(
      "the mean over letters will do",
      `${said}. The mean is ${mean(faithful).toFixed(2)}, but letter ${letter} has less than ${FAITHFUL}: a circuit must do the whole task.`,
    );
  if (Math.max(...faithful) >= FAITHFUL)
    return believes(
      "what does one letter does them all",
      `${said}. At letter ${letter} it lacks heads that the others don't need.`,
    );
  return wrong(`${said}. Each letter must reach ${FAITHFUL}; letter ${letter} is the worst.`);
}

/** What can be said of other sets of that size: those in which one head is exchanged, at most a hundred of them. */
async function another(circuit: readonly HeadId[], context: ExerciseContext): Promise<string> {
  const outside = headsOutside(circuit, context.model.config);
  const sets = circuit.flatMap((_, i) => outside.map((head) => circuit.map((one, at) => (at === i ? head : one))));
  const tried = sets.slice(0, 100);
  if (tried.length === 0) return "There is no other set of that size.";
  const few = select(context.data, range(Math.min(context.data.prompts.length, SEARCHED)));
  const quick = (await faithfulnessOf(tried, few, context)).map(least);
  const order = range(tried.length).sort((a, b) => quick[b] - quick[a]);
  const nearest = order.slice(0, 3).map((i) => tried[i]);
  const levels = (await faithfulnessOf(nearest, context.data, context)).map(least);
  const top = levels.indexOf(Math.max(...levels));
  const other = `${headList(nearest[top])} (${levels[top].toFixed(3)} at its worst letter)`;
  return levels[top] >= FAITHFUL
    ? `And it is not the only one: ${other} is faithful, too. "The" circuit is one of several.`
    : `Of ${tried.length} sets in which one head is another, none is faithful; ${other} comes nearest. So it is the bar of ${FAITHFUL} that makes this one look unique: lower it a little and others come in.`;
}
