import type { Exercise } from "./exercise";
import { breakTheModel, logitDiff } from "./topics/behaviour";
import { headSweep } from "./topics/head-sweep";
import { nothingAndEverything, patchTheLastLetter, whereTheWordCounts } from "./topics/patching";
import { lastToken, logitsToProbability, streamWidth } from "./topics/primer";
import { embeddingOrStream, evenAttention, queryKeyValue } from "./topics/reading";
import { attributeByHand, mattersButHardlyWrites, noisingOrDenoising } from "./topics/writing";

/** Every lesson's exercises, in their order. A new topic is a file in topics/ and a line here. */
export const TOPICS = {
  primer: [lastToken, streamWidth, logitsToProbability],
  behaviour: [breakTheModel, logitDiff],
  patching: [whereTheWordCounts, patchTheLastLetter, nothingAndEverything, headSweep],
  writing: [attributeByHand, noisingOrDenoising, mattersButHardlyWrites],
  reading: [queryKeyValue, embeddingOrStream, evenAttention],
} as const satisfies Record<string, readonly Exercise[]>;

export type Topic = keyof typeof TOPICS;

/** The ids of a topic's exercises. */
export type ExerciseId<T extends Topic = Topic> = (typeof TOPICS)[T][number]["id"];
