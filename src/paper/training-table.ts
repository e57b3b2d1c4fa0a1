import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../load/resolve";

/** Of `npm run training-table`: what notebook 12 reads instead of training. */
export const TRAINING_TABLE = join(dataFolder, "training", "checkpoints.json");

/** One model at one step of its training, measured. */
export interface TrainingRow {
  /** Which mix of texts it is trained on ("suffix", "plainer"), or the name of a committed checkpoint; "untrained": a run's step 0. */
  readonly mix: string;
  readonly seed: number;
  readonly step: number;
  /** The first twelve digits of the weights' SHA-256. */
  readonly weights: string;
  /** Letters 1, 2, 3: likeliest token of the whole vocabulary; right − largest wrong capital, in logits. */
  readonly accuracy: readonly number[];
  readonly logit_diff: readonly number[];
  /** After a wrong letter, see `meanWays`. */
  readonly looking_up: number;
  readonly counting: number;
  /** The point of the residual stream whose plane of means does most for the prompts to find with. */
  readonly site: string;
  /** Interchange accuracy there, on other prompts: of two words, of three in turn. */
  readonly plane: number;
  readonly turns: number;
  /** The head whose output at A(i−1) carries most of the words before, and what letter 2 or 3 loses without, in logits. */
  readonly head: string;
  readonly at_last_letter: number;
}

/** What a run has become at its last step. */
export interface EndRow {
  readonly mix: string;
  readonly seed: number;
  readonly step: number;
  /** Group by head, of those in one. */
  readonly groups: Readonly<Record<string, string>>;
  /** Interchange accuracy by planes of means, at each point of the residual stream and in the heads of several layers at once: of two words. */
  readonly planes: Readonly<Record<string, number>>;
  /** The same of all three words in turn. */
  readonly turns: Readonly<Record<string, number>>;
  /** Shares of right letters 1, 2, 3 if the words' tokens don't see these in layer 0; "BOS": in all layers. */
  readonly hidden: Readonly<Record<string, readonly number[]>>;
  /** Of all held-out prompts written greedily: letter 2 wrong after a right letter 1, and of these letter 3 wrong, too. */
  readonly letter_2_wrong: number;
  readonly letter_3_then_wrong: number;
}

export interface TrainingTable {
  readonly command: string;
  /** Prompts: of accuracies; of everything else; to find planes with. All with seed 0. */
  readonly n: { readonly behaviour: number; readonly tested: number; readonly found: number };
  /** Shares of the kinds of text, by mix; see the embedded model's card. The rest of the recipe is the embedded model's. */
  readonly mixes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly rows: readonly TrainingRow[];
  readonly ends: readonly EndRow[];
}

/** The committed table. */
export const trainingTable = (): TrainingTable => JSON.parse(readFileSync(TRAINING_TABLE, "utf8"));
