/** The capstone's first stage: prompts and a number. */
import type { Tokens } from "../../model/model";
import { mean } from "../../numbers/statistics";
import { attempt, believes, exercise, right, type Verdict, wrong } from "../exercise";
import { bracketDiffs, bracketLogits, bracketPrompts, closes } from "./bracket";

interface Said {
  readonly diffs: readonly number[];
  /** What one may write instead, by the misconception that it shows. */
  readonly mistakes: readonly { readonly values: readonly number[]; readonly shows: string; readonly why: string }[];
}

export const bracketBehaviour = exercise({
  id: "bracket-behaviour",
  title: "Prompts and a number",
  difficulty: 1,
  minutes: 20,
  misconception: "any contrast will do",
  hints: [
    "data.tokens has eleven positions; the last two are A1 and A2. data.answers has the tokens of X, Y and Z. Keep the first nine positions, and put two letters behind them.",
    'The model closes the bracket when ")" beats every capital. Read the logits of tokenizer.id(")") and of data.letters at position 10 with forward\'s readout.',
    "readout: { positions: [10], vocab: [bracket, ...data.letters] } gives logits [prompt, 1, 27]; of each prompt take the first minus the largest of the others.",
  ],
  truth({ model, tokenizer, data }) {
    const prompts = bracketPrompts(data);
    const said = (tokens: Tokens): Said => {
      const logits = bracketLogits({ model, tokenizer, data }, tokens);
      const diffs = bracketDiffs({ model, tokenizer, data }, tokens);
      const of = (values: (row: readonly number[], prompt: number) => number) => logits.map(values);
      return {
        diffs,
        mistakes: [
          {
            values: of(([bracket, ...letters], i) => bracket - letters[data.answerLetters[i][2]]),
            shows: "any contrast will do",
            why: "This is ) − Z. Where the bracket should close, Z has just been written: another letter may be the real rival. Compare with the largest capital.",
          },
          {
            values: of(([bracket, ...letters]) => bracket - mean(letters)),
            shows: "any contrast will do",
            why: "This is ) − mean of the capitals: it can be above 0 while a letter wins.",
          },
          {
            values: diffs.map((diff) => -diff),
            shows: "the sign is a matter of taste",
            why: "This is largest capital − ). Here above 0 means that it closes.",
          },
          {
            values: of(([bracket]) => bracket),
            shows: "a logit alone says how sure the model is",
            why: "This is the logit of ) alone. Only differences mean something.",
          },
        ],
      };
    };
    return { prompts, closing: said(prompts.closing), goingOn: said(prompts.goingOn) };
  },
  async judge(answer, { prompts, closing, goingOn }) {
    const given = (answer ?? {}) as Record<string, unknown>;
    if (given.closing === undefined && given.goingOn === undefined) return { verdict: "unanswered" };
    const verdict =
      judgeTokens("closing", given.closing, prompts.closing) ?? judgeTokens("goingOn", given.goingOn, prompts.goingOn);
    if (verdict) return verdict;
    if (typeof given.bracketDiff !== "function")
      return wrong(
        "The prompts are right. bracketDiff must be a function of tokens that gives a number for each prompt.",
      );
    for (const [tokens, said] of [[prompts.closing, closing] as const, [prompts.goingOn, goingOn] as const]) {
      const measured = attempt(() => (given.bracketDiff as (tokens: number[][]) => unknown)(structuredClone(tokens)));
      if ("problem" in measured) return wrong(`bracketDiff stops with an error: ${measured.problem}.`);
      const values = await measured.given;
      if (values === undefined) return { verdict: "unanswered" };
      const refused = judgeValues(values, said);
      if (refused) return refused;
    }
    const share = (diffs: readonly number[]) => `${(100 * closes(diffs)).toFixed(0)}% (mean ${mean(diffs).toFixed(2)})`;
    return right(`It closes ${share(closing.diffs)} of "… (YZ" and ${share(goingOn.diffs)} of "… (XY".`);
  },
});

const ENDS = { closing: "(YZ", goingOn: "(XY" };

function judgeTokens(name: keyof typeof ENDS, given: unknown, truth: Tokens): Verdict | undefined {
  const rows: unknown[] = Array.isArray(given) ? given : [];
  if (rows.length !== truth.length || !rows.every((row) => Array.isArray(row)))
    return wrong(`${name} must be the tokens of ${truth.length} prompts that end in "${ENDS[name]}".`);
  const same = (rows as number[][]).every((row, i) => String(row) === String(truth[i]));
  if (same) return undefined;
  const longer = (rows as number[][]).find((row) => row.length !== truth[0].length);
  if (longer)
    return believes(
      "one more letter makes no difference",
      `${name} has a prompt of ${longer.length} tokens. "(XYZ" closes, too, but it has one position more than "(XY": then two things differ, and no activation of one run has its place in the other. Take two prompts of eleven.`,
    );
  return wrong(
    `${name} holds other tokens than "The X Y Z ${ENDS[name]}": the first nine as they are, then two letters.`,
  );
}

function judgeValues(given: unknown, { diffs, mistakes }: Said): Verdict | undefined {
  const is = (values: readonly number[]) =>
    Array.isArray(given) &&
    given.length === values.length &&
    given.every((value, i) => Math.abs(value - values[i]) < 1e-3);
  if (is(diffs)) return undefined;
  const mistake = mistakes.find(({ values }) => is(values));
  if (mistake) return believes(mistake.shows, mistake.why);
  const first = Array.isArray(given) ? given[0] : given;
  return wrong(
    `bracketDiff gives ${String(first)} for the first prompt; ) − largest capital at A2 is ${diffs[0].toFixed(3)}.`,
  );
}
