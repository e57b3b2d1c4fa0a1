/** The prompts over which a switched-off head's output is averaged: the same in the page and in the code that it shows. */
export const CROWD = { n: 50, seed: 0 };
