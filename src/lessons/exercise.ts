/** An exercise as a value: what is asked, how the truth is found on the model at hand, and what an answer shows of who gave it. */
import type { Tokenizer } from "../load/tokenizer";
import type { Model } from "../model/model";
import type { AcronymDataset } from "../prompts/acronyms";

export type Words = readonly [string, string, string];

/** What a notebook works with. Truths are computed from it and nothing else, so that a lesson works on any model. */
export interface LessonContext {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** The notebook's prompts: as many as its n, chosen by its seed. */
  readonly data: AcronymDataset;
  readonly seed: number;
}

/** What the host adds: what can't be had without files. */
export interface ExerciseContext extends LessonContext {
  /** A data set of words of one's own. Throws Error with the reason if they make no prompt. */
  promptsOf(words: readonly Words[]): AcronymDataset;
}

/** What is thought of an answer; `why` is for its author: whole sentences, with the numbers that decided. */
export type Verdict =
  | { readonly verdict: "right"; readonly why: string }
  | { readonly verdict: "wrong"; readonly why: string; readonly misconception?: string }
  | { readonly verdict: "unanswered" };

export interface Exercise<Id extends string = string, Truth = unknown> {
  /** In kebab-case; also the `grade_id` of the cell with the solution. */
  readonly id: Id;
  readonly title: string;
  readonly difficulty: 1 | 2 | 3;
  readonly minutes: number;
  /** What many think who have not done it, in a few words: "accuracy 1.00 = solved". */
  readonly misconception: string;
  /** From weak to strong; none is the solution itself. */
  readonly hints: readonly [string, ...string[]];
  /** What an answer is compared with: computed once a lesson, and only when an answer is given. */
  truth(context: ExerciseContext): Truth | Promise<Truth>;
  /** Says of an answer, which can be anything, whether it is right and else what it shows. It must not throw whatever the answer is. */
  judge(answer: unknown, truth: Truth, context: ExerciseContext): Verdict | Promise<Verdict>;
}

/** An exercise; its truth's type stays its own affair. */
export const exercise = <const Id extends string, Truth>(one: Exercise<Id, Truth>): Exercise<Id> => one;

export const right = (why: string): Verdict => ({ verdict: "right", why });

/** Wrong in a way that shows nothing but that it is wrong, or that it is no answer at all. */
export const wrong = (why: string): Verdict => ({ verdict: "wrong", why });

/** Wrong as one is who thinks so. */
export const believes = (misconception: string, why: string): Verdict => ({ verdict: "wrong", misconception, why });

/** What a call gives, or the message of its error: a student's function may stop, and words may make no prompt. */
export function attempt<T>(call: () => T): { readonly given: T } | { readonly problem: string } {
  try {
    return { given: call() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether there is no answer yet: nothing, an empty text or list, or a table of such things alone. */
export function isEmpty(answer: unknown): boolean {
  if (answer === undefined || answer === null) return true;
  if (typeof answer === "string") return answer.trim() === "";
  if (typeof answer !== "object") return false;
  return Object.getPrototypeOf(answer) === Object.prototype || Array.isArray(answer)
    ? Object.values(answer).every(isEmpty)
    : false;
}
