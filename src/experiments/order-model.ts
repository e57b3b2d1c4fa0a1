import { LETTERS, type Letter } from "../prompts/positions";

/*
 * The causal model: every word has a place, 1, 2 or 3, and the next letter is that of the word at place(word of the last letter) + 1.
 * If something in the network is that place, exchanging it between two words changes exactly the letters that the causal model says.
 */

/** The place that each of words 1, 2 and 3 takes: `[2, 1, 3]` exchanges the first two. */
export type Places = readonly [Letter, Letter, Letter];

/** Words two by two, and all three in turn. */
export const UNMOVED: Places = [1, 2, 3];
export const EXCHANGES: readonly Places[] = [
  [2, 1, 3],
  [3, 2, 1],
  [1, 3, 2],
];
export const TURNS: readonly Places[] = [
  [2, 3, 1],
  [3, 1, 2],
];

/** What tables and figures call it: "C1↔C2"; "C1→C2→C3→C1" where each takes the next one's place. */
export function placesName(places: Places): string {
  if (places.every((place, i) => place === i + 1)) return "none";
  const moved = LETTERS.filter((word) => places[word - 1] !== word);
  if (moved.length === 2) return moved.map((word) => `C${word}`).join("↔");
  const [a, b] = [1, places[0]];
  return [a, b, places[b - 1], a].map((word) => `C${word}`).join("→");
}

/** Which word each letter comes from; null where the causal model doesn't say: the last letter's word has place 3, and nothing comes after it. */
export type Prediction = readonly (Letter | null)[];

/** What the causal model says if the words have these places. Before letter 1 nothing is written: as if after place 0. */
export function nextWords(places: Places): Prediction {
  return LETTERS.map((letter) => {
    const last = letter === 1 ? 0 : places[letter - 2];
    return LETTERS.find((word) => places[word - 1] === last + 1) ?? null;
  });
}

/** A wrong causal model, as a control: like `nextWords`, but for each word says the one `by` further on, after 3 comes 1. */
export const shiftedWords =
  (by: 1 | 2) =>
  (places: Places): Prediction =>
    nextWords(places).map((word) => word && ((((word - 1 + by) % 3) + 1) as Letter));

/** What the causal model says of one acronym, for a table. */
export interface PredictionRow {
  readonly exchange: string;
  /** "P", or "–" where nothing is predicted. */
  readonly letter_1: string;
  readonly letter_2: string;
  readonly letter_3: string;
}

/** The letters of an acronym such as "KPW" that the causal model predicts under each exchange. The written letters stay. */
export function predictedLetters(acronym: string, exchanges: readonly Places[]): PredictionRow[] {
  return exchanges.map((places) => {
    const [letter_1, letter_2, letter_3] = nextWords(places).map((word) => (word ? acronym[word - 1] : "–"));
    return { exchange: placesName(places), letter_1, letter_2, letter_3 };
  });
}
