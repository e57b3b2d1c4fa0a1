import path from "node:path";
import { LIMIT, readTable, statOf } from "./files";
import { requireFile } from "./folder";
import { type Tokenizer, tokenizerOf } from "./tokenizer";
import { NO_TABLE, TABLES, VOCABULARY_FILES, vocabularyOf } from "./vocabulary";

/**
 * The tokenizer of a Hugging Face folder: its `vocab.json`, full or pruned, else the table in `tokenizer.json`; with the added tokens that
 * these, added_tokens.json and tokenizer_config.json name.
 * Throws an Error if there is no table, a file isn't JSON, or the table is refused by `vocabTokenizer`; the message names the file.
 * @param rows of the model's embedding: `vocab_size` in config.json
 */
export function loadTokenizer(dir: string, rows?: number): Tokenizer {
  requireFile(dir, ...TABLES);
  const where = (name: string) => path.join(dir, name);
  const there = VOCABULARY_FILES.filter((name) => statOf(where(name)) !== undefined);
  const content = there.map((name) => [name, readTable(where(name), LIMIT.vocabulary, NO_TABLE)] as const);
  return tokenizerOf(vocabularyOf(new Map(content), where), rows);
}
