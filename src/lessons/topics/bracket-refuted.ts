/** The capstone's last stage: a hypothesis that fails. */
import { position } from "../../prompts/positions";
import { believes, type ExerciseContext, exercise, right, wrong } from "../exercise";
import { bracketDiffs, closes } from "./bracket";

/** When the bracket closes, by what is written after it: some of X, Y and Z, the initials of the three words. */
const BRACKET_HYPOTHESES: Readonly<Record<string, (written: string) => boolean>> = {
  "it closes after two letters": (written) => written.length >= 2,
  "it closes after three letters": (written) => written.length >= 3,
  "it closes unless the first word is written": (written) => !written.includes("X"),
  "it closes after the last word's letter": (written) => written.endsWith("Z"),
};

/** A prediction fails in so many prompts: then it is refuted, not just weakened. */
const REFUTES = 0.8;

/** The share of prompts that close after these letters. */
function closesAfter(written: string, { data, ...context }: ExerciseContext): number {
  const letters = Array.from(written, (letter) => "XYZ".indexOf(letter));
  const tokens = data.tokens.map((row, i) => [
    ...row.slice(0, position("(") + 1),
    ...letters.map((letter) => data.answers[i][letter]),
  ]);
  return closes(bracketDiffs({ ...context, data }, tokens));
}

const MISCONCEPTION = "what fits proves it";

export const bracketRefuted = exercise({
  id: "bracket-refuted",
  title: "One hypothesis refuted",
  difficulty: 3,
  minutes: 25,
  misconception: MISCONCEPTION,
  hints: [
    "A case that a hypothesis gets right is no test: others get it right, too. Ask of each hypothesis where it must fail if it is wrong.",
    "Write down for X, XY, XYZ, Y, YZ and Z what each of the four hypotheses predicts. Where do two of them differ?",
    "Measure the share that closes after each of them. A share near 0 where a hypothesis says that it closes, or near 1 where it says that it doesn't, refutes it.",
  ],
  truth: () => undefined,
  judge(answer, _, context) {
    const { hypothesis, written, closes: given } = (answer ?? {}) as Record<string, unknown>;
    if ([hypothesis, written, given].every((part) => part === undefined)) return { verdict: "unanswered" };
    const names = Object.keys(BRACKET_HYPOTHESES);
    if (typeof hypothesis !== "string" || !names.includes(hypothesis))
      return wrong(`hypothesis must be one of: ${names.map((name) => `"${name}"`).join(", ")}.`);
    if (typeof written !== "string" || !/^[XYZ]{1,4}$/.test(written))
      return wrong('written must be one to four of the letters X, Y and Z, such as "XY".');
    const share = closesAfter(written, context);
    const says = BRACKET_HYPOTHESES[hypothesis](written);
    const failing = says ? 1 - share : share;
    const facts = `After "(${written}" ${(100 * share).toFixed(0)}% close; "${hypothesis}" says that ${says ? "all" : "none"} do`;
    if (typeof given !== "number" || Math.abs(given - share) > 0.005)
      return wrong(
        `closes is ${String(given)}. Measure the share of prompts in which ) beats all capitals after "(${written}".`,
      );
    if (failing >= REFUTES) return right(`${facts}: refuted.`);
    if (failing <= 1 - REFUTES)
      return believes(
        MISCONCEPTION,
        `${facts}. It fits, so nothing is refuted, and nothing is proved: look where the hypothesis would have to fail.`,
      );
    return believes(
      "weakened = refuted",
      `${facts}. It fails in ${(100 * failing).toFixed(0)}%: as a rule it is shaken, but for some prompts it holds. Find a case in which it fails nearly always.`,
    );
  },
});
