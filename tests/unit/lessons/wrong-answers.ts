// What students typically answer instead of what is right: each must be refused in its own words. A new exercise needs two or more.
import { headSite } from "../../../src/experiments/patch-sites";
import { activationPatch, patchByPrompt } from "../../../src/experiments/patching";
import type { ExerciseContext } from "../../../src/lessons/exercise";
import type { ExerciseId } from "../../../src/lessons/topics";
import { bracketDiffs, bracketLogits, bracketPrompts, closes } from "../../../src/lessons/topics/bracket";
import { finders } from "../../../src/lessons/topics/bracket-finder";
import { allHeads, headName } from "../../../src/model/heads";
import { extent, range } from "../../../src/numbers/lists";
import { strongest } from "../../../src/numbers/rows";
import { bootstrapMean, type Interval, mean, meanAndStd } from "../../../src/numbers/statistics";
import { select } from "../../../src/prompts/acronyms";
import { resample } from "../../../src/prompts/corruption";
import { wordPosition } from "../../../src/prompts/positions";
import { NOTEBOOKS } from "./wrong-answers/notebooks";
import { PATCHING } from "./wrong-answers/patching";
import { READING } from "./wrong-answers/reading";
import { WRITING } from "./wrong-answers/writing";

export interface WrongAnswer {
  /** What the verdict must say; different for each of an exercise. */
  readonly says: RegExp;
  /** On the embedded model, seed 0. */
  answer(context: ExerciseContext): unknown;
}

const others = (logits: readonly number[], right: number) => logits.filter((_, letter) => letter !== right);

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
type Output = number[][][];

/** Mean of a head's output over prompts and these positions. */
const averageAt = (z: Output, positions: readonly number[]) =>
  z[0][0].map((_, d) => mean(z.flatMap((rows) => positions.map((pos) => rows[pos][d]))));

type Ends = (changes: readonly number[]) => Interval;
const bootstrapOf: Ends = (changes) => bootstrapMean(changes, { seed: 7 });
/** Mean ± standard deviation. */
const spreadOf: Ends = (changes) => {
  const { mean, std } = meanAndStd(changes);
  return { low: mean - std, high: mean + std };
};

/** What several answers start from, measured once. */
function once<T>(measure: (context: ExerciseContext) => T): (context: ExerciseContext) => T {
  const known = new WeakMap<ExerciseContext, T>();
  return (context) => {
    if (!known.has(context)) known.set(context, measure(context));
    return known.get(context) as T;
  };
}

/** Figure 5's strongest cell, and its change for every prompt in three draws. */
const strongestOfFive = once(async ({ model, data, seed }) => {
  const options = { corruption: "previous_words", site: headSite("z", wordPosition), letters: [2, 3] } as const;
  const corrupted = [0, 1, 2].map((i) => resample(data, seed + i));
  const cells = await activationPatch(model, data, { ...options, corrupted: corrupted[0] });
  const { layer, head, letter } = strongest(cells, "change");
  const site = headSite("z", wordPosition, [{ layer, head }]);
  const draws: number[][] = [];
  for (const other of corrupted) {
    const rows = await patchByPrompt(model, data, { ...options, site, letters: [letter], corrupted: other });
    draws.push(rows.map((row) => row.change));
  }
  return { head: headName({ layer, head }), letter, draws };
});

/** An answer about it that takes it for real. */
const figureFive =
  (ends: Ends, take: (all: readonly Interval[]) => readonly Interval[] = (all) => all) =>
  async (context: ExerciseContext) => {
    const { draws, ...cell } = await strongestOfFive(context);
    return { ...cell, intervals: take(draws.map(ends)), real: true };
  };

/** Prompts with these letters behind the bracket. */
const writtenAfter = ({ data }: ExerciseContext, letters: readonly number[]) =>
  data.tokens.map((row, i) => [...row.slice(0, 9), ...letters.map((letter) => data.answers[i][letter])]);

