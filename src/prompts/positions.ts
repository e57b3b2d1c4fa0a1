import { checkOneOf } from "../numbers/check";

/** The eleven positions of a prompt: C_i = space + capital, T_i = the rest of word i, A_i = a letter already written. */
export const POSITIONS = ["BOS", "The", "C1", "T1", "C2", "T2", "C3", "T3", "(", "A1", "A2"] as const;

export type Position = (typeof POSITIONS)[number];

/** The acronym's first, second or third letter. */
export type Letter = 1 | 2 | 3;

export const LETTERS: readonly Letter[] = [1, 2, 3];

/** Index of a position: `position("C2")` is 4. Throws a RangeError naming the positions there are. */
export function position(label: Position): number {
  const index = POSITIONS.indexOf(label);
  if (index < 0) throw new RangeError(`"${label}" is not a position; there are ${POSITIONS.join(", ")}`);
  return index;
}

/** Index of the position whose logits predict a letter: "(", A1, A2 = 8, 9, 10. Throws a RangeError if it isn't 1, 2 or 3. */
export function readoutPosition(letter: Letter): number {
  checkOneOf("letter", letter, LETTERS);
  return position("(") + letter - 1;
}

/** C_i, where letter i's word begins. */
export const wordPosition = (letter: Letter): number => position(`C${letter}`);

/** A_(i−1), the letter written before letter i (for letter 1: the parenthesis), where letter i is read. */
export const lastLetterPosition = (letter: Letter): number => readoutPosition(letter);
