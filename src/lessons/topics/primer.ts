/** Lesson 0: the words of the field, each with a number or two to hold on to. */
import { behaviour } from "../../experiments/behaviour";
import { forward } from "../../model/forward";
import { disposeRun, type ModelConfig } from "../../model/model";
import { extent } from "../../numbers/lists";
import { select } from "../../prompts/acronyms";
import { LETTERS, POSITIONS, position, readoutPosition } from "../../prompts/positions";
import { attempt, believes, exercise, right, type Verdict, wrong } from "../exercise";

const PARENTHESIS = "all letters are read at the parenthesis";

export const lastToken = exercise({
  id: "last-token",
  title: "The last token read",
  difficulty: 1,
  minutes: 2,
  misconception: PARENTHESIS,
  hints: [
    "The model goes from left to right, and at each token predicts the next one. Which token stands just before letter 2?",
    "Letter 1 is predicted at (, then it is written. Where is the model when it has to write letter 2?",
    "Look at the picture: letter 2 stands at A2, so it is predicted at A1. Write the text of the token under A1.",
  ],
  async truth({ model, data, tokenizer }) {
    const first = select(data, [0]);
    const pieces = tokenizer.pieces(first.tokens[0]);
    const [, { says }] = await behaviour(model, first, tokenizer);
    return { prompt: first.prompts[0], pieces, letters: first.acronyms[0], says };
  },
  judge(answer, { prompt, pieces, letters, says }) {
    if (typeof answer !== "string") return wrong(`Give the token's text, such as "The".`);
    const [letter1, letter2] = letters;
    const text = answer.replace(/␣/g, " ");
    if (text === letter1)
      return right(`${prompt}: when it has read everything up to ${letter1}, the model says ${says} next.`);
    if (text.trim() === letter1)
      return believes(
        "a space is no part of a token",
        `"${text}" with its space is the token at C1 and another one than "${letter1}": the model knows the two by different numbers.`,
      );
    if (text.trim() === "(")
      return believes(
        PARENTHESIS,
        `Only letter 1 is. Once ${letter1} is written it is read, too, and letter 2 is predicted there.`,
      );
    if (text === letter2)
      return believes("the model sees what it predicts", `${letter2} is what has to be predicted: it is not read yet.`);
    if (/^[CTA]\d$/.test(text))
      return wrong(`${text} is the name of a position. Which token stands at the one you mean?`);
    if (pieces.slice(position("C2"), position("C3")).join("").includes(text.trim()))
      return believes(
        "it goes back to the word",
        "The model never goes back: it reads from left to right. What it needs of an earlier word, attention fetches to where it is now.",
      );
    return wrong(`"${answer}" is not it. The tokens of this prompt are ${pieces.map((one) => `"${one}"`).join(", ")}.`);
  },
});

export const streamWidth = exercise({
  id: "stream-width",
  title: "How wide is the stream?",
  difficulty: 1,
  minutes: 2,
  misconception: "the stream grows from layer to layer",
  hints: [
    "Its first value is the embedding, and whatever a layer writes is added to it, number by number. What does adding do to the length of a list?",
    "The last axis of hook_resid_pre is called d_model. Look at the table of activations, or into model.config.",
  ],
  truth: ({ model }) => model.config,
  judge(answer, config) {
    if (typeof answer !== "number" || !Number.isInteger(answer)) return wrong("Give a whole number.");
    const { d_model } = config;
    if (answer === d_model)
      return right(`${d_model} numbers at each position: before the first layer, after the last, and between them.`);
    return mistakenWidth(answer, config) ?? wrong(`It is not ${answer}. Which axis of hook_resid_pre is it?`);
  },
});

/** What a wrong width shows. */
function mistakenWidth(answer: number, config: ModelConfig): Verdict | undefined {
  const { d_model, d_head, d_mlp, d_vocab, n_layers } = config;
  // GPT-2's MLP is four times as wide as the stream, and this may be as many layers
  const twice =
    d_mlp === n_layers * d_model
      ? ` (As many as ${n_layers} times ${d_model}, but layers add, they don't append.)`
      : "";
  if (answer === 1)
    return believes("a token is one number", "Its id is, but only to look up the list of numbers that stands for it.");
  if (answer === d_head)
    return believes("a head's width", `${d_head} is d_head: what one head carries before it writes to the stream.`);
  if (answer === d_mlp)
    return believes("the MLP's width", `${d_mlp} is d_mlp: the MLP is that wide inside, and writes back less.${twice}`);
  if (answer === d_vocab)
    return believes("one number for each token", `${d_vocab} is d_vocab: so many logits come out at the end.`);
  if (answer === POSITIONS.length * d_model)
    return believes(
      "the prompt shares one stream",
      `These are all ${POSITIONS.length} positions together; each has a list of its own.`,
    );
  if (answer > d_model && answer % d_model === 0)
    return believes(
      streamWidth.misconception,
      "Layers add to the stream, number by number; they don't append. Ask for the shape of hook_resid_pre in two layers.",
    );
}

/** Prompts whose logits a student's function is tried on. */
const PROMPTS = 3;

