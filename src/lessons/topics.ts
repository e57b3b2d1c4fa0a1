import type { Exercise } from "./exercise";
import { breakTheModel, logitDiff } from "./topics/behaviour";
import { bracketBehaviour } from "./topics/bracket-behaviour";
import { bracketFinder } from "./topics/bracket-finder";
import { bracketMap } from "./topics/bracket-map";
import { bracketRefuted } from "./topics/bracket-refuted";
import { bracketSeeds } from "./topics/bracket-seeds";
import { bracketSufficient } from "./topics/bracket-sufficient";
import { fewestHeadsContest } from "./topics/fewest-heads";
import { headSweep } from "./topics/head-sweep";
import { figureFive } from "./topics/is-it-real";
import { downAndUp, evenBaseline, readNotUsed, whereOrderComesIn } from "./topics/notebooks";
import { nothingAndEverything, patchTheLastLetter, whereTheWordCounts } from "./topics/patching";
import { lastToken, logitsToProbability, streamWidth } from "./topics/primer";
import { embeddingOrStream, evenAttention, queryKeyValue } from "./topics/reading";
import { secondAblation } from "./topics/second-ablation";
import { attributeByHand, mattersButHardlyWrites, noisingOrDenoising } from "./topics/writing";

/** Every lesson's exercises, in their order. A new topic is a file in topics/ and a line here. */
export const TOPICS = {
  primer: [lastToken, streamWidth, logitsToProbability],
  behaviour: [breakTheModel, logitDiff],
  patching: [whereTheWordCounts, patchTheLastLetter, nothingAndEverything, headSweep],
  writing: [attributeByHand, noisingOrDenoising, mattersButHardlyWrites],
  reading: [queryKeyValue, embeddingOrStream, evenAttention],
  circuit: [secondAblation, fewestHeadsContest, figureFive],
  capstone: [bracketBehaviour, bracketMap, bracketFinder, bracketSufficient, bracketSeeds, bracketRefuted],
  notebooks: [downAndUp, whereOrderComesIn, evenBaseline, readNotUsed],
} as const satisfies Record<string, readonly Exercise[]>;

export type Topic = keyof typeof TOPICS;

/** The ids of a topic's exercises. */
export type ExerciseId<T extends Topic = Topic> = (typeof TOPICS)[T][number]["id"];
