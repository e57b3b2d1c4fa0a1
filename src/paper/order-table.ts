import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../load/resolve";

/** Of `npm run order-table`, which takes minutes: what notebook 10 reads instead of measuring it. */
export const ORDER_TABLE = join(dataFolder, "order", "checkpoints.json");

/** How well exchanging a part of an activation between words does what the causal model of notebook 10 predicts, in one checkpoint. */
export interface CheckpointRow {
  /** "embedded", "deep-0", "shallow-0"; "untrained": of the embedded model's shape. */
  readonly checkpoint: string;
  /** "resid_mid 0". */
  readonly site: string;
  /** The part and how it was found: "means, k = 2", "trained, k = 2", "wrong words, k = 2" (trained for these), "random, k = 2", "whole". */
  readonly found: string;
  /** Prompts, of words that the part was not found with. */
  readonly n: number;
  /** Interchange-intervention accuracy, mean over the exchanges of two words; of what was trained for wrong words, against these. */
  readonly iia: number;
  /** C1↔C2, C1↔C3, C2↔C3. */
  readonly each: readonly number[];
  /** Of all three words in turn, both ways round, which nothing was trained for. */
  readonly turns: number;
}

/** The committed table. */
export const checkpointTable = (): CheckpointRow[] => JSON.parse(readFileSync(ORDER_TABLE, "utf8"));
