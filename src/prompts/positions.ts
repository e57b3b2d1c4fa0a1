import { ACRONYMS, type AcronymTask } from "./acronym-task";
import { indexOf, type LetterOf, type PositionOf, readoutPositions, type Task, wordStart } from "./task";

export { LETTERS, type Letter, POSITIONS, type Position } from "./acronym-task";

/** Index of a position: `position("C2")` is 4. Throws a RangeError naming the positions there are. */
export const position = <T extends Task = AcronymTask>(label: PositionOf<T>, task: T = ACRONYMS as Task as T): number =>
  indexOf(task, label);

/** Index of the position whose logits predict a letter: "(", A1, A2 = 8, 9, 10. Throws a RangeError if it is none of the task's. */
export const readoutPosition = <T extends Task = AcronymTask>(
  letter: LetterOf<T>,
  task: T = ACRONYMS as Task as T,
): number => readoutPositions(task, [letter])[0];

/** C_i, where letter i's word begins. Throws a RangeError if there is no such word. */
export const wordPosition = <T extends Task = AcronymTask>(
  letter: LetterOf<T>,
  task: T = ACRONYMS as Task as T,
): number => wordStart(task, letter);

/** A_(i−1), the letter written before letter i (for letter 1: the parenthesis), where letter i is read. */
export const lastLetterPosition = readoutPosition;
