/**
 * The table of notebook 10: where the place of a word can be exchanged, in three trained checkpoints and in an untrained one.
 *
 *     npm run order-table            writes data/order/checkpoints.json (about twenty minutes on two cores)
 *     npm run order-table -- FILE    writes it somewhere else, to compare; only some checkpoints if they are named, too
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { alignedSubspace } from "../../src/experiments/alignment-search";
import { type InterchangeRow, interchangeAccuracy } from "../../src/experiments/interchange";
import {
  EXCHANGES,
  nextWords,
  type Places,
  type Prediction,
  shiftedWords,
  TURNS,
} from "../../src/experiments/order-model";
import {
  activationSite,
  type OrderPoint,
  partsOf,
  placeMeans,
  residualPoints,
} from "../../src/experiments/order-sites";
import { loadModel } from "../../src/load/load";
import { dataFolder } from "../../src/load/resolve";
import { untrained } from "../../src/load/untrained";
import type { Model } from "../../src/model/model";
import { checkOneOf } from "../../src/numbers/check";
import { mean } from "../../src/numbers/statistics";
import { WRONG } from "../../src/paper/findings/order";
import { type CheckpointRow, ORDER_TABLE } from "../../src/paper/order-table";
import { type AcronymDataset, distinctLetters } from "../../src/prompts/acronyms";
import { loadAcronyms } from "../../src/prompts/dataset";
import { writeWhole } from "../../src/show/whole-file";

const [SEED, N, FOUND_ON, STEPS] = [0, 200, 256, 60];
/** Of each: how many directions are searched for. */
const CHECKPOINTS: Readonly<Record<string, readonly number[]>> = {
  embedded: [1, 2, 4],
  "deep-0": [2],
  "shallow-0": [2],
  untrained: [2],
};

interface Prompts {
  readonly found: AcronymDataset;
  readonly tested: AcronymDataset;
}

/** Mean over exchanges of a site's rows, the three pairs and the two turns apart. */
function summed(checkpoint: string, rows: readonly InterchangeRow[]): CheckpointRow {
  const part = (from: number, to: number) => round(mean(rows.slice(from, to).map(({ iia }) => iia)));
  const [{ site, part: found, n }] = rows;
  return {
    checkpoint,
    site,
    found,
    n,
    iia: part(0, 3),
    each: rows.slice(0, 3).map(({ iia }) => round(iia)),
    turns: part(3, 5),
  };
}

const round = (value: number) => Number(value.toFixed(4));

/** Each point's parts that nothing was trained for, then those that were. */
async function rowsOf(checkpoint: string, model: Model, { found, tested }: Prompts): Promise<CheckpointRow[]> {
  const points = residualPoints(model.config);
  const means = await placeMeans(model, found, points);
  const rows: CheckpointRow[] = [];
  const measure = async (
    site: Parameters<typeof interchangeAccuracy>[2][number],
    predict: (places: Places) => Prediction,
  ) => {
    const measured = await interchangeAccuracy(model, tested, [site], { exchanges: [...EXCHANGES, ...TURNS], predict });
    rows.push(summed(checkpoint, measured));
    console.log(JSON.stringify(rows.at(-1)));
  };
  for (const [p, point] of points.entries()) {
    for (const site of partsOf(point, means[p], SEED)) await measure(site, nextWords);
    for (const k of CHECKPOINTS[checkpoint]) await measure(await trained(model, found, point, k, nextWords), nextWords);
    if (checkpoint === "untrained") continue; // it doesn't even say the right words
    await measure(await trained(model, found, point, 2, shiftedWords(1), WRONG), shiftedWords(1));
  }
  return rows;
}

async function trained(
  model: Model,
  found: AcronymDataset,
  point: OrderPoint,
  k: number,
  predict: (places: Places) => Prediction,
  name = `trained, k = ${k}`,
) {
  const { subspace } = await alignedSubspace(model, found, point, { k, seed: SEED, steps: STEPS, predict });
  return activationSite(point, name, subspace);
}

/** "untrained" is of the embedded model's shape. */
async function load(checkpoint: string) {
  const isOther = checkpoint.endsWith("-0");
  const { model, tokenizer } = await loadModel(
    isOther ? path.join(dataFolder, "embedded", "others", checkpoint) : "embedded",
  );
  return { model: checkpoint === "untrained" ? untrained(model, SEED) : model, tokenizer };
}

async function main([target = ORDER_TABLE, ...named]: readonly string[]): Promise<void> {
  for (const name of named) checkOneOf("checkpoint", name, Object.keys(CHECKPOINTS));
  const rows: CheckpointRow[] = [];
  for (const checkpoint of named.length > 0 ? named : Object.keys(CHECKPOINTS)) {
    const { model, tokenizer } = await load(checkpoint);
    const read = (file: string, n: number) =>
      distinctLetters(loadAcronyms(path.join(dataFolder, "acronyms", file), tokenizer, { seed: SEED }), n);
    const prompts = { found: read("train.txt", FOUND_ON), tested: read("held-out.txt", N) };
    rows.push(...(await rowsOf(checkpoint, model, prompts)));
  }
  mkdirSync(path.dirname(target), { recursive: true });
  writeWhole(target, `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`);
  console.log(`${rows.length} rows are in ${target}`);
}

void main(process.argv.slice(2));
