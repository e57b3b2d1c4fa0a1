import type { Tokenizer } from "../load/tokenizer";
import { ACRONYMS, type AcronymTask, type Position } from "./acronym-task";
import { checkLength, type PositionOf, type Task } from "./task";

/** One token of one prompt, to be drawn. */
export interface TokenRow<P extends string = Position> {
  /** What the prompt is called. */
  readonly prompt: string;
  readonly position: P;
  /** The token's text, " K". */
  readonly token: string;
  /** 1 if another token stands here in the prompt compared with, else 0. */
  readonly changed: 0 | 1;
}

/**
 * Prompts token by token, marked where they differ from the first one.
 * Throws a RangeError naming the prompt that has another number of tokens.
 * @param prompts tokens by name, one for each position of the task
 * @param task whose prompts these are; acronyms of three letters if not given
 */
export function tokenRows<T extends Task = AcronymTask>(
  prompts: Readonly<Record<string, readonly number[]>>,
  tokenizer: Tokenizer,
  task: T = ACRONYMS as Task as T,
): TokenRow<PositionOf<T>>[] {
  const first = Object.values(prompts)[0];
  return Object.entries(prompts).flatMap(([prompt, tokens]) => {
    checkLength(task, `"${prompt}"`, tokens);
    const pieces = tokenizer.pieces(tokens);
    return task.positions.map((position, i) => ({
      prompt,
      position,
      token: pieces[i],
      changed: tokens[i] === first[i] ? 0 : 1,
    }));
  });
}
