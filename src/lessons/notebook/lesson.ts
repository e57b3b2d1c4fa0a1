import { checkOneOf, checkSome } from "../../numbers/check";
import { buildAcronyms } from "../../prompts/dataset";
import { publish, publisher, table } from "../../show/display";
import { type Exercise, type ExerciseContext, isEmpty, type LessonContext, type Verdict } from "../exercise";
import { type ExerciseId, TOPICS, type Topic } from "../topics";
import { hintBundle, solutionBundle, verdictBundle } from "./output";
import { noteTry, progressFile, readProgress } from "./progress-file";
import { solutionSource } from "./solution-source";

/** An exercise's id; others are refused with the ids that there are. */
type IdText<T extends Topic> = ExerciseId<T> | (string & {});

export interface Lesson<T extends Topic> {
  /**
   * Says whether an answer is right, and if not, what it shows; an unanswered exercise is said to be one. Counts tries in progress.json
   * beside the notebook. Throws RangeError naming the ids if there is no such exercise; Error for what is not right only while nbgrader
   * grades (its variable NBGRADER_EXECUTION), which takes a cell that fails for 0 points.
   */
  check(id: IdText<T>, answer?: unknown): Promise<void>;
  /** The first hint, then a stronger one at each call. Throws as `check` does for an unknown id. */
  hint(id: IdText<T>): void;
  /** Shows a solution, from the lesson's source. Throws as `check` does for an unknown id; Error if the sources are not there. */
  solution(id: IdText<T>): Promise<void>;
  /** A table of the lesson's exercises: tries and what is done. Throws Error if progress.json can't be read. */
  progress(): void;
}

/**
 * The exercises of a topic, or of several, for a notebook: `const { check, hint, solution, progress } = lesson("behaviour", { model, tokenizer, data, seed })`.
 * Truths are computed from what is given here.
 * Throws a RangeError naming the topics if there is no such one, or none is given
 */
export function lesson<T extends Topic>(topic: T | readonly T[], given: LessonContext): Lesson<T> {
  const topics = [topic].flat() as T[];
  checkSome("topics", topics);
  for (const one of topics) checkOneOf("topic", one, Object.keys(TOPICS));
  const exercises: readonly Exercise[] = topics.flatMap((one): readonly Exercise[] => TOPICS[one]);
  const context: ExerciseContext = { ...given, promptsOf: (words) => buildAcronyms(words, given.tokenizer) };
  const truths = new Map<string, unknown>();
  const hints = new Map<string, number>();
  const find = (id: string) => exercises.find((one) => one.id === id) ?? unknown(id, topics);

  const judge = async (one: Exercise, answer: unknown): Promise<Verdict> => {
    if (isEmpty(answer)) return { verdict: "unanswered" };
    if (!truths.has(one.id)) truths.set(one.id, await one.truth(context));
    return one.judge(answer, truths.get(one.id), context);
  };

  return {
    async check(id, answer) {
      const one = find(id);
      const say = publisher();
      const verdict = await judge(one, answer);
      say(verdictBundle(id, one.title, verdict, noted(id, verdict)));
      if (process.env.NBGRADER_EXECUTION && verdict.verdict !== "right")
        throw new Error(`${id}: ${verdict.verdict === "wrong" ? verdict.why : "not answered"}`);
    },
    hint(id) {
      const one = find(id);
      const number = Math.min((hints.get(id) ?? 0) + 1, one.hints.length);
      hints.set(id, number);
      publish(hintBundle(id, number, one.hints));
    },
    async solution(id) {
      const one = find(id);
      const say = publisher();
      say(solutionBundle(one.title, await solutionSource(id)));
    },
    progress() {
      const kept = readProgress(progressFile());
      table(
        exercises.map(({ id, title, difficulty, minutes }) => {
          const { tries, done } = kept[id] ?? { tries: 0, done: false };
          return { exercise: title, id, difficulty: stars(difficulty), minutes, tries, done: done ? "✓" : "–" };
        }),
      );
    },
  };
}

/** "★★☆". */
export const stars = (difficulty: number): string => "★".repeat(difficulty) + "☆".repeat(3 - difficulty);

/** Notes an answer. @returns why that failed, or "": a student's answer is judged all the same */
function noted(id: string, { verdict }: Verdict): string {
  if (verdict === "unanswered") return "";
  try {
    noteTry(progressFile(), id, verdict === "right");
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

function unknown(id: string, topics: readonly Topic[]): never {
  const ids = topics.flatMap((of): string[] => TOPICS[of].map((one) => one.id)).join(", ");
  const other = (Object.keys(TOPICS) as Topic[]).find((one) => TOPICS[one].some((each) => each.id === id));
  const where = other === undefined ? "" : ` It is one of lesson("${other}").`;
  throw new RangeError(`lesson "${topics.join(", ")}" has no exercise "${id}"; there are ${ids}.${where}`);
}
