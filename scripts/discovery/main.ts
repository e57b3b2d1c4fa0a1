/**
 * The table of notebook 11: every subset of the embedded model's heads, and ACDC at several thresholds.
 *
 *     npm run discovery-table            writes data/discovery/embedded.json (about an hour on two busy cores)
 *     npm run discovery-table -- FILE    writes it somewhere else, to compare
 *
 * What is measured is kept in out/discovery until the table is written: a run that was stopped goes on where it was.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { acdc } from "../../src/discovery/acdc";
import { everySubset } from "../../src/discovery/head-subsets";
import { loadModel } from "../../src/load/load";
import { dataFolder } from "../../src/load/resolve";
import { sha256 } from "../../src/load/sha256";
import { DISCOVERY_TABLE, packTable, promptsHash } from "../../src/paper/discovery-table";
import { resample } from "../../src/prompts/corruption";
import { HELD_OUT, loadAcronyms } from "../../src/prompts/dataset";
import { writeWhole } from "../../src/show/whole-file";

const [N, SEED] = [50, 0];
const THRESHOLDS = [0.02, 0.05, 0.1, 0.15, 0.25, 0.4];
const PARTS = path.join(__dirname, "../../out/discovery");

/** What was measured of the same model and prompts before, or else now. */
async function once<T>(name: string, key: string, measure: () => Promise<T>): Promise<T> {
  const file = path.join(PARTS, `${name}-${key.slice(0, 16)}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const found = await measure();
  writeWhole(file, JSON.stringify(found));
  return found;
}

async function main([target = DISCOVERY_TABLE]: readonly string[]): Promise<void> {
  mkdirSync(PARTS, { recursive: true });
  const { model, tokenizer } = await loadModel("embedded");
  const data = loadAcronyms(HELD_OUT, tokenizer, { n: N, seed: SEED });
  const corrupted = resample(data, SEED);
  const hashes = {
    model: sha256(readFileSync(path.join(dataFolder, "embedded", "model.safetensors"))),
    prompts: promptsHash(data, corrupted),
  };
  const key = sha256(JSON.stringify(hashes));
  const subsets = (ablation: "mean" | "resample") =>
    once(ablation, key, () => everySubset(model, data, { corrupted, ablation, progress: `subsets, ${ablation}` }));
  const circuit = (threshold: number) =>
    once(`acdc-${threshold}`, key, async () => {
      const start = Date.now();
      const edges = await acdc(model, data, { corrupted, threshold, progress: `ACDC, ${threshold}` });
      return { threshold, edges, seconds: Math.round((Date.now() - start) / 1000) };
    });
  const levels = { mean: await subsets("mean"), resample: await subsets("resample") };
  const rows = [];
  for (const threshold of THRESHOLDS) rows.push(await circuit(threshold));
  mkdirSync(path.dirname(target), { recursive: true });
  writeWhole(target, packTable({ n: N, seed: SEED, ...hashes, levels, acdc: rows }));
  rmSync(PARTS, { recursive: true });
  console.log(`the table is in ${target}`);
}

void main(process.argv.slice(2));