/** One list of logits, and the token whose probability is asked for. */
interface Case {
  readonly logits: readonly number[];
  readonly token: number;
  readonly what: string;
}

export const logitsToProbability = exercise({
  id: "logits-to-probability",
  title: "From logits to a probability",
  difficulty: 2,
  minutes: 5,
  misconception: "a logit is a share",
  hints: [
    "Two things are wanted: a probability is never below 0, and those of all tokens add up to 1. Math.exp makes any number positive.",
    "First e to the power of each logit; then ask what share of the sum is the token's.",
    "Math.exp(logits[token]) divided by the sum of Math.exp(logit) over all logits.",
  ],
  truth({ model, data }) {
    const tokens = data.tokens.slice(0, PROMPTS);
    const vocab = Array.from({ length: model.config.d_vocab }, (_, token) => token);
    const run = forward(model, tokens, {
      readout: { positions: LETTERS.map((letter) => readoutPosition(letter)), vocab },
    });
    const logits = run.logits.arraySync();
    disposeRun(run);
    return tokens.flatMap((_, prompt) =>
      LETTERS.flatMap((letter) => cases(logits[prompt][letter - 1], prompt, letter)),
    );

    function cases(own: readonly number[], prompt: number, letter: number): Case[] {
      const answer = data.answers[prompt][letter - 1];
      const least = own.indexOf(extent(own)[0]);
      const what = `letter ${letter} of ${data.prompts[prompt]}`;
      return [
        { logits: own, token: answer, what: `${what}, its right token` },
        { logits: own, token: least, what: `${what}, an unlikely token` },
      ];
    }
  },
  judge(answer, cases) {
    if (typeof answer !== "function") return wrong("probability must be a function of logits and a token's index.");
    const values = attempt(() => cases.map(({ logits, token }) => answer([...logits], token) as unknown));
    if ("problem" in values) return wrong(`Your function stops with an error: ${values.problem}.`);
    if (values.given.every((value) => value === undefined)) return { verdict: "unanswered" };
    return judgeProbabilities(values.given, cases);
  },
});

type Rule = (logits: readonly number[], token: number) => number;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The largest logit is taken off first: the same share, and no number too large. */
const softmax: Rule = (logits, token) => {
  const [, largest] = extent(logits);
  return Math.exp(logits[token] - largest) / sum(logits.map((logit) => Math.exp(logit - largest)));
};

/** What one may write instead, and what it shows. */
const MISTAKES: readonly { readonly of: Rule; readonly misconception: string; readonly why: string }[] = [
  {
    of: (logits, token) => logits[token] / sum(logits),
    misconception: "a logit is a share",
    why: "Logits can be below 0, and then so are these shares. Only after Math.exp are they all positive.",
  },
  {
    of: (logits, token) => Math.exp(logits[token]),
    misconception: "a logit alone says how likely",
    why: "This can be above 1, and grows if the same number is added to all logits, which changes nothing of what the model says. Divide by what all tokens together have.",
  },
  {
    of: (logits, token) => 1 / (1 + Math.exp(-logits[token])),
    misconception: "each token is judged by itself",
    why: "This is the sigmoid, for a yes or no. Here all tokens share one probability of 1: if another token's logit rises, this one must get less.",
  },
  {
    of: (logits, token) => Math.log(softmax(logits, token)),
    misconception: "a logarithm of a probability is a probability",
    why: "This is the probability's logarithm, never above 0. Leave the logarithm out.",
  },
  {
    of: (logits, token) => (logits[token] === extent(logits)[1] ? 1 : 0),
    misconception: "the likeliest token is certain",
    why: "This gives everything to the largest logit. The others have less, but not nothing.",
  },
  {
    of: (logits, token) => Math.exp(logits[token]) / Math.exp(extent(logits)[1]),
    misconception: "compared with the largest is enough",
    why: "So the likeliest token always has 1, however close the others are. Divide by the sum over all tokens.",
  },
];

/** The same formula in another order, in double precision: small probabilities count as much as large ones. */
const same = (a: unknown, b: number) => typeof a === "number" && Math.abs(a - b) <= 1e-6 * Math.abs(b);

function judgeProbabilities(values: readonly unknown[], cases: readonly Case[]): Verdict {
  const equals = (of: Rule) => values.every((value, i) => same(value, of(cases[i].logits, cases[i].token)));
  if (equals(softmax)) {
    const [{ logits, token, what }] = cases;
    return right(
      `For ${what}, a logit of ${logits[token].toFixed(2)} becomes ${(100 * softmax(logits, token)).toFixed(2)}%. This is the softmax; attention uses the same formula.`,
    );
  }
  const mistake = MISTAKES.find(({ of }) => equals(of));
  if (mistake) return believes(mistake.misconception, mistake.why);
  const i = values.findIndex((value, at) => !same(value, softmax(cases[at].logits, cases[at].token)));
  const { logits, token, what } = cases[i];
  return wrong(
    `For ${what}, your function gives ${String(values[i])}; the probability is ${softmax(logits, token).toPrecision(3)}.`,
  );
}
