/** A model whose files are in memory: a page in a browser has fetched them, or was given them. */
import type { Model } from "../model/model";
import { configOf } from "./config";
import { parseTable } from "./json";
import { modelFromCheckpoint } from "./process";
import { readSafetensors, WEIGHTS } from "./safetensors";
import { type Tokenizer, tokenizerOf } from "./tokenizer";
import { NO_TABLE, TABLES, VOCABULARY_FILES, vocabularyOf } from "./vocabulary";

export interface LoadedModel {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
}

/**
 * A model and its tokenizer from the files of a folder in Hugging Face's layout, by their names; the tfjs backend has to run.
 * Throws an Error naming the file if one is missing, damaged or of another architecture.
 * @param name what the model is called
 * @param options `processed`: see `loadModel`
 */
export function modelFromBytes(
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
  { processed = true } = {},
): LoadedModel {
  const bytes = (file: string): Uint8Array => {
    const found = files.get(file);
    if (!found) throw new Error(`${file} is missing; there is ${[...files.keys()].join(", ") || "no file"}`);
    return found;
  };
  const table = (file: string, what: string) => parseTable(new TextDecoder().decode(bytes(file)), file, what);
  const config = configOf(table("config.json", "table of settings"), "config.json", name);
  if (!TABLES.some((one) => files.has(one))) bytes(TABLES[0]);
  const there = VOCABULARY_FILES.filter((file) => files.has(file));
  const tokenizer = tokenizerOf(
    vocabularyOf(new Map(there.map((file) => [file, table(file, NO_TABLE)]))),
    config.d_vocab,
  );
  const weights = bytes(WEIGHTS);
  const read = (begin: number, length: number) => weights.slice(begin, begin + length);
  const checkpoint = readSafetensors({ name: WEIGHTS, size: weights.length, read, close: () => {} });
  return { model: modelFromCheckpoint(config, checkpoint, { processed }), tokenizer };
}
