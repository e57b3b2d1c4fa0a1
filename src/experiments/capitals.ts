/** What a model gives to every capital where a letter is read. */
import { mean } from "../numbers/statistics";
import { capitalAt, type Letter } from "../prompts/acronym-task";
import type { LetterRow } from "./behaviour";

/** What a capital is in a prompt, seen from one of the acronym's letters. */
export type CapitalRole = "right letter" | "letter already written" | "letter still to come" | "not in the acronym";

/** One capital's logit at one letter of one prompt. */
export interface CapitalRow<L extends number = Letter> {
  readonly prompt: string;
  readonly letter: L;
  /** The right letter, "K". */
  readonly right: string;
  readonly capital: string;
  readonly role: CapitalRole;
  /** Logit − mean over the 26 capitals. */
  readonly relative_logit: number;
}

/** The 26 capitals of every row, each with its part in the prompt. */
export function capitalRows<L extends number = Letter>(rows: readonly LetterRow<L>[]): CapitalRow<L>[] {
  return rows.flatMap(({ prompt, acronym, letter, right, letter_logits }) => {
    const middle = mean(letter_logits);
    return letter_logits.map((logit, i) => {
      const capital = capitalAt(i);
      const role = roleOf(capital, acronym, letter);
      return { prompt, letter, right, capital, role, relative_logit: logit - middle };
    });
  });
}

/** Of every row the capital that comes closest to the right one, or beats it: the likeliest of the 25 wrong ones. */
export function bestWrongCapitals<L extends number = Letter>(rows: readonly LetterRow<L>[]): CapitalRow<L>[] {
  return rows.map((row) => {
    const wrong = capitalRows([row]).filter(({ role }) => role !== "right letter");
    return wrong.reduce((best, next) => (next.relative_logit > best.relative_logit ? next : best));
  });
}

function roleOf(capital: string, acronym: string, letter: number): CapitalRole {
  if (capital === (acronym[letter - 1] ?? ")")) return "right letter"; // after the last letter the bracket closes
  if (acronym.slice(0, letter - 1).includes(capital)) return "letter already written";
  return acronym.slice(letter).includes(capital) ? "letter still to come" : "not in the acronym";
}
