/** Lesson 2: where information is, and which way it flows. */
import { behaviour, summarise } from "../../experiments/behaviour";
import { blockSite } from "../../experiments/patch-sites";
import { activationPatch } from "../../experiments/patching";
import { corrupt, resample } from "../../prompts/corruption";
import { type Letter, POSITIONS, type Position, position } from "../../prompts/positions";
import { believes, type ExerciseContext, exercise, isEmpty, right, type Verdict, wrong } from "../exercise";
import { same } from "./behaviour";

/** The letter that the lesson follows. */
const LETTER = 2;

/** Mean logit difference of letters 1, 2, 3 when these tokens are read; the right letters stay the data's. */
export async function levels({ model, data, tokenizer }: ExerciseContext, tokens?: number[][]): Promise<number[]> {
  return summarise(await behaviour(model, data, tokenizer, { tokens })).map((row) => row.logit_diff);
}

/** What each letter changes by when these tokens are read instead of the prompts' own. Nothing is patched for it. */
async function changes(context: ExerciseContext, tokens: number[][]): Promise<number[]> {
  const [before, after] = [await levels(context), await levels(context, tokens)];
  return after.map((level, i) => level - before[i]);
}

/** The prompts' own tokens but at one position. */
const replacedAt = (own: readonly number[][], other: readonly number[][], at: Position): number[][] =>
  own.map((row, i) => row.with(position(at), other[i][position(at)]));

export const otherPrompts = ({ data, seed }: ExerciseContext) => resample(data, seed);
const otherWord = (context: ExerciseContext) =>
  corrupt(context.data.tokens, otherPrompts(context), "current_word", LETTER);

export const logits = (value: number) => value.toFixed(2).replace(/^-(0\.00)$/, "$1");
export const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** A position matters if it alone makes at least this share of the change. */
const MATTERS = 0.1;
const [WORD, REST] = [`C${LETTER}` as Position, `T${LETTER}` as Position];
const AFTER_WORDS: readonly Position[] = ["(", "A1", "A2"];

export const whereTheWordCounts = exercise({
  id: "where-the-word-counts",
  title: "Where the word counts",
  difficulty: 1,
  minutes: 8,
  misconception: "the whole word",
  hints: [
    "Before layer 0 no head has run: at each position the stream holds its own token and its place, and nothing else. Where do the two runs differ at all?",
    "Only C2 and T2 hold other tokens. Which of the two does one need to know for the letter?",
    'Measure it: activationPatch with corruption "current_word" and blockSite("hook_resid_pre", ["C2", "T2"]) has a row for each position before layer 0.',
  ],
  async truth(context) {
    const { tokens } = context.data;
    const other = otherWord(context);
    const costs = new Map<Position, number>(); // before layer 0 another stream is another token
    for (const at of [WORD, REST]) costs.set(at, -(await changes(context, replacedAt(tokens, other, at)))[LETTER - 1]);
    const whole = -(await changes(context, other))[LETTER - 1];
    const matter = [...costs].filter(([, cost]) => cost / whole >= MATTERS).map(([at]) => at);
    return { costs, whole, matter };
  },
  judge(answer, { costs, whole, matter }): Verdict {
    const given: unknown = answer === "none" ? [] : typeof answer === "string" ? [answer] : answer;
    if (!isPositions(given))
      return wrong(`Give a list of positions, such as ["BOS", "The"], or "none". There are ${POSITIONS.join(", ")}.`);
    const cost = (at: Position) => `another ${at} costs ${logits(costs.get(at) ?? 0)}`;
    const measured = `Of the ${logits(whole)} logits that another word costs letter ${LETTER}, ${cost(WORD)} and ${cost(REST)}`;
    const extra = given.filter((at) => !matter.includes(at));
    const unchanged = extra.filter((at) => !costs.has(at));
    const missing = matter.filter((at) => !given.includes(at));
    if (extra.includes(REST))
      return believes(
        whereTheWordCounts.misconception,
        `${measured}. ${REST} differs as ${WORD} does, but the letter hardly depends on it: the word's beginning is what is abbreviated.`,
      );
    if (unchanged.some((at) => AFTER_WORDS.includes(at)))
      return believes(
        "where it is read, it has always been",
        `At ${unchanged.join(", ")} both runs hold the same token, and before layer 0 the stream is nothing but token and place: replacing it changes nothing. The word arrives there only when a head has carried it.`,
      );
    if (unchanged.length > 0)
      return believes(
        "every token helps a little",
        `Only the word of letter ${LETTER} was exchanged. At ${unchanged.join(", ")} both runs hold the same token: there the stream is replaced by itself.`,
      );
    if (extra.length > 0) return wrong(`${measured}: less than a tenth.`);
    if (missing.length > 0) return wrong(`You leave out ${missing.join(", ")}. ${measured}.`);
    return right(`${measured}. Everywhere else both runs hold the same.`);
  },
});

