import { behaviour, summarise } from "../../experiments/behaviour";
import type { LessonContext } from "../exercise";

/** A number for each of the three letters. */
export type Levels = readonly number[];

/** The letters' mean logit differences. */
export const levelsOf = async ({
  model,
  data,
  tokenizer,
}: Pick<LessonContext, "model" | "data" | "tokenizer">): Promise<Levels> =>
  summarise(await behaviour(model, data, tokenizer)).map((row) => row.logit_diff);

/** "5.96 / 7.63 / 8.37". */
export const listed = (levels: Levels): string => levels.map((value) => value.toFixed(2)).join(" / ");
