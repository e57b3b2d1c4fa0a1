import { readFileSync } from "node:fs";
import path from "node:path";
import { loadWeights, readConfig } from "../../src/load/load";
import type { HeadId } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { ACRONYMS, type AcronymTask } from "../../src/prompts/acronym-task";
import type { Prompts } from "../../src/prompts/task";

/** inputs.json of a fixture folder, as far as it is used. */
export interface Inputs {
  readonly clean_tokens: number[][];
  readonly answer_tokens: number[][];
  readonly corrupted_tokens: number[][];
  readonly letters: number[];
  readonly space_letters: number[];
  readonly n_cached_prompts: number;
  readonly iteration_clean_tokens: number[][];
  readonly iteration_corrupted_tokens: number[][];
  readonly iteration_corrupted_answers: number[][];
  readonly bos_swap_threshold: number;
  readonly swap_pairs: [number, number][];
  readonly path_receivers: { name: string; heads: [number, number][]; input: "q" | "k" | "v" }[];
  readonly path_senders: [number, number][];
  readonly heads_letter_movers: [number, number][];
  readonly heads_circuit_heads: [number, number][];
  readonly heads_fuzzy_previous: [number, number][];
  readonly heads_histogram: [number, number][];
}

/** One checkpoint with the inputs of every experiment on it. */
export interface Fixture {
  readonly raw: Model;
  readonly proc: Model;
  readonly inputs: Inputs;
  readonly prompts: Prompts<AcronymTask>;
  /** Prompts in one forward of an experiment. */
  readonly batch: number;
}

export const readJson = <T>(dir: string, name: string): T => JSON.parse(readFileSync(path.join(dir, name), "utf8"));

export const headIds = (pairs: readonly (readonly [number, number])[]): HeadId[] =>
  pairs.map(([layer, head]) => ({ layer, head }));

/** Doesn't hold all prompts, so that the comparison also holds the streaming to account. */
const BATCH = 4;

export function readFixture(dir: string, batch = BATCH): Fixture {
  const inputs = readJson<Inputs>(dir, "inputs.json");
  const config = readConfig(dir);
  const { clean_tokens: tokens, answer_tokens, letters } = inputs;
  const answerLetters = answer_tokens.map((row) => row.map((id) => letters.indexOf(id)));
  return {
    raw: loadWeights(dir, config, false),
    proc: loadWeights(dir, config, true),
    inputs,
    prompts: { task: ACRONYMS, tokens, answerLetters, letters },
    batch,
  };
}