const isPositions = (given: unknown): given is Position[] =>
  Array.isArray(given) && given.every((label) => (POSITIONS as readonly unknown[]).includes(label));

export const patchTheLastLetter = exercise({
  id: "patch-the-last-letter",
  title: "Patch A2",
  difficulty: 2,
  minutes: 10,
  misconception: "information flows back",
  hints: [
    "Which position is each letter read at? Letter i is read one token before it stands: at (, A1, A2.",
    "A head takes from its own position and from earlier ones. Which of the three read-outs can see A2?",
    'Measure it as by hand above: keep "blocks.0.hook_resid_pre" of a run on corrupted, patch it at { pos: position("A2") }, and read all three letters with letterReadout(data).',
  ],
  async truth(context) {
    const found = await changes(context, replacedAt(context.data.tokens, otherPrompts(context), "A2"));
    return { third: found[2], level: (await levels(context))[2] };
  },
  judge(answer, { third, level }): Verdict {
    if (!Array.isArray(answer) || answer.length !== 3 || !answer.every(isNumber))
      return wrong("Give three numbers, the changes of letters 1, 2 and 3 in logits: [0, 0, 0] if nothing changes.");
    const is = (first: number, second: number, last: number) =>
      same(answer[0], first) && same(answer[1], second) && same(answer[2], last);
    const truth = `Letter 3 changes by ${logits(third)}, letters 1 and 2 by 0`;
    if (is(0, 0, third))
      return right(
        `${truth}. Letter 2 is read at A1, and no head at A1 looks at a later position: that holds for any weights.`,
      );
    if (is(0, third, 0))
      return believes(
        "a letter is read where it stands",
        "Your number is right, but it is letter 3's. A2 is the second letter written; what is read at A2 is what comes next. Letter 2 is read one token before it stands, at A1.",
      );
    if (!same(answer[0], 0) || !same(answer[1], 0))
      return believes(
        patchTheLastLetter.misconception,
        `You have ${logits(answer[0])} for letter 1 and ${logits(answer[1])} for letter 2. They are read at ( and A1, before A2. Every position is made of itself and earlier ones (the causal mask), in every layer: what happens at A2 can't reach them.`,
      );
    if (is(0, 0, 0))
      return believes(
        "what is written is only output",
        "Once it is written, a letter is a token like any other: the model reads it at A2, where it has to say letter 3. Another letter there tells it something else.",
      );
    return judgeThird(answer[2], third, level);
  },
});

/** Verdict on a change that is not the right one, of a letter that has this logit difference when nothing is patched. */
function judgeThird(given: number, change: number, level: number): Verdict {
  if (same(given, -change)) return signVerdict;
  if (same(given, level + change)) return levelVerdict(given, level);
  return wrong(
    `Letters 1 and 2 are right. Letter 3 changes by something else than ${logits(given)}: is everything of the other run put in at A2 before layer 0, and nothing elsewhere?`,
  );
}

