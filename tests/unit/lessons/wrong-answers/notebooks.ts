import type { WrongAnswer } from "../wrong-answers";

const heads = [0, 1, 2, 3].map((head) => ({ layer: 2, head }));

export const NOTEBOOKS = {
  "down-and-up": [
    { says: /As if.*against the letter.*There is one/s, answer: () => "none" },
    { says: /As if.*against the letter's logit.*lowers both/s, answer: () => "position" },
    { says: /As if.*a high logit is a lead/s, answer: () => "attention 2" },
    { says: /Give a part's name/, answer: () => "2.0" },
  ],
  "where-order-comes-in": [
    { says: /As if.*who looks must know the order/s, answer: () => ({ heads, input: "query" }) },
    { says: /As if.*what is copied says where it stood/s, answer: () => ({ heads, input: "value" }) },
    { says: /As if.*what no other prompt takes away/s, answer: () => ({ heads, input: "none" }) },
    { says: /input must be/, answer: () => ({ heads, input: "z" }) },
    { says: /heads must be a list/, answer: () => ({ input: "key" }) },
  ],
  "even-baseline": [
    { says: /As if.*no preference, no attention/s, answer: () => 0.0001 },
    { says: /As if.*every token sees the whole/s, answer: () => 3 / 11 },
    { says: /As if.*does not see itself/s, answer: () => (1 / 2 + 3 / 4 + 3 / 6) / 3 },
    { says: /As if.*BOS is a token like any other/s, answer: () => (2 / 3 + 3 / 5 + 3 / 7) / 3 },
    { says: /As if.*an opinion is a half/s, answer: () => 0.5 },
    { says: /As a share/, answer: () => 45.397 },
    { says: /It is not 0\.9/, answer: () => 0.9 },
    { says: /Give a number/, answer: () => "much" },
  ],
  "read-not-used": [
    { says: /As if.*what can be read is used.*There is one/s, answer: () => "none" },
    { says: /As if.*what can be read is used.*read \*and\* used/s, answer: () => "0.1" },
    { says: /As if.*not used = not read/s, answer: () => "2.2" },
    { says: /Give one head/, answer: () => "9.9" },
  ],
} as const satisfies Record<string, readonly WrongAnswer[]>;
