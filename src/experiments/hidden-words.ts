/** What is left of the task when the words' tokens may not see what tells them apart. */
import type * as tf from "@tensorflow/tfjs";
import type { Tokenizer } from "../load/tokenizer";
import { allHeads, checkHeads, type HeadId, headList } from "../model/heads";
import { edit, type Intervention } from "../model/hooks";
import { hideKeys } from "../model/interventions";
import type { Model } from "../model/model";
import { checkIndex } from "../numbers/check";
import { groupBy } from "../numbers/rows";
import type { AcronymDataset } from "../prompts/acronyms";
import { LETTERS, type Letter, position, wordPosition } from "../prompts/positions";
import { behaviour, summarise } from "./behaviour";
import type { StreamOptions } from "./measure";
import { partOf, reporter } from "./progress";

/** What a word's tokens see before them: what all prompts have, and the tokens of earlier words. */
export type SeenBefore = "BOS" | "The" | "earlier C" | "earlier T";

const KEYS: Readonly<Record<SeenBefore, (letter: Letter) => readonly number[]>> = {
  BOS: () => [position("BOS")],
  The: () => [position("The")],
  "earlier C": (letter) => earlier(letter),
  "earlier T": (letter) => earlier(letter).map((capital) => capital + 1),
};

/** C_1 … C_(i−1). */
const earlier = (letter: Letter): number[] => LETTERS.filter((one) => one < letter).map((one) => wordPosition(one));

/** Hides these from the queries of C_i and T_i, for every word i, in these heads. Throws a RangeError if there are no heads. */
export function hideFromWords(heads: readonly HeadId[], what: readonly SeenBefore[]): Intervention {
  const hidden = LETTERS.flatMap((letter) => {
    const keys = what.flatMap((one) => KEYS[one](letter));
    const [capital, rest] = [wordPosition(letter), wordPosition(letter) + 1];
    return [
      { query: capital, keys },
      { query: rest, keys },
    ];
  });
  return hideKeys(heads, hidden);
}

/** BOS becomes another token, so that none is left that only beginnings have. Throws a RangeError if the model lacks the token. */
export function replacedBos({ config, W_E }: Model, token: number): Intervention {
  checkIndex("token", token, config.d_vocab);
  const filler = (embedding: tf.Tensor3D): tf.Tensor3D =>
    W_E.slice([token, 0], [1, -1]).expandDims<tf.Tensor3D>(0).tile([embedding.shape[0], embedding.shape[1], 1]);
  return edit("hook_embed", filler, { pos: position("BOS") });
}

/** One thing that the words' tokens don't see any more. */
export interface Hiding {
  /** "BOS and The". */
  readonly hidden: string;
  /** "all heads", "layer 0", or the heads. */
  readonly from: string;
  readonly interventions: Intervention;
}

/**
 * What is worth hiding: what all prompts have, alone and together, and the earlier words' two tokens; from all heads, from those of
 * layer 0, or from some. First nothing, last BOS replaced by a token that can stand anywhere.
 * Throws a RangeError if the model lacks one of the heads or the token.
 * @param options `heads`: some to look at by themselves, default none; `filler`: the token
 */
export function wordHidings(
  model: Model,
  { heads = [], filler }: { readonly heads?: readonly HeadId[]; readonly filler: number },
): Hiding[] {
  checkHeads(model.config, heads);
  const every = allHeads(model.config);
  const places = { "all heads": every, "layer 0": every.filter(({ layer }) => layer === 0) };
  const own = heads.length > 0 ? { [headList(heads)]: heads } : {};
  const hide = (what: readonly SeenBefore[]): Hiding[] =>
    Object.entries({ ...places, ...own }).map(([from, heads]) => {
      return { hidden: what.join(" and "), from, interventions: hideFromWords(heads, what) };
    });
  return [
    { hidden: NOTHING, from: "–", interventions: [] },
    ...HIDDEN.flatMap(hide),
    { hidden: NO_BOS, from: "–", interventions: replacedBos(model, filler) },
  ];
}

const HIDDEN = [["BOS"], ["The"], ["BOS", "The"], ["earlier T"], ["earlier C"]] as const;
const NOTHING = "nothing";
const NO_BOS = "BOS is another token";

/** How a letter is predicted under one hiding. */
export interface HidingRow {
  readonly hidden: string;
  readonly from: string;
  readonly letter: Letter;
  /** Share of prompts with the right letter. */
  readonly accuracy: number;
  /** Mean, in logits. */
  readonly logit_diff: number;
}

/** How the task is done under each hiding: a row for each and each letter. Throws as `behaviour`. */
export async function hiddenBehaviour(
  model: Model,
  data: AcronymDataset,
  tokenizer: Tokenizer,
  hidings: readonly Hiding[],
  { progress, batch }: StreamOptions = {},
): Promise<HidingRow[]> {
  const report = reporter(progress);
  const rows: HidingRow[] = [];
  for (const [i, { hidden, from, interventions }] of hidings.entries()) {
    const options = { interventions, batch, progress: partOf(report, i, hidings.length) };
    const answers = summarise(await behaviour(model, data, tokenizer, options));
    rows.push(...answers.map(({ letter, accuracy, logit_diff }) => ({ hidden, from, letter, accuracy, logit_diff })));
  }
  return rows;
}

/** A row for each hiding: the share of prompts with the right letter, and the logit differences of letters 1 / 2 / 3. */
export const hidingTable = (rows: readonly HidingRow[]): Readonly<Record<string, string | number>>[] =>
  [...groupBy(rows, ({ hidden, from }) => `${hidden}, ${from}`).values()].map((own) => ({
    hidden: own[0].hidden,
    from: own[0].from,
    ...Object.fromEntries(own.map(({ letter, accuracy }) => [`letter ${letter}`, accuracy])),
    "logit differences": own.map(({ logit_diff }) => logit_diff.toFixed(2)).join(" / "),
  }));
