// What students typically answer instead of what is right: each must be refused in its own words. A new exercise needs two or more.
import type { ExerciseContext } from "../../../src/lessons/exercise";
import type { ExerciseId } from "../../../src/lessons/topics";
import { extent } from "../../../src/numbers/lists";
import { mean } from "../../../src/numbers/statistics";
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

export const WRONG_ANSWERS: Record<ExerciseId, readonly WrongAnswer[]> = {
  ...WRITING,
  ...READING,
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
    { says: /As if.*any words will do/s, answer: ({ data }) => data.words[0] },
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
};
