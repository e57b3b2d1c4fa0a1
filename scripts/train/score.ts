/** How much of the paper's circuit a trained model shows, as numbers: the search's score. */

import { evaluateCircuits } from "../../src/experiments/circuit-evaluation";
import { swapEffects, WORD_PAIRS } from "../../src/experiments/word-swaps";
import { type Classified, classifyHeads, headsOf } from "../../src/groups/classify";
import { headEvidence } from "../../src/groups/evidence";
import { allHeads, headName } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { range } from "../../src/numbers/lists";
import { mean } from "../../src/numbers/statistics";
import type { AcronymDataset } from "../../src/prompts/acronyms";
import { permuteTokens } from "../../src/prompts/corruption";
import { LETTERS } from "../../src/prompts/positions";
import { unhashed } from "../build-data/unhashed";

/** Each part is 0 … 1 except the head lists; the score is their sum. */
export interface Score {
  readonly letter_movers: string;
  readonly propagation: string;
  readonly fuzzy_previous_token: string;
  /** Mean copying of the letter movers. */
  readonly copying: number;
  /** What removing the strongest propagation head at A(i−1) costs, of what GPT-2's 5.8 costs (0.32). */
  readonly passes_on: number;
  /** What the strongest fuzzy previous-token head costs, of a fifth of the clean logit difference. */
  readonly tells_words: number;
  /** What exchanging attention to BOS adds to exchanging position embeddings: share of the clean logit difference lost. */
  readonly bos: number;
  /** Share of the clean logit difference that the classified heads alone restore, of the letter they restore least. */
  readonly restored: number;
  readonly score: number;
}

const GPT2_PROPAGATION = 0.32;
const FUZZY = 0.2;
const within01 = (x: number) => Math.min(1, Math.max(0, x));

export async function scoreModel(model: Model, data: AcronymDataset, seed: number): Promise<Score> {
  const { shuffle } = unhashed(seed);
  const rows = range(data.tokens.length);
  const corrupted = permuteTokens(data.tokens, { words: shuffle(rows), letters: shuffle(rows) });
  const classified = classifyHeads(await headEvidence(model, data, { corrupted }));
  const heads = (group: Exclude<Classified["group"], "none">) => classified.filter((head) => head.group === group);
  const strongest = (group: "propagation" | "fuzzy previous token", effect: (head: Classified) => number) =>
    Math.max(0, ...heads(group).map(effect));
  const circuits = [headsOf(classified, "circuit"), allHeads(model.config)];
  const levels = await evaluateCircuits(model, data, circuits, { corrupted });
  const clean = (letter: number) => levels.find((row) => row.circuit === 1 && row.letter === letter)!.logit_diff;
  const restored = levels.filter(({ circuit }) => circuit === 0).map((row) => row.logit_diff / clean(row.letter));
  const movers = heads("letter mover").map(({ copying }) => copying!);
  const parts = {
    copying: movers.length > 0 ? mean(movers) : 0,
    passes_on: within01(strongest("propagation", (head) => head.at_last_letter!) / GPT2_PROPAGATION),
    tells_words: within01(strongest("fuzzy previous token", (head) => Math.max(head.at_word!, head.ordinal!)) / FUZZY),
    bos: within01(await bosShare(model, data, clean)),
    restored: within01(Math.min(...restored)),
  };
  const list = (group: Exclude<Classified["group"], "none">) => headsOf(classified, group).map(headName).join(" ");
  return {
    letter_movers: list("letter mover"),
    propagation: list("propagation"),
    fuzzy_previous_token: list("fuzzy previous token"),
    ...parts,
    score: Object.values(parts).reduce((a, b) => a + b, 0),
  };
}

/** Mean over word pairs and letters of what swapping BOS attention of all heads adds to swapping positions. */
async function bosShare(model: Model, data: AcronymDataset, clean: (letter: number) => number): Promise<number> {
  const bosHeads = allHeads(model.config);
  const swaps = WORD_PAIRS.flatMap((pair) => [
    { pair, positions: true },
    { pair, positions: true, bosHeads },
  ]);
  const rows = await swapEffects(model, data, swaps);
  const lost = (both: boolean, letter: number) =>
    mean(
      rows
        .filter((row) => row.letter === letter && (row.swap === "Swap POS+BOS") === both)
        .map(({ change }) => -change / clean(letter)),
    );
  return mean(LETTERS.map((letter) => lost(true, letter) - lost(false, letter)));
}
