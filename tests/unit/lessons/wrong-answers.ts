// What students typically answer instead of what is right: each must be refused in its own words. A new exercise needs two or more.
import type { ExerciseContext } from "../../../src/lessons/exercise";
import type { ExerciseId } from "../../../src/lessons/topics";
import { mean } from "../../../src/numbers/statistics";
import { READING } from "./wrong-answers/reading";
import { WRITING } from "./wrong-answers/writing";
import { WRONG_IN_PATCHING } from "./wrong-in-patching";

export interface WrongAnswer {
  /** What the verdict must say; different for each of an exercise. */
  readonly says: RegExp;
  /** On the embedded model, seed 0. */
  answer(context: ExerciseContext): unknown;
}

const others = (logits: readonly number[], right: number) => logits.filter((_, letter) => letter !== right);

export const WRONG_ANSWERS: Record<ExerciseId, readonly WrongAnswer[]> = {
  ...WRITING,
  ...READING,
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
  ...WRONG_IN_PATCHING,
};
