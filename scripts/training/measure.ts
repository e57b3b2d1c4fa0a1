/** What is measured of one model while it learns, and at the end. */
import { behaviour, summarise } from "../../src/experiments/behaviour";
import { forcedLetters, meanWays } from "../../src/experiments/forced-letters";
import { hiddenBehaviour, hideFromWords, replacedBos, type SeenBefore } from "../../src/experiments/hidden-words";
import { interchangeAccuracy } from "../../src/experiments/interchange";
import { EXCHANGES, TURNS } from "../../src/experiments/order-model";
import {
  headPoints,
  layersTogether,
  meansPlane,
  type OrderSite,
  placeMeans,
  residualPoints,
} from "../../src/experiments/order-sites";
import { headSite } from "../../src/experiments/patch-sites";
import { activationPatch } from "../../src/experiments/patching";
import { writeLetters } from "../../src/experiments/writing";
import { classifyHeads } from "../../src/groups/classify";
import { headEvidence } from "../../src/groups/evidence";
import type { Tokenizer } from "../../src/load/tokenizer";
import { allHeads, headName } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { range } from "../../src/numbers/lists";
import { meanBy } from "../../src/numbers/mean-by";
import { strongest, where } from "../../src/numbers/rows";
import { mean } from "../../src/numbers/statistics";
import type { EndRow, TrainingRow, TrainingTable } from "../../src/paper/training-table";
import { type AcronymDataset, distinctLetters, select } from "../../src/prompts/acronyms";
import { resample } from "../../src/prompts/corruption";
import { HELD_OUT, loadAcronyms, TRAIN } from "../../src/prompts/dataset";
import { lastLetterPosition } from "../../src/prompts/positions";

const SEED = 0;
export const SIZES = { behaviour: 500, tested: 100, found: 200 } as const;

/** The prompts of a measurement; held-out words but those to find planes with. */
export interface MeasuredOn {
  readonly tokenizer: Tokenizer;
  readonly all: AcronymDataset;
  readonly some: AcronymDataset;
  readonly tested: AcronymDataset;
  readonly found: AcronymDataset;
}

export function measuredOn(tokenizer: Tokenizer, sizes: TrainingTable["n"] = SIZES): MeasuredOn {
  const all = loadAcronyms(HELD_OUT, tokenizer, { seed: SEED });
  return {
    tokenizer,
    all,
    some: select(all, range(sizes.behaviour)),
    tested: distinctLetters(all, sizes.tested),
    found: distinctLetters(loadAcronyms(TRAIN, tokenizer, { seed: SEED }), sizes.found),
  };
}

export const round = (value: number) => Number(value.toFixed(4));

type Measured = Omit<TrainingRow, "mix" | "seed" | "step" | "weights">;

/** The columns of one row of the table that are measured; `planes` as `planesOf` finds them. */
export async function measureModel(model: Model, prompts: MeasuredOn, planes: readonly OrderSite[]): Promise<Measured> {
  const summary = summarise(await behaviour(model, prompts.some, prompts.tokenizer));
  const ways = meanWays(await forcedLetters(model, prompts.tested, { seed: SEED }));
  return {
    accuracy: summary.map(({ accuracy }) => round(accuracy)),
    logit_diff: summary.map(({ logit_diff }) => round(logit_diff)),
    looking_up: round(ways.looking_up),
    counting: round(ways.counting),
    ...(await bestPlane(model, prompts, planes)),
    ...(await headAtLastLetter(model, prompts.tested)),
  };
}

/** The plane of means at each point of the residual stream. */
export async function planesOf(model: Model, { found }: MeasuredOn) {
  const points = residualPoints(model.config);
  const means = await placeMeans(model, found, points);
  return points.map((point, p) => meansPlane(point, means[p]));
}

/** The plane of means that does most for half of the prompts it was found with, on others. */
async function bestPlane(
  model: Model,
  prompts: MeasuredOn,
  planes: readonly OrderSite[],
): Promise<Pick<TrainingRow, "site" | "plane" | "turns">> {
  const half = select(prompts.found, range(Math.ceil(prompts.found.prompts.length / 2)));
  const tried = await interchangeAccuracy(model, half, planes);
  const { site } = strongest(meanBy(tried, ["site"], "iia"), "iia");
  const best = planes.filter((plane) => plane.site === site);
  const rows = await interchangeAccuracy(model, prompts.tested, best, { exchanges: [...EXCHANGES, ...TURNS] });
  const accuracy = (moved: "two words" | "three in turn") => round(mean(where(rows, { moved }).map(({ iia }) => iia)));
  return { site, plane: accuracy("two words"), turns: accuracy("three in turn") };
}

async function headAtLastLetter(model: Model, data: AcronymDataset) {
  const rows = await activationPatch(model, data, {
    site: headSite("z", lastLetterPosition),
    corruption: "previous_words",
    corrupted: resample(data, SEED),
    letters: [2, 3],
  });
  const { layer, head, change } = rows.reduce((most, row) => (row.change < most.change ? row : most));
  return { head: headName({ layer, head }), at_last_letter: round(-change) };
}

/** What is measured at the end of a run; `planes` as `planesOf` finds them. */
export async function measureEnd(
  model: Model,
  prompts: MeasuredOn,
  planes: readonly OrderSite[],
): Promise<Omit<EndRow, "mix" | "seed" | "step">> {
  const { tested, all, tokenizer } = prompts;
  const draw = select(all, range(tested.prompts.length));
  const classified = classifyHeads(await headEvidence(model, draw, { corrupted: resample(draw, SEED) }));
  const members = classified.filter(({ group }) => group !== "none");
  const heads = headPoints(model.config);
  const spread = layersTogether(model.config, await placeMeans(model, prompts.found, heads));
  const accuracies = await interchangeAccuracy(model, tested, [...planes, ...spread], {
    exchanges: [...EXCHANGES, ...TURNS],
  });
  const moved = (what: "two words" | "three in turn") =>
    Object.fromEntries(
      meanBy(where(accuracies, { moved: what }), ["site"], "iia").map(({ site, iia }) => [site, round(iia)]),
    );
  const written = await writeLetters(model, all, { seed: SEED });
  const wrong = where(written, { letter: 2, before: "right", correct: false }).map(({ prompt }) => prompt);
  return {
    groups: Object.fromEntries(members.map((head) => [headName(head), head.group])),
    planes: moved("two words"),
    turns: moved("three in turn"),
    hidden: await hiddenShares(model, draw, tokenizer),
    letter_2_wrong: wrong.length,
    letter_3_then_wrong: where(written, { letter: 3, prompt: wrong, correct: false }).length,
  };
}

async function hiddenShares(model: Model, data: AcronymDataset, tokenizer: Tokenizer): Promise<EndRow["hidden"]> {
  const heads = allHeads(model.config);
  const first = heads.filter(({ layer }) => layer === 0);
  const hide = (own: typeof heads, ...what: SeenBefore[]) => hideFromWords(own, what);
  const hidings = {
    BOS: hide(heads, "BOS"),
    "BOS and The": hide(heads, "BOS", "The"),
    "BOS another token": replacedBos(model, tokenizer.id(",")),
    "earlier T": hide(first, "earlier T"),
    "earlier C": hide(first, "earlier C"),
  };
  const list = Object.entries(hidings).map(([hidden, interventions]) => ({ hidden, from: "", interventions }));
  const rows = await hiddenBehaviour(model, data, tokenizer, list);
  return Object.fromEntries(
    list.map(({ hidden }) => [hidden, where(rows, { hidden }).map(({ accuracy }) => round(accuracy))]),
  );
}
