/** `npm run train`: trains the embedded model from a seed. See data/embedded/README.md for the recipe. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { behaviour, type LetterSummary, summarise } from "../../src/experiments/behaviour";
import { dataFolder, projectFolder } from "../../src/load/resolve";
import { openSafetensors } from "../../src/load/safetensors-file";
import { initBackend } from "../../src/model/backend/choose";
import type { Model } from "../../src/model/model";
import { loadAcronyms } from "../../src/prompts/dataset";
import { writeWhole } from "../../src/show/whole-file";
import { encodeSafetensors } from "../checkpoint/encode";
import { EMBEDDED } from "./recipe";
import { type Lexicon, type Recipe, readLexicon } from "./text";
import { startTraining, type Training, type TrainingState } from "./train";

const HELD_OUT = path.join(dataFolder, "acronyms", "held-out.txt");
const SAVE_EVERY = 100;

/** Everything that decides a run's outcome, so that a stopped run is only continued by the same one. */
const runKey = (recipe: Recipe, seed: number, backend: string) => JSON.stringify({ recipe, seed, backend });

async function saveState(file: string, training: Training, key: string): Promise<void> {
  const { step, random, weights, moments } = await training.state();
  const tensors = { ...weights, ...Object.fromEntries(moments.map((moment, i) => [`moment.${i}`, moment])) };
  writeWhole(file, encodeSafetensors(tensors, { metadata: { key, step: `${step}`, random: JSON.stringify(random) } }));
}

function readState(file: string, key: string): TrainingState | undefined {
  if (!existsSync(file)) return undefined;
  const checkpoint = openSafetensors(file);
  try {
    if (checkpoint.metadata.key !== key) return undefined;
    const tensors = checkpoint.names.map((name) => [name, checkpoint.read(name)] as const);
    const isMoment = (name: string) => name.startsWith("moment.");
    return {
      step: Number(checkpoint.metadata.step),
      random: JSON.parse(checkpoint.metadata.random),
      weights: Object.fromEntries(tensors.filter(([name]) => !isMoment(name))),
      moments: tensors.filter(([name]) => isMoment(name)).map(([, tensor]) => tensor),
    };
  } finally {
    checkpoint.close();
  }
}

async function evaluate(model: Model, lexicon: Lexicon, n: number): Promise<LetterSummary[]> {
  return summarise(await behaviour(model, loadAcronyms(HELD_OUT, lexicon.tokenizer, { n }), lexicon.tokenizer));
}

const inWords = (summary: readonly LetterSummary[]) =>
  `held-out accuracy ${summary.map((s) => s.accuracy.toFixed(4)).join(" / ")}, logit difference ${summary.map((s) => s.logit_diff.toFixed(2)).join(" / ")}`;

/** The checkpoint's folder in Hugging Face's layout. */
function writeModel(dir: string, training: Training, lexicon: Lexicon, weights: TrainingState["weights"]): void {
  const { n_layers, n_heads, d_model, n_ctx, d_vocab, eps } = training.config;
  const prefixed = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`transformer.${name}`, tensor]));
  const config = {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: "gelu_new",
    n_layer: n_layers,
    n_head: n_heads,
    n_embd: d_model,
    n_inner: null,
    n_positions: n_ctx,
    n_ctx,
    vocab_size: d_vocab,
    layer_norm_epsilon: eps,
    bos_token_id: lexicon.tokenizer.bos,
    eos_token_id: lexicon.tokenizer.bos,
    tie_word_embeddings: true,
  };
  mkdirSync(dir, { recursive: true });
  writeWhole(path.join(dir, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  writeWhole(path.join(dir, "vocab.json"), `${JSON.stringify(lexicon.vocab, null, 0)}\n`);
  writeWhole(path.join(dir, "model.safetensors"), encodeSafetensors(prefixed, { metadata: { format: "pt" } }));
}

/** Where the model is kept as it was after `step` steps. */
export const stepFolder = (dir: string, step: number) => path.join(dir, `step-${String(step).padStart(4, "0")}`);

/** As `writeModel`, but the folder appears whole or not at all. */
function writeStep(
  dir: string,
  ...rest: [training: Training, lexicon: Lexicon, weights: TrainingState["weights"]]
): void {
  const part = `${dir}.part`;
  rmSync(part, { recursive: true, force: true });
  writeModel(part, ...rest);
  rmSync(dir, { recursive: true, force: true });
  renameSync(part, dir);
}

export interface TrainOptions {
  /** Keeps the model in a folder of its own every so many steps, and before the first one; by default none is kept. */
  readonly every?: number;
  /** Stops after so many steps, to go on another time; the learning rate is the whole run's. By default all of the recipe's. */
  readonly until?: number;
}

/** Trains, reporting as it goes, and writes the checkpoint to `dir`. A stopped run goes on where it was last saved. */
export async function train(
  dir: string,
  recipe: Recipe,
  seed: number,
  { every, until = recipe.steps }: TrainOptions = {},
): Promise<void> {
  const { name: backend, why } = await initBackend();
  console.log(`tfjs backend: ${backend}, ${why}`);
  const lexicon = readLexicon();
  mkdirSync(dir, { recursive: true });
  const stateFile = path.join(dir, "training-state.safetensors");
  const key = runKey(recipe, seed, backend);
  const training = await startTraining(lexicon, recipe, seed, readState(stateFile, key));
  if (training.step() > 0) console.log(`goes on at step ${training.step()}`);
  else if (every) writeStep(stepFolder(dir, 0), training, lexicon, (await training.state()).weights);
  const start = performance.now();
  const first = training.step();
  const last = Math.min(until, recipe.steps);
  while (training.step() < last) {
    const loss = training.advance();
    const step = training.step();
    if (step % (every ?? SAVE_EVERY) !== 0 && step !== last) continue;
    if (every) writeStep(stepFolder(dir, step), training, lexicon, (await training.state()).weights);
    await saveState(stateFile, training, key);
    const perStep = (performance.now() - start) / (step - first) / 1000;
    const left = Math.round(perStep * (last - step));
    const summary = await evaluate(training.model(), lexicon, every ? 100 : 300);
    console.log(`step ${step} of ${last}  loss ${loss.toFixed(4)}  ${inWords(summary)}  ${left} s left`);
  }
  if (last < recipe.steps) return;
  writeModel(dir, training, lexicon, (await training.state()).weights);
  const summary = await evaluate(training.model(), lexicon, 2000);
  console.log(`${inWords(summary)} on ${summary[0].n} prompts; written to ${path.relative(process.cwd(), dir) || "."}`);
  rmSync(stateFile);
}

if (require.main === module) {
  const { values } = parseArgs({
    options: { seed: { type: "string" }, out: { type: "string" }, recipe: { type: "string" } },
  });
  const seed = Number(values.seed ?? EMBEDDED.seed);
  const out = values.out ?? path.join(projectFolder, "out", "train", `seed-${seed}`);
  const recipe: Recipe = {
    ...EMBEDDED.recipe,
    ...(values.recipe ? JSON.parse(readFileSync(values.recipe, "utf8")) : {}),
  };
  train(path.resolve(out), recipe, seed);
}
