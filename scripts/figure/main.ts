/** npm run figure: a figure measured whole, in parts, or joined from them. See --help. */
import { mkdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { SweepInterrupted } from "../../src/experiments/sweep";
import { loadModel, readConfig } from "../../src/load/load";
import { fetchOfficialPrompts, OFFICIAL_PROMPTS, projectFolder, resolveModel } from "../../src/load/resolve";
import { sha256 } from "../../src/load/sha256";
import { loadTokenizer } from "../../src/load/vocabulary-files";
import { initBackend } from "../../src/model/backend/choose";
import { loadAcronyms } from "../../src/prompts/dataset";
import { saveCsv, saveFigure } from "../../src/show/files";
import { writeWhole } from "../../src/show/whole-file";
import { peakMemory } from "../bench/measure";
import { UsageError } from "../validate/options";
import { estimate, estimateText } from "./estimate";
import { figureOf } from "./figures";
import { hashModel } from "./hash";
import { mergeParts, type NamedPart } from "./merge";
import { type Only, readOptions, USAGE, type Work } from "./options";
import {
  type Box,
  boxOfWhole,
  experimentOf,
  isThere,
  measurePart,
  newWhole,
  readPart,
  type Whole,
  writePart,
} from "./parts";

/** All that the values depend on, without a weight loaded. */
async function wholeOf({ figure, model, data: from, n, seeds, batch }: Work): Promise<Whole> {
  const folder = await resolveModel(model);
  const config = readConfig(folder);
  if (from === OFFICIAL_PROMPTS) await fetchOfficialPrompts();
  const { tokens, answerLetters, letters } = loadAcronyms(from, loadTokenizer(folder, config.d_vocab), { n, seed: 0 });
  const own = { tokens, answerLetters, letters };
  const whole = newWhole({
    figure,
    model: { sha256: await hashModel(folder), config },
    prompts: { sha256: sha256(JSON.stringify(own)), ...own },
    seeds,
    points: 0,
    batch,
    backend: (await initBackend()).name,
    version: JSON.parse(readFileSync(path.join(projectFolder, "package.json"), "utf8")).version,
  });
  return { ...whole, points: experimentOf(whole, 0).points.length };
}

function boxOf(whole: Whole, { seed, ...spans }: Only): Box {
  if (seed !== undefined && seed >= whole.seeds)
    throw new UsageError(`--seed ${seed}: there are 0 … ${whole.seeds - 1} (--seeds)`);
  return { ...boxOfWhole(whole), ...spans, ...(seed !== undefined && { seeds: [seed, seed + 1] as const }) };
}

async function measure(work: Work, only: Only, out: string): Promise<void> {
  const isPart = out.endsWith(".json");
  const whole = await wholeOf(work);
  const box = boxOf(whole, only);
  if (isPart && isThere(out, whole, box)) {
    console.log(`${out} is there already`);
    return;
  }
  const { model } = await loadModel(work.model);
  const started = Date.now();
  const measured = await measurePart(model, whole, box, `figure ${work.figure}`);
  const notes = {
    model: work.model,
    seconds: (Date.now() - started) / 1000,
    seconds_to_load: (started - performance.timeOrigin) / 1000,
    peak_mb: Math.round(peakMemory()),
    cpu: cpus()[0].model,
  };
  const part = { whole, box, notes, ...measured };
  if (!isPart) return await finish([{ ...part, name: out }], out);
  mkdirSync(path.dirname(out), { recursive: true });
  writePart(out, part);
  console.log(`${out}  (${notes.seconds.toFixed(1)} s, ${notes.peak_mb} MB)`);
}

/** The figure's files: rows, plotly's JSON, a picture. */
async function finish(parts: readonly NamedPart[], out: string): Promise<void> {
  const { whole, rows } = mergeParts(parts);
  const { draw, what } = figureOf(whole.figure);
  const figure = draw(rows as Parameters<typeof draw>[0]);
  mkdirSync(path.dirname(out), { recursive: true });
  saveCsv(rows, `${out}.csv`);
  writeWhole(`${out}.json`, `${JSON.stringify(figure)}\n`);
  await saveFigure(figure, `${out}.svg`, { alt: `Figure ${whole.figure}: ${what}` });
  console.log(
    `${out}.csv, .json, .svg: ${rows.length} rows of ${parts.length} ${parts.length === 1 ? "part" : "parts"}`,
  );
}

async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options.do === "help") console.log(USAGE);
  else if (options.do === "measure") await measure(options.work, options.only, options.out);
  else if (options.do === "merge")
    await finish(
      options.parts.map((name) => ({ name, ...readPart(name) })),
      options.out,
    );
  else {
    const found = await estimate(options.work, options.minutes);
    if (options.json) writeWhole(options.json, `${JSON.stringify(found, null, 1)}\n`);
    console.log(estimateText(found));
  }
}

/** The command. @returns its exit code; what went wrong has been said */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await run(args);
    return 0;
  } catch (error) {
    const isPlain = error instanceof Error && error.constructor !== TypeError;
    if (error instanceof SweepInterrupted) console.error("\ninterrupted; nothing was written");
    else console.error(isPlain ? `\n✗ ${error.message}` : error);
    return error instanceof UsageError ? 2 : error instanceof SweepInterrupted ? 130 : 1;
  }
}

if (require.main === module)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