/** The right prompts, with this number in place of the lead of ")". */
const bracketAnswer =
  (value: (row: readonly number[], answers: readonly number[]) => number) => (context: ExerciseContext) => ({
    ...bracketPrompts(context.data),
    bracketDiff: (tokens: number[][]) =>
      bracketLogits(context, tokens).map((row, i) => value(row, context.data.answerLetters[i])),
  });

const noIdea = (): never => {
  throw new Error("no idea");
};

/** Three choices of the context's prompts, and what is lost in each with the head that finds most. */
const choices = once((context) =>
  [0, 1, 2].map((first) => {
    const n = context.data.prompts.length - 2;
    const data = select(
      context.data,
      range(n).map((i) => i + first),
    );
    const { closing, turned } = bracketPrompts(data);
    const [best] = finders({ ...context, data }, closing, turned);
    return { data, head: headName(best), by: best.by };
  }),
);

/** An answer of three of them, which `choice` numbers. */
const replicated = (choice: (draw: number) => number, ends: Ends) => (context: ExerciseContext) =>
  [0, 1, 2].map((draw) => {
    const { data, head, by } = choices(context)[choice(draw)];
    return { data, head, ...ends(by) };
  });

export const WRONG_ANSWERS: Record<ExerciseId, readonly WrongAnswer[]> = {
  "last-token": [
    { says: /As if.*all letters are read at the parenthesis/s, answer: () => "(" },
    { says: /As if.*the model sees what it predicts/s, answer: ({ data }) => data.acronyms[0][1] },
    { says: /As if.*it goes back to the word/s, answer: ({ data }) => data.words[0][1] },
    { says: /As if.*a space is no part of a token/s, answer: ({ data }) => ` ${data.acronyms[0][0]}` },
    { says: /is the name of a position/, answer: () => "A1" },
    { says: /The tokens of this prompt are/, answer: () => "the last one" },
    { says: /Give the token's text/, answer: () => 9 },
  ],
  "stream-width": [
    { says: /As if.*the stream grows/s, answer: ({ model: { config } }) => (config.n_layers + 1) * config.d_model },
    { says: /As if.*the prompt shares one stream/s, answer: ({ model }) => 11 * model.config.d_model },
    { says: /As if.*a head's width/s, answer: ({ model }) => model.config.d_head },
    { says: /As if.*the MLP's width/s, answer: ({ model }) => model.config.d_mlp },
    { says: /As if.*one number for each token/s, answer: ({ model }) => model.config.d_vocab },
    { says: /As if.*a token is one number/s, answer: () => 1 },
    { says: /Give a whole number/, answer: () => "many" },
    { says: /It is not 7\./, answer: () => 7 },
  ],
  "logits-to-probability": [
    { says: /As if.*a logit is a share/s, answer: () => (l: number[], t: number) => l[t] / total(l) },
    { says: /As if.*a logit alone says how likely/s, answer: () => (l: number[], t: number) => Math.exp(l[t]) },
    {
      says: /As if.*each token is judged by itself/s,
      answer: () => (l: number[], t: number) => 1 / (1 + Math.exp(-l[t])),
    },
    {
      says: /As if.*a logarithm of a probability/s,
      answer: () => (l: number[], t: number) => l[t] - Math.log(total(l.map(Math.exp))),
    },
    {
      says: /As if.*the likeliest token is certain/s,
      answer: () => (l: number[], t: number) => (t === l.indexOf(extent(l)[1]) ? 1 : 0),
    },
    {
      says: /As if.*compared with the largest is enough/s,
      answer: () => (l: number[], t: number) => Math.exp(l[t] - extent(l)[1]),
    },
    { says: /your function gives 0\.5; the probability is/, answer: () => () => 0.5 },
    {
      says: /stops with an error: no such thing/,
      answer: () => () => {
        throw new Error("no such thing");
      },
    },
    { says: /must be a function/, answer: () => 0.9 },
  ],
  "break-the-model": [
    { says: /As if.*accuracy 1\.00 = solved/s, answer: () => "none" },
    { says: /As if.*any words will do/s, answer: ({ data }) => data.words[1] },
    { says: /As if.*what can't be asked.*"Chief".* is 1 token/s, answer: () => ["Chief", "Executive", "Officer"] },
    { says: /Give three words/, answer: () => ["Ketchup", "Lark"] },
  ],
  "logit-diff": [
    {
      says: /As if.*any contrast will do.*mean of the wrong letters/s,
      answer: () => ({ logitDiff: (l: number[], r: number) => l[r] - mean(others(l, r)), hidden: 0 }),
    },
    { says: /As if.*a logit alone/s, answer: () => ({ logitDiff: (l: number[], r: number) => l[r], hidden: 0 }) },
    {
      says: /As if.*one of its rivals/s,
      answer: () => ({ logitDiff: (l: number[], r: number) => l[r] - Math.max(...l), hidden: 0 }),
    },
    {
      says: /As if.*a matter of taste/s,
      answer: () => ({ logitDiff: (l: number[], r: number) => Math.max(...others(l, r)) - l[r], hidden: 0 }),
    },
    {
      says: /As if.*different numbers disagree/s,
      answer: ({ data }) => ({
        logitDiff: (l: number[], r: number) => l[r] - Math.max(...others(l, r)),
        hidden: 3 * data.prompts.length,
      }),
    },
    { says: /right − largest wrong is/, answer: () => ({ logitDiff: () => 1, hidden: 0 }) },
    { says: /no finite number/, answer: () => ({ logitDiff: () => Number.NaN, hidden: 0 }) },
    {
      says: /stops with an error: no idea/,
      answer: () => ({
        logitDiff: () => {
          throw new Error("no idea");
        },
      }),
    },
  ],
  ...PATCHING,
  ...WRITING,
  ...READING,
  ...NOTEBOOKS,
  "second-ablation": [
    {
      says: /As if.*ablation is neutral.*differs from word to word/s,
      answer: () => ({
        head: "0.1",
        ablate: (z: Output) => z.map(() => z[0].map((_, pos) => averageAt(z, [pos]))),
      }),
    },
    {
      says: /As if.*another prompt's output/s,
      answer: () => ({ head: "0.1", ablate: (z: Output) => z.map((_, i) => z[(i + 1) % z.length]) }),
    },
    {
      says: /As if.*off is zero/s,
      answer: () => ({ head: "0.1", ablate: (z: Output) => z.map((rows) => rows.map((row) => row.map(() => 0))) }),
    },
    {
      says: /As if.*a large loss is a disagreement/s,
      answer: () => ({ head: "2.0", ablate: (z: Output) => z.map(() => z[0].map(() => averageAt(z, [2, 4, 6]))) }),
    },
    { says: /As if.*ablation is neutral.*There is one/s, answer: () => ({ head: "none" }) },
    { says: /nothing is removed/, answer: () => ({ head: "0.1", ablate: (z: Output) => z }) },
    { says: /the shape that it gets/, answer: () => ({ head: "0.1", ablate: (z: Output) => z[0] }) },
    { says: /is no head of this model/, answer: () => ({ head: "9.9", ablate: (z: Output) => z }) },
  ],
  "fewest-heads": [
    { says: /As if.*what was found is what is needed.*are enough/s, answer: ({ model }) => allHeads(model.config) },
    // the letter movers without the head that finds the next word
    { says: /As if.*what does one letter/s, answer: () => ["2.0", "2.1", "2.2", "2.3", "1.0", "1.1"] },
    { says: /Each letter must reach 0\.8/, answer: () => ["2.0"] },
    { says: /comes twice/, answer: () => ["2.0", "2.0"] },
    { says: /Give a list of heads/, answer: () => "2.0" },
  ],
  "is-it-real": [
    { says: /As if.*an error bar is an interval.*times narrower/s, answer: figureFive(spreadOf) },
    { says: /As if.*one draw is enough/s, answer: figureFive(bootstrapOf, (all) => all.slice(0, 1)) },
    { says: /As if.*the same again/s, answer: figureFive(bootstrapOf, ([first]) => [first, first, first]) },
    { says: /As if.*the strongest of many is real/s, answer: figureFive(bootstrapOf) },
    {
      says: /another: not head 3\.3/,
      answer: () => ({ head: { layer: 3, head: 3 }, letter: 1, intervals: [], real: true }),
    },
    { says: /one a seed/, answer: figureFive(bootstrapOf, () => ["?"] as never) },
  ],
  "bracket-behaviour": [
    { says: /As if.*any contrast will do.*\) − Z/s, answer: bracketAnswer((row, [, , z]) => row[0] - row[z + 1]) },
    {
      says: /As if.*any contrast will do.*mean of the capitals/s,
      answer: bracketAnswer(([bracket, ...letters]) => bracket - mean(letters)),
    },
    {
      says: /As if.*a matter of taste/s,
      answer: bracketAnswer(([bracket, ...letters]) => Math.max(...letters) - bracket),
    },
    { says: /As if.*a logit alone/s, answer: bracketAnswer(([bracket]) => bracket) },
    {
      says: /As if.*one more letter makes no difference/s,
      answer: ({ data }) => ({
        closing: data.tokens.map((row, i) => [...row.slice(0, 9), ...data.answers[i]]),
        goingOn: bracketPrompts(data).goingOn,
      }),
    },
    { says: /holds other tokens/, answer: ({ data }) => ({ closing: data.tokens, goingOn: data.tokens }) },
    { says: /stops with an error: no idea/, answer: bracketAnswer(noIdea) },
  ],
  "bracket-map": [
    { says: /As if.*the end of the name/s, answer: () => ({ from: ["C3", "T3"], layer: 2 }) },
    { says: /As if.*where it is read/s, answer: () => ({ from: ["A2"], layer: 0 }) },
    { says: /As if.*one position holds it/s, answer: () => ({ from: ["C3"], layer: 2 }) },
    { says: /not the first that loses more/, answer: () => ({ from: ["C2", "C3"], layer: 0 }) },
    { says: /too little to matter/, answer: () => ({ from: ["C1", "C2", "C3"], layer: 2 }) },
  ],
  "bracket-finder": [
    { says: /As if.*a head looks at what comes next/s, answer: () => ({ head: "1.2", closing: "T3", turned: "C3" }) },
    {
      says: /Head 3\.0 is not the one with which most is lost/,
      answer: () => ({ head: { layer: 3, head: 0 }, closing: "C3", turned: "C2" }),
    },
    { says: /where it looks is not/, answer: () => ({ head: "1.2", closing: "C1", turned: "C2" }) },
  ],
  "bracket-sufficient": [
    { says: /As if.*necessary = sufficient/s, answer: () => ["1.2"] },
    { says: /As if.*what was found is what is needed/s, answer: ({ model }) => allHeads(model.config) },
    { says: /wanted are/, answer: () => ["0.0", "0.1"] },
  ],
  "bracket-seeds": [
    { says: /As if.*the same again/s, answer: replicated(() => 0, bootstrapOf) },
    { says: /As if.*an error bar is an interval/s, answer: replicated((i) => i, spreadOf) },
    { says: /As if.*one draw is enough/s, answer: (context) => replicated((i) => i, bootstrapOf)(context).slice(0, 1) },
    {
      says: /most is not lost with head 0\.0\./,
      answer: (context) => replicated((i) => i, bootstrapOf)(context).map((one) => ({ ...one, head: " 0.0 " })),
    },
  ],
  "bracket-refuted": [
    {
      says: /As if.*what fits proves it/s,
      answer: () => ({ hypothesis: "it closes after three letters", written: "XY", closes: 0 }),
    },
    {
      says: /As if.*weakened = refuted/s,
      answer: (context) => ({
        hypothesis: "it closes after the last word's letter",
        written: "Z",
        closes: closes(bracketDiffs(context, writtenAfter(context, [2]))),
      }),
    },
    {
      says: /Measure the share/,
      answer: () => ({ hypothesis: "it closes after two letters", written: "XY", closes: 1 }),
    },
    { says: /hypothesis must be one of/, answer: () => ({ hypothesis: "it just knows", written: "XY", closes: 0 }) },
  ],
};
