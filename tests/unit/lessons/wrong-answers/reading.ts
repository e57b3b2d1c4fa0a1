import type { WrongAnswer } from "../wrong-answers";

const heads = [
  { layer: 2, head: 0 },
  { layer: 2, head: 1 },
  { layer: 2, head: 2 },
  { layer: 2, head: 3 },
];

const hurt = { current_word: "v", previous_words: "q", previous_letters: "q" };

type Matrix = readonly (readonly number[] | null)[];
const known = (matrix: Matrix) => matrix.flatMap((row, i) => (row ? [{ row, i }] : []));
const onTop = (matrix: Matrix) => known(matrix).filter(({ row, i }) => row[i] === Math.max(...row)).length;
const copied = (matrix: Matrix) => onTop(matrix) / known(matrix).length;

const toBos = (i: number) => 1 / (i + 1);

export const READING = {
  "query-key-value": [
    {
      says: /As if.*another letter is another value/s,
      answer: () => ({ heads, hurt: { ...hurt, previous_letters: "v" } }),
    },
    { says: /As if.*keys know what comes later/s, answer: () => ({ heads, hurt: { ...hurt, previous_letters: "k" } }) },
    { says: /As if.*what is corrupted is what/s, answer: () => ({ heads, hurt: { ...hurt, previous_words: "v" } }) },
    { says: /As if.*other words have other keys/s, answer: () => ({ heads, hurt: { ...hurt, previous_words: "k" } }) },
    {
      says: /As if.*to find is to copy.*The query is made/s,
      answer: () => ({ heads, hurt: { ...hurt, current_word: "q" } }),
    },
    { says: /As if.*to find is to copy.*If keys/s, answer: () => ({ heads, hurt: { ...hurt, current_word: "k" } }) },
    { says: /What of current word\?/, answer: () => ({ heads, hurt: { ...hurt, current_word: undefined } }) },
    {
      says: /For previous letters say "q", "k" or "v", not/,
      answer: () => ({ heads, hurt: { ...hurt, previous_letters: "z" } }),
    },
    { says: /heads must be a list/, answer: () => ({ hurt }) },
    { says: /can't be looked at: no head 9\.9/, answer: () => ({ heads: [{ layer: 9, head: 9 }], hurt }) },
  ],
  "embedding-or-stream": [
    { says: /As if.*weights alone show/s, answer: () => ({ heads, copied, from: "embedding" }) },
    { says: /As if.*no diagonal from the embedding/s, answer: () => ({ heads, copied, from: "neither" }) },
    {
      says: /As if.*above 0 = copied/s,
      answer: () => ({
        heads,
        copied: (matrix: Matrix) => known(matrix).filter(({ row, i }) => row[i] > 0).length / known(matrix).length,
      }),
    },
    {
      says: /As if.*above 0 = copied.*must be the largest/s, // and divided by 26, too
      answer: () => ({
        heads,
        copied: (matrix: Matrix) => known(matrix).filter(({ row, i }) => row[i] > 0).length / 26,
      }),
    },
    {
      says: /As if.*rows and columns/s,
      answer: () => ({
        heads,
        copied: (matrix: Matrix) => {
          const largest = (i: number) => Math.max(...known(matrix).map(({ row }) => row[i]));
          return known(matrix).filter(({ row, i }) => row[i] === largest(i)).length / known(matrix).length;
        },
      }),
    },
    {
      says: /As if.*not seen = not copied/s,
      answer: () => ({ heads, copied: (matrix: Matrix) => onTop(matrix) / matrix.length }),
    },
    { says: /As if.*a count is a share/s, answer: () => ({ heads, copied: onTop }) },
    {
      says: /stops with an error.*rows that are null/s,
      answer: () => ({ heads, copied: (matrix: number[][]) => matrix.filter((row, i) => row[i] > row[0]).length }),
    },
    { says: /copied is right.*So where/s, answer: () => ({ heads, copied }) },
    { says: /the shares are/, answer: () => ({ heads, copied: () => 0.99 }) },
    { says: /from must be/, answer: () => ({ heads, copied, from: "attention" }) },
  ],
  "even-attention": [
    { says: /As if.*no embedding, no order/s, answer: () => ({ toBos, place: () => "impossible" }) },
    { says: /As if.*every token sees the whole/s, answer: () => ({ toBos: () => 1 / 11 }) },
    { says: /As if.*does not see itself/s, answer: () => ({ toBos: (i: number) => 1 / i }) },
    { says: /As if.*hides what came before/s, answer: () => ({ toBos: (i: number) => 1 / (11 - i) }) },
    { says: /As if.*what the others get/s, answer: () => ({ toBos: (i: number) => i / (i + 1) }) },
    { says: /As if.*positions count from 1/s, answer: () => ({ toBos, place: (a: number) => 1 / a }) },
    { says: /toBos is right\. Now place/, answer: () => ({ toBos, place: () => undefined }) },
    { says: /place gives 3, 3/, answer: () => ({ toBos, place: () => 3 }) },
    { says: /toBos\(0\) is 0\.5; a head/, answer: () => ({ toBos: () => 0.5 }) },
    {
      says: /toBos stops with an error: I give up/,
      answer: () => ({
        toBos: () => {
          throw new Error("I give up");
        },
      }),
    },
  ],
} as const satisfies Record<string, readonly WrongAnswer[]>;
