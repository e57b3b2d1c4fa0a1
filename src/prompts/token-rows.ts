import type { Tokenizer } from "../load/tokenizer";
import { POSITIONS, type Position } from "./positions";

/** One token of one prompt, to be drawn. */
export interface TokenRow {
  /** What the prompt is called. */
  readonly prompt: string;
  readonly position: Position;
  /** The token's text, " K". */
  readonly token: string;
  /** 1 if another token stands here in the prompt compared with, else 0. */
  readonly changed: 0 | 1;
}

/**
 * Prompts token by token, marked where they differ from the first one.
 * Throws a RangeError naming the prompt that has another number of tokens.
 * @param prompts tokens by name, 11 positions each
 */
export function tokenRows(prompts: Readonly<Record<string, readonly number[]>>, tokenizer: Tokenizer): TokenRow[] {
  const first = Object.values(prompts)[0];
  return Object.entries(prompts).flatMap(([prompt, tokens]) => {
    if (tokens.length !== POSITIONS.length)
      throw new RangeError(`"${prompt}" has ${tokens.length} tokens, not the ${POSITIONS.length} of an acronym prompt`);
    const pieces = tokenizer.pieces(tokens);
    return POSITIONS.map((position, i) => ({
      prompt,
      position,
      token: pieces[i],
      changed: tokens[i] === first[i] ? 0 : 1,
    }));
  });
}
