/** Lesson 1: what a model does, and in which numbers it shows. */
import { behaviour, hiddenByMean, type LetterRow, summarise } from "../../experiments/behaviour";
import { range } from "../../numbers/lists";
import { random } from "../../numbers/random";
import { mean } from "../../numbers/statistics";
import { attempt, believes, type ExerciseContext, exercise, right, type Verdict, type Words, wrong } from "../exercise";

/** Prompts that are made up to look for errors: enough to find those of one in a hundred. */
const TRIES = 300;

const isWrong = (row: LetterRow) => row.says !== row.right;
const missed = ({ says, letter, logit_diff }: LetterRow) =>
  `at letter ${letter} it says ${says} (logit difference ${logit_diff.toFixed(2)})`;

export const breakTheModel = exercise({
  id: "break-the-model",
  title: "Break the model",
  difficulty: 1,
  minutes: 10,
  misconception: "accuracy 1.00 = solved",
  hints: [
    "Errors are rare, so don't guess: sort many prompts by their smallest logit difference and look at the lowest.",
    "The letter that was just written points to the word it stands for. What if two words begin with that letter? Try words 1 and 3 with the same initial.",
    "Load every prompt of the file (loadAcronyms without n), ask behaviour for its rows, and take the row with the smallest logit_diff. Its prompt has your words.",
  ],
  async truth(context) {
    const rows = await ownRows(context);
    const least = Math.min(...rows.map((row) => row.logit_diff));
    return { least, own: promptsWithErrors(rows), madeUp: await madeUpErrors(context) };
  },
  async judge(answer, { least, ...errors }, context) {
    if (answer === "none") return judgeNone(errors, context.data.prompts.length);
    if (!isTriple(answer)) return wrong(`Give three words, such as ["Ketchup", "Lark", "Wreck"], or "none".`);
    const own = attempt(() => context.promptsOf([answer]));
    if ("problem" in own)
      return believes(
        "what can't be asked is an error",
        `These words make no prompt, so nothing was asked. ${own.problem}.`,
      );
    const rows = await behaviour(context.model, own.given, context.tokenizer);
    const wrongRows = rows.filter(isWrong);
    if (wrongRows.length > 0) return right(`${rows[0].prompt}: ${wrongRows.map(missed).join("; ")}.`);
    const lowest = Math.min(...rows.map((row) => row.logit_diff));
    const levels = `The smallest logit difference is ${lowest.toFixed(2)}; an error is below 0.`;
    if (lowest <= least)
      return believes("unsure = wrong", `The model writes ${rows[0].acronym}. ${levels} It is close, but right.`);
    return believes(
      "any words will do",
      `The model writes ${rows[0].acronym}, all three letters right. ${levels} Most prompts are far from one; the lowest of your ${context.data.prompts.length} has ${least.toFixed(2)}.`,
    );
  },
});

/** Verdict on "it makes no error". @param errors prompts that have one: of the n own ones, and of `TRIES` made up */
function judgeNone({ own, madeUp }: { readonly own: number; readonly madeUp: number }, n: number): Verdict {
  const kind = `${TRIES} prompts made up of the same words, with an initial that comes twice`;
  if (own + madeUp === 0) return right(`As far as can be seen: ${kind}, show no error either.`);
  const seen =
    own > 0
      ? `Of your ${n} prompts ${own} ${own === 1 ? "has" : "have"} one: an accuracy is rounded, and a mean over letters hides it.`
      : `No error in ${n} prompts says that errors are rarer than about ${(300 / n).toFixed(1)}% (three in n), and only among prompts of that kind.`;
  return believes(breakTheModel.misconception, `${seen} Of ${kind}, ${madeUp} have one.`);
}

const promptsWithErrors = (rows: readonly LetterRow[]) => new Set(rows.filter(isWrong).map((row) => row.prompt)).size;

const ownRows = ({ model, data, tokenizer }: ExerciseContext) => behaviour(model, data, tokenizer);

/** How many of `TRIES` prompts whose first and last word share the initial have an error. */
async function madeUpErrors(context: ExerciseContext): Promise<number> {
  const draw = random(context.seed, "break-the-model");
  const words = context.data.words.flat();
  const one = (from: readonly string[]) => from[draw.int(from.length)];
  const madeUp = range(TRIES).map((): Words => {
    const [first, second] = [
      one(context.data.words.map((triple) => triple[0])),
      one(context.data.words.map((triple) => triple[1])),
    ];
    return [first, second, one(words.filter((word) => word[0] === first[0]))];
  });
  const fitting = madeUp.filter((triple) => "given" in attempt(() => context.promptsOf([triple])));
  if (fitting.length === 0) return 0;
  const rows = await behaviour(context.model, context.promptsOf(fitting), context.tokenizer);
  return promptsWithErrors(rows);
}

const isTriple = (answer: unknown): answer is Words =>
  Array.isArray(answer) && answer.length === 3 && answer.every((word) => typeof word === "string");

/** What is asked for in `logitDiff`. */
interface MetricAnswer {
  readonly logitDiff: unknown;
  readonly hidden: unknown;
}

type Metric = (logits: number[], right: number) => number;