export const signVerdict = believes(
  "the sign is a matter of taste",
  "This is before − after. Everybody reads it the other way round: a change below 0 is harm.",
);
export const levelVerdict = (given: number, level: number) =>
  believes(
    "a level is a change",
    `${logits(given)} is the logit difference of the patched run. The change is that minus the logit difference without a patch, ${logits(level)}.`,
  );

/** What is asked for in `nothingAndEverything`: changes of letter 2 in logits. */
interface TwoChanges {
  readonly itself: unknown;
  readonly everything: unknown;
}

export const nothingAndEverything = exercise({
  id: "nothing-and-everything",
  title: "Nothing and everything",
  difficulty: 2,
  minutes: 10,
  misconception: "patching is approximate",
  hints: [
    "What does a forward compute from the residual stream before a layer? Does it need anything else?",
    "itself: keep the stream of a run on data.tokens and patch it into a run on data.tokens. everything: the same from otherWord, at all positions, which is patch without { pos }.",
    "What must come out for everything can be had without a patch: read otherWord with forward, and take the logit difference without a patch away.",
  ],
  async truth(context) {
    const [before, after] = [await levels(context), await levels(context, otherWord(context))];
    const [level, read] = [before[LETTER - 1], after[LETTER - 1]];
    const wholePrompt = (await changes(context, otherPrompts(context)))[LETTER - 1];
    const site = blockSite("hook_resid_pre", [WORD]);
    const atWord = await activationPatch(context.model, context.data, { ...toLetter(context, LETTER), site });
    return { level, whole: read - level, wholePrompt, atWord: atWord.map(({ change }) => change) };
  },
  judge(answer, { level, whole, wholePrompt, atWord }): Verdict {
    const { itself, everything } = (answer ?? {}) as Partial<TwoChanges>;
    if (isEmpty([itself, everything])) return { verdict: "unanswered" };
    if (!isNumber(itself) || !isNumber(everything))
      return wrong("Give two numbers, { itself, everything }: what letter 2 changes by, in logits.");
    if (!same(itself, 0)) {
      if (same(itself, level)) return levelVerdict(itself, level);
      return believes(
        nothingAndEverything.misconception,
        `Patched with itself letter 2 changes by 0, not by ${logits(itself)}: each number is replaced by the same number, and all that follows is computed from them as before. What is left is the rounding of float32, below a thousandth of a logit.`,
      );
    }
    const first = `itself is right: 0. `;
    if (same(everything, whole))
      return right(
        `With itself 0; with everything ${logits(whole)}, just what it changes by when the other word is simply read. A patch is exact: what one at a single position leaves of the letter is no error, but went another way.`,
      );
    if (same(everything, level + whole)) return levelVerdict(everything, level);
    if (same(everything, -whole)) return signVerdict;
    if (same(everything, -level))
      return believes(
        "without its word a model knows nothing",
        `${first}You expect a logit difference of 0, as of a guess. But the word was not taken away: another was put there, the model says *its* letter, and the right one falls to ${logits(level + whole)}.`,
      );
    if (same(everything, wholePrompt))
      return believes(
        "another prompt is another word",
        `${first}${logits(everything)} comes out when everything is from corrupted, where the words before and the letters written are others, too. Take the run on otherWord.`,
      );
    if (atWord.some((change) => same(everything, change)))
      return believes(
        "one position is the whole run",
        `${first}${logits(everything)} comes out if only ${WORD} is replaced. Everything means all positions: leave out { pos }.`,
      );
    return believes(
      nothingAndEverything.misconception,
      `${first}With everything letter 2 changes by something else than ${logits(everything)}. Where the whole stream is the other run's, all that follows is, and the patched run says what the other run says: its logit difference can be had without any patch.`,
    );
  },
});

/** The notebook's corruption, for one letter. */
export const toLetter = (context: ExerciseContext, letter: Letter) =>
  ({ corruption: "current_word", corrupted: otherPrompts(context), letters: [letter] }) as const;
