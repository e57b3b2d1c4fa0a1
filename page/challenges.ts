/** What a reader may try: each is judged by what the model really says. */
import type { Letters } from "./engine";
import { isExchange, type State } from "./state";

export interface Challenge {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  /** Whether what is done is of the kind that is asked for. */
  fits(state: State, heads: number): boolean;
  /** Whether it does what is asked for: which letters are right, before and after. */
  done(before: readonly boolean[], after: readonly boolean[]): boolean;
}

const nothingElse = ({ alike, exchange, direction }: State) =>
  !alike && !isExchange(exchange) && direction === "noising";

export const CHALLENGES: readonly Challenge[] = [
  {
    id: "flip",
    title: "Flip letter 2, and no other, with one patch",
    hint: "Where does the model still keep the second word, and where has its letter been read already?",
    fits: (state) => nothingElse(state) && state.patches.length === 1 && state.off.length === 0,
    done: (_, after) => after[0] && !after[1] && after[2],
  },
  {
    id: "lose",
    title: "Switch off two heads so that only letter 3 is lost",
    hint: "Which heads look at the third word from A2? Point at a head to see where it looks.",
    fits: (state) => nothingElse(state) && state.patches.length === 0 && state.off.length === 2,
    done: (_, after) => after[0] && after[1] && !after[2],
  },
  {
    id: "six",
    title: "Keep all three letters with six heads",
    hint: "Switch all others off. The circuit has more than six: which of them can stand in for others?",
    fits: (state, heads) => nothingElse(state) && state.patches.length === 0 && state.off.length >= heads - 6,
    done: (_, after) => after.every(Boolean),
  },
];

export type Verdict = "done" | "tried" | "open";

/** Whether a challenge is met, tried with the right means, or not begun. A prompt that the model gets wrong untouched meets none. */
export function judge(
  { fits, done }: Challenge,
  state: State,
  { before, after }: Pick<Letters, "before" | "after">,
  heads: number,
): Verdict {
  if (!fits(state, heads)) return "open";
  const right = (rows: Letters["before"]) => rows.map((row) => row.says === row.right);
  const [was, is] = [right(before), right(after)];
  return was.every(Boolean) && done(was, is) ? "done" : "tried";
}
