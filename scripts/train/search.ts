/**
 * `npm run train:search`: trains every candidate, scores it, and prints the table of the model card.
 * With `-- --install` the best one, two others and the card go to data/embedded.
 */
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { behaviour, summarise } from "../../src/experiments/behaviour";
import { loadModel } from "../../src/load/load";
import { dataFolder, projectFolder } from "../../src/load/resolve";
import { initBackend } from "../../src/model/backend/choose";
import { disposeModel } from "../../src/model/model";
import { loadAcronyms } from "../../src/prompts/dataset";
import { install, type Tried } from "./card";
import { train } from "./main";
import { CANDIDATES, type Candidate } from "./recipe";
import { type Score, scoreModel } from "./score";

interface Row extends Score, Tried {
  /** At least 99% right and a logit difference of at least 4, for each letter. */
  readonly eligible: boolean;
}

const FOLDER = path.join(projectFolder, "out", "search");

async function scored(dir: string, candidate: Candidate): Promise<Row> {
  const { model, tokenizer } = await loadModel(dir);
  const prompts = path.join(dataFolder, "acronyms", "held-out.txt");
  const summary = summarise(await behaviour(model, loadAcronyms(prompts, tokenizer), tokenizer));
  const score = await scoreModel(model, loadAcronyms(prompts, tokenizer, { n: 200 }), 0);
  disposeModel(model);
  const accuracy = summary.map((s) => s.accuracy);
  const logit_diff = summary.map((s) => s.logit_diff);
  const eligible = accuracy.every((a) => a >= 0.99) && logit_diff.every((d) => d >= 4);
  return { candidate, dir, accuracy, logit_diff, eligible, ...score };
}

function tableOf(rows: readonly Row[]): string {
  const join = (values: readonly number[], digits: number) => values.map((x) => x.toFixed(digits)).join(" / ");
  const two = (x: number) => x.toFixed(2);
  const lines = rows.map((r) =>
    [
      r.candidate.name,
      join(r.accuracy, 3),
      join(r.logit_diff, 1),
      r.letter_movers || "none",
      r.propagation || "none",
      r.fuzzy_previous_token || "none",
      two(r.copying),
      two(r.passes_on),
      two(r.tells_words),
      two(r.bos),
      two(r.restored),
      `${two(r.score)}${r.eligible ? "" : " (below 99%)"}`,
    ].join(" | "),
  );
  const header =
    "candidate | accuracy 1/2/3 | logit difference | letter movers | propagation | fuzzy previous token | copying | passes on | tells words | BOS | restored | score";
  return [header, header.replace(/[^|]+/g, "---"), ...lines].map((line) => `| ${line} |`).join("\n");
}

/** Scores this close count as equal: then the model with the fewest layers is the easiest to study. */
const TIE = 0.1;

/** The chosen row first, then the others as they are sorted. */
function chosenFirst(rows: readonly Row[]): Row[] {
  const best = rows.filter((row) => row.eligible && row.score >= rows[0].score - TIE);
  const layers = ({ candidate }: Row) => candidate.recipe.n_layers;
  const chosen = best.reduce((a, b) => (layers(b) < layers(a) ? b : a), rows[0]);
  return [chosen, ...rows.filter((row) => row !== chosen)];
}

async function search(): Promise<void> {
  const backend = await initBackend();
  const rows: Row[] = [];
  for (const candidate of CANDIDATES) {
    const dir = path.join(FOLDER, candidate.name);
    if (!existsSync(path.join(dir, "model.safetensors"))) await train(dir, candidate.recipe, candidate.seed);
    rows.push(await scored(dir, candidate));
    rows.sort((a, b) => Number(b.eligible) - Number(a.eligible) || b.score - a.score);
    console.log(`\n${tableOf(rows)}\n`);
    writeFileSync(path.join(FOLDER, "table.md"), `${tableOf(rows)}\n`);
  }
  if (process.argv.includes("--install")) install(chosenFirst(rows), tableOf(rows), backend.name);
}

if (require.main === module) search();