export const logitDiff = exercise({
  id: "logit-diff",
  title: "Write the metric",
  difficulty: 2,
  minutes: 10,
  misconception: "any contrast will do",
  hints: [
    "The model is right when the right letter beats all others. Which one of the 25 does it have to beat for that?",
    "Leave the right letter out, then take the largest of what is left: logits.filter((_, letter) => letter !== right).",
    "hidden: count the rows where your number is below 0 and mean_logit_diff is above 0.",
  ],
  async truth(context) {
    const rows = await ownRows(context);
    return { rows, hidden: hiddenByMean(rows).length };
  },
  judge(answer, { rows, hidden }) {
    const { logitDiff: metric, hidden: counted } = (answer ?? {}) as Partial<MetricAnswer>;
    if (metric === undefined) return { verdict: "unanswered" };
    if (typeof metric !== "function")
      return wrong("logitDiff must be a function of 26 logits and the right letter's index.");
    const values = attempt(() => valuesOf(metric as Metric, rows));
    if ("problem" in values) return wrong(`Your function stops with an error: ${values.problem}.`);
    if (values.given === undefined) return { verdict: "unanswered" };
    return judgeMetric(values.given, rows) ?? judgeHidden(counted, hidden, rows);
  },
});

const A = "A".charCodeAt(0);
const indexOf = ({ right }: LetterRow) => right.charCodeAt(0) - A;

/** The student's numbers, one for each row; undefined if it gives none. Each call has a list of its own: a function may sort it. */
function valuesOf(metric: Metric, rows: readonly LetterRow[]): number[] | undefined {
  const values = rows.map((row) => metric([...row.letter_logits], indexOf(row)));
  return values.every((value) => value === undefined) ? undefined : values;
}

/** What one may write instead, and what it shows. */
const MISTAKES: readonly { of: (row: LetterRow) => number; misconception: string; why: string }[] = [
  {
    of: (row) => row.mean_logit_diff,
    misconception: "any contrast will do",
    why: "This is right − mean of the wrong letters. It can be above 0 while one wrong letter beats the right one: the 24 others, which nobody would say, pull the mean down. Compare with the one that has to be beaten.",
  },
  {
    of: (row) => row.logit,
    misconception: "a logit alone says how sure the model is",
    why: "This is the right letter's own logit. Add 5 to all 26 and the model says the same, but your number is 5 larger: only differences mean something.",
  },
  {
    of: (row) => -row.logit_diff,
    misconception: "the sign is a matter of taste",
    why: "This is wrong − right. Everybody reads it the other way round: above 0 is right.",
  },
  {
    of: (row) => row.logit - Math.max(...row.letter_logits),
    misconception: "the right letter is one of its rivals",
    why: "Your largest is taken over all 26: where the model is right that is the right letter itself, and the difference is 0 however sure it is.",
  },
  {
    of: (row) => row.logit - mean(row.letter_logits),
    misconception: "any contrast will do",
    why: "This is right − mean of all 26 letters. It can be above 0 while a wrong letter wins: compare with the one that has to be beaten.",
  },
];

/** Float32 numbers whose difference was taken in another order; logits are of order 10. */
export const same = (a: number, b: number) => Math.abs(a - b) < 1e-3;

function judgeMetric(values: readonly number[], rows: readonly LetterRow[]): Verdict | undefined {
  const odd = values.findIndex((value) => typeof value !== "number" || !Number.isFinite(value));
  if (odd >= 0)
    return wrong(
      `For letter ${rows[odd].letter} of ${rows[odd].prompt} your function gives ${values[odd]}, which is no finite number.`,
    );
  const equals = (of: (row: LetterRow) => number) => values.every((value, i) => same(value, of(rows[i])));
  if (equals((row) => row.logit_diff)) return undefined;
  const mistake = MISTAKES.find(({ of }) => equals(of));
  if (mistake) return believes(mistake.misconception, mistake.why);
  const i = values.findIndex((value, at) => !same(value, rows[at].logit_diff));
  return wrong(
    `For letter ${rows[i].letter} of ${rows[i].prompt} your function gives ${values[i].toFixed(3)}; right − largest wrong is ${rows[i].logit_diff.toFixed(3)}.`,
  );
}

function judgeHidden(counted: unknown, hidden: number, rows: readonly LetterRow[]): Verdict {
  const { length } = rows;
  const accuracy = summarise(rows)
    .map((row) => row.accuracy.toFixed(3))
    .join(" / ");
  if (counted === undefined)
    return wrong("logitDiff is right. Now count: how many rows does the mean hide? Give it as hidden.");
  if (counted === hidden)
    return right(
      `Of ${length} rows the mean hides ${hidden}; accuracy ${accuracy}. The mean grows smoothly, but it does not tell right from wrong.`,
    );
  const different = rows.filter((row) => !same(row.logit_diff, row.mean_logit_diff)).length;
  if (counted === different)
    return believes(
      "different numbers disagree",
      `${different} rows have different values, which they must. They disagree where one says right and the other wrong: look at the signs.`,
    );
  if (typeof counted === "number" && same(counted, hidden / length))
    return wrong("That is the share of rows; give their number.");
  return wrong(
    `hidden is ${String(counted)}. Count the rows of the data in which logitDiff is below 0 and mean_logit_diff above 0.`,
  );
}
