import { gpt2 } from "../../src/load/gpt2-encoding";
import { gpt2Tokenizer, REQUIRED_PIECES } from "../../src/load/tokenizer";
import { checkIndex } from "../../src/numbers/check";

/**
 * The part of GPT-2's vocabulary that these pieces need, as the table of a `vocab.json`.
 * `<|endoftext|>`, "A" … "Z" and " A" … " Z" are always in it. New ids follow the order of GPT-2's, whatever the order of the pieces.
 * @param pieces texts of single tokens (" K", "etchup"), or GPT-2 ids.
 * Throws UnknownTokenError if a text isn't one GPT-2 token; RangeError if an id isn't GPT-2's.
 */
export function pruneVocabulary(pieces: Iterable<string | number>): Record<string, number> {
  const whole = gpt2Tokenizer();
  const ids = new Set(REQUIRED_PIECES.map((piece) => whole.id(piece)));
  for (const piece of pieces) {
    if (typeof piece === "number") checkIndex("token id", piece, whole.vocabSize);
    ids.add(typeof piece === "number" ? piece : whole.id(piece));
  }
  const ordered = [...ids].sort((a, b) => a - b);
  return Object.fromEntries(ordered.map((id, index) => [gpt2().spelling(id), index]));
}
