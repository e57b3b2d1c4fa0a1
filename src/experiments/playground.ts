import { forward } from "../model/forward";
import type { Intervention } from "../model/hooks";
import { disposeRun, type Model, type Run } from "../model/model";
import type { AcronymDataset } from "../prompts/acronyms";
import { LETTERS, type Letter } from "../prompts/positions";
import { letterLogitDiff, letterReadout } from "./logit-difference";

/** What a model says at one letter of one prompt. */
export interface Said {
  readonly prompt: string;
  readonly letter: Letter;
  /** The right capital. */
  readonly right: string;
  /** The likeliest of the 26 capitals. */
  readonly says: string;
  /** Of that capital, among the 26. */
  readonly probability: number;
  /** Right capital − largest of the 25 others, in logits. */
  readonly logit_diff: number;
}

/** What is read of a run, which is freed. */
function read(run: Run, { answerLetters }: AcronymDataset) {
  try {
    return { diffs: letterLogitDiff(run.logits, answerLetters), logits: run.logits.arraySync() };
  } finally {
    disposeRun(run);
  }
}

/** The capitals that a model writes for each prompt, as it is or under an intervention. @throws RangeError if a logit is not finite */
export function say(model: Model, data: AcronymDataset, interventions: Intervention = []): Said[] {
  const run = forward(model, data.tokens, { interventions, readout: letterReadout(data) });
  const { logits, diffs } = read(run, data);
  return data.prompts.flatMap((prompt, i) =>
    LETTERS.map((letter, j) => {
      const largest = Math.max(...logits[i][j]);
      const total = logits[i][j].reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
      const says = String.fromCharCode("A".charCodeAt(0) + logits[i][j].indexOf(largest));
      return { prompt, letter, right: data.acronyms[i][j], says, probability: 1 / total, logit_diff: diffs[i][j] };
    }),
  );
}
