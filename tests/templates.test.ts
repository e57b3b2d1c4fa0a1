// Acronyms of other lengths and templates: every experiment reads at their own places. What is expected is found in the tokens, by hand.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { attentionAgainstLogits, attentionRows } from "../src/experiments/attention";
import { attributionByPosition, logitAttribution, rankHeads, sumOfParts } from "../src/experiments/attribution";
import { averagedInputs } from "../src/experiments/averaged-inputs";
import { behaviour, corruptedBehaviour, summarise } from "../src/experiments/behaviour";
import { faithfulness } from "../src/experiments/circuit-criteria";
import { evaluateCircuits } from "../src/experiments/circuit-evaluation";
import { logitLens } from "../src/experiments/logit-lens";
import { ordinalAblation } from "../src/experiments/order-ablation";
import { blockSite, headSite, promptSite } from "../src/experiments/patch-sites";
import { activationPatch } from "../src/experiments/patching";
import { pathPatch } from "../src/experiments/path-patching";
import { seenSelectivity, wordSelectivity } from "../src/experiments/query-key";
import { residualProbes, wordProbes } from "../src/experiments/word-probes";
import { swapEffects } from "../src/experiments/word-swaps";
import { headEvidence } from "../src/groups/evidence";
import { loadModel } from "../src/load/load";
import type { Tokenizer } from "../src/load/tokenizer";
import { initBackend } from "../src/model/backend/choose";
import { forward } from "../src/model/forward";
import { allHeads } from "../src/model/heads";
import type { Intervention } from "../src/model/hooks";
import { patchHeads } from "../src/model/interventions";
import { disposeRun, type Model, type Tokens } from "../src/model/model";
import { range } from "../src/numbers/lists";
import { random } from "../src/numbers/random";
import { mean } from "../src/numbers/statistics";
import { type AcronymTemplate, acronymTask, type Corruption } from "../src/prompts/acronym-task";
import type { AcronymDataset } from "../src/prompts/acronyms";
import { corrupt, resample } from "../src/prompts/corruption";
import { buildAcronyms } from "../src/prompts/dataset";
import { wordPosition } from "../src/prompts/positions";
import type { Task } from "../src/prompts/task";
import { tokenRows } from "../src/prompts/token-rows";
import { loadWords } from "../src/prompts/words";
import { near } from "./fixtures/close";
import { processedModel, TINY } from "./fixtures/tiny-prompts";

/** A template, what a prompt of it looks like, and what is predicted at how many tokens after the bracket. */
interface Case {
  readonly template: AcronymTemplate;
  readonly looks: RegExp;
  readonly reads: readonly { readonly letter: number; readonly after: number }[];
}

const each = (count: number) => range(count).map((i) => ({ letter: i + 1, after: i }));
const W = "([A-Z][a-z]+)";
const CASES: Record<string, Case> = {
  "two letters": { template: { letters: 2 }, looks: RegExp(`^The ${W} ${W} \\([A-Z]$`), reads: each(2) },
  "four letters": { template: { letters: 4 }, looks: RegExp(`^The ${W} ${W} ${W} ${W} \\([A-Z]{3}$`), reads: each(4) },
  "five letters": {
    template: { letters: 5 },
    looks: RegExp(`^The ${W} ${W} ${W} ${W} ${W} \\([A-Z]{4}$`),
    reads: each(5),
  },
  "no The": { template: { before: [] }, looks: RegExp(`^ ${W} ${W} ${W} \\([A-Z]{2}$`), reads: each(3) },
  "another filler": { template: { before: ["A"] }, looks: RegExp(`^A ${W} ${W} ${W} \\([A-Z]{2}$`), reads: each(3) },
  "two fillers": {
    template: { before: ["The", "new"] },
    looks: RegExp(`^The new ${W} ${W} ${W} \\([A-Z]{2}$`),
    reads: each(3),
  },
  "(XY → Z": {
    template: { read: [3] },
    looks: RegExp(`^The ${W} ${W} ${W} \\([A-Z]{2}$`),
    reads: [{ letter: 3, after: 2 }],
  },
  "(YZ → )": {
    template: { written: [2, 3], read: [4] },
    looks: RegExp(`^The ${W} ${W} ${W} \\([A-Z]{2}$`),
    reads: [{ letter: 4, after: 2 }],
  },
  "(XYZ → )": {
    template: { written: [1, 2, 3] },
    looks: RegExp(`^The ${W} ${W} ${W} \\([A-Z]{3}$`),
    reads: each(4),
  },
};

const N = 4;
const models = new Map<string, Model>();
let tokenizer: Tokenizer;

before(async () => {
  await initBackend();
  const embedded = await loadModel("embedded");
  tokenizer = embedded.tokenizer;
  models.set("the embedded model", embedded.model);
  models.set("a random model", processedModel({ ...TINY, n_ctx: 20, d_vocab: tokenizer.vocabSize }, 0));
});

type Acronyms = Task<string, number, Corruption>;

/** Words whose letters GPT-2 writes one by one. */
function promptsOf(task: Acronyms): AcronymDataset<Acronyms> {
  const { int } = random(1);
  const words = loadWords().filter(({ first, rest }) => tokenizer.has(first) && tokenizer.has(rest));
  const found: string[][] = [];
  while (found.length < N) {
    const row = range(task.words!.length).map(() => words[int(words.length)].word);
    try {
      buildAcronyms([row], tokenizer, { task });
      found.push(row);
    } catch (error) {
      assert.match((error as Error).message, /as one token/);
    }
  }
  return buildAcronyms(found, tokenizer, { task });
}

/** Where what stands is a matter of the template, whatever the model; a trained one, which is four times as much work, takes the longest way round. */
const TRAINED = ["four letters", "(YZ → )"];

for (const name of ["the embedded model", "a random model"])
  for (const [what, { template, looks, reads }] of Object.entries(CASES).filter(
    ([what]) => name === "a random model" || TRAINED.includes(what),
  ))
    describe(`${what}, on ${name}`, () => {
      const task = acronymTask(template);
      let model: Model;
      let data: AcronymDataset<Acronyms>;
      let corrupted: number[][];
      let bracket: number;
      let words: number[];
      let clean: number[][];
      let tensors: number;

      before(() => {
        model = models.get(name)!;
        data = promptsOf(task);
        corrupted = resample(data, 3);
        [bracket] = data.tokens.map((row) => row.indexOf(tokenizer.id(" (")));
        words = range(bracket).filter((pos) => data.tokens.every((row) => tokenizer.spaceLetters.includes(row[pos])));
        clean = levels(data.tokens);
        tensors = tf.memory().numTensors;
      });

      /** Of runs without interventions. */
      const plain = new Map<string, number[][]>();
      /** Logit differences [prompt][read-out] of any tokens, read `after` the bracket: right − largest wrong. */
      const levels = (tokens: Tokens, interventions: Intervention = []): number[][] => {
        if (interventions.length > 0) return measured(tokens, interventions);
        const which = JSON.stringify(tokens); // most exchanges change few positions
        if (!plain.has(which)) plain.set(which, measured(tokens, []));
        return plain.get(which)!;
      };
      const measured = (tokens: Tokens, interventions: Intervention): number[][] => {
        const run = forward(model, tokens, { interventions });
        const logits = run.logits.arraySync();
        disposeRun(run);
        const close = what.endsWith("→ )") ? [tokenizer.id(")")] : [];
        return data.acronyms.map((acronym, i) =>
          reads.map(({ letter, after }) => {
            const right = letter > acronym.length ? tokenizer.id(")") : tokenizer.id(acronym[letter - 1]);
            const row = logits[i][bracket + after];
            const wrong = [...tokenizer.letters, ...close].filter((id) => id !== right);
            return row[right] - Math.max(...wrong.map((id) => row[id]));
          }),
        );
      };
      const columnMeans = (values: readonly (readonly number[])[]) =>
        reads.map((_, i) => mean(values.map((row) => row[i])));
      /** A change is a difference of levels, and as wrong as these. */
      const nearChange = (change: number, after: number[][], i: number) => {
        const [before, level] = [clean, after].map((rows) => columnMeans(rows)[i]);
        near([change, before], [level - before, before]);
      };
      const letters = reads.map(({ letter }) => letter);

      it("prompts look as they should, words and bracket where they are said to be", () => {
        for (const prompt of data.prompts) assert.match(prompt, looks);
        assert.deepEqual(
          task.words!.map(([first]) => task.positions.indexOf(first)),
          words,
        );
        const rows = tokenRows({ "prompt 0": data.tokens[0] }, tokenizer, task);
        assert.equal(rows.find(({ position }) => position === "(")!.token, " (");
        assert.equal(rows.find(({ position }) => position === "C2")!.token, ` ${data.acronyms[0][1]}`);
      });

      it("behaviour and the logit lens read the right answers", async () => {
        const rows = await behaviour(model, data, tokenizer, { batch: 3 });
        near(
          summarise(rows).map(({ logit_diff }) => logit_diff),
          columnMeans(clean),
        );
        assert.deepEqual(
          rows.slice(0, reads.length).map(({ right }) => right),
          letters.map((letter) => data.acronyms[0][letter - 1] ?? ")"),
        );
        const lens = await logitLens(model, data);
        near(
          lens.filter(({ depth }) => depth === model.config.n_layers).map(({ logit_diff }) => logit_diff),
          columnMeans(clean),
        );
        const mixed = await corruptedBehaviour(model, data, tokenizer, { clean: rows, seed: 3 });
        assert.equal(mixed.length, 3 * reads.length * N);
      });

      it("patching: a token exchanged at a labelled position, and the whole of a corruption", async () => {
        const blocks = blockSite<string>("hook_resid_pre");
        const first = ({ layer }: { layer: number }) => layer === 0; // the others can't be had by exchanging tokens
        const site: typeof blocks = { ...blocks, points: (config, task) => blocks.points(config, task).filter(first) };
        for (const corruption of ["current_word", "previous_words", "previous_letters"] as const) {
          const rows = await activationPatch(model, data, { site, corruption, corrupted });
          const whole = await activationPatch(model, data, { site: promptSite(), corruption, corrupted });
          for (const [i, letter] of letters.entries()) {
            const other = corrupt(data.tokens, corrupted, corruption, letter, task);
            nearChange(whole.find((row) => row.letter === letter)!.change, levels(other), i);
            const own = rows.filter((row) => row.letter === letter);
            assert.deepEqual(
              own.map(({ position }) => position),
              task.positions,
            );
            for (const [pos, { change }] of own.entries()) {
              const exchanged = data.tokens.map((row, p) => row.with(pos, other[p][pos]));
              nearChange(change, levels(exchanged), i);
            }
          }
        }
        const current = corrupt(data.tokens, corrupted, "current_word", letters[0], task);
        const moved = range(task.positions.length).filter((pos) =>
          current.some((row, p) => row[pos] !== data.tokens[p][pos]),
        );
        const word = words[letters[0] - 1];
        for (const pos of moved) assert.ok(pos === word || pos === word + 1, `position ${pos} of ${word}`);
      });

      it("patching heads at a word and paths to the logits are patched by hand", async () => {
        const { n_layers } = model.config;
        const head = { layer: n_layers - 1, head: 1 };
        const run = forward(model, corrupted, { keep: [`blocks.${head.layer}.attn.hook_z`] });
        const paths = await pathPatch(model, data, { corrupted, receiver: "logits", senders: [head] });
        for (const [i, { change }] of paths.entries())
          nearChange(change, levels(data.tokens, patchHeads([head], "z", run.cache)), i);
        disposeRun(run);
        const early = { layer: 0, head: 0 };
        const options = { site: headSite("z", wordPosition, [early]), corruption: "current_word", corrupted } as const;
        const read = letters.filter((letter) => letter <= words.length);
        if (read.length < letters.length)
          // ")" has no word
          await assert.rejects(activationPatch(model, data, options), /letter \d is not one of 1, 2, 3/);
        for (const { letter, change } of await activationPatch(model, data, { ...options, letters: read })) {
          const other = corrupt(data.tokens, corrupted, "current_word", letter, task);
          const source = forward(model, other, { keep: ["blocks.0.attn.hook_z"] });
          const patched = patchHeads([early], "z", source.cache, [words[letter - 1]]);
          nearChange(change, levels(data.tokens, patched), letters.indexOf(letter));
          disposeRun(source);
        }
      });

      it("attribution adds up to the logit difference, also by the position attended to", async () => {
        const rows = await logitAttribution(model, data);
        const sums = sumOfParts(rows);
        assert.deepEqual(
          sums.map(({ letter }) => letter),
          letters,
        );
        near(
          sums.map(({ logit_diff }) => logit_diff),
          columnMeans(clean),
        );
        const [head] = rankHeads(rows);
        const byKey = await attributionByPosition(model, data, [head]);
        const own = byKey.filter(({ letter }) => letter === head.letter);
        assert.deepEqual(
          own.map(({ key }) => key),
          task.positions,
        );
        near(
          own.reduce((sum, { logit_diff }) => sum + logit_diff, 0),
          head.logit_diff,
        );
      });

      it("attention rows are the patterns' own", async () => {
        const head = { layer: 1, head: 1 };
        const rows = await attentionRows(model, data, [head]);
        const run = forward(model, data.tokens, { keep: ["blocks.1.attn.hook_pattern"] });
        const pattern = run.cache["blocks.1.attn.hook_pattern"].arraySync();
        disposeRun(run);
        const length = task.positions.length;
        assert.equal(rows.length, (length * (length + 1)) / 2);
        const at = (query: string, key: string) =>
          rows.find((row) => row.query === query && row.key === key)!.attention;
        near(at("(", "C2"), mean(pattern.map((heads) => heads[1][bracket][words[1]])));
        near(at(task.positions.at(-1)!, "T1"), mean(pattern.map((heads) => heads[1][length - 1][words[0] + 1])));
      });

      it("circuits: with all heads the model itself, with none all heads' outputs exchanged", async () => {
        const options = { corrupted, ablation: "resample" as const };
        const rows = await evaluateCircuits(model, data, [allHeads(model.config), []], options);
        near(
          rows.slice(0, reads.length).map(({ logit_diff }) => logit_diff),
          columnMeans(clean),
        );
        const run = forward(model, corrupted, { keep: (hook) => hook.endsWith("hook_z") });
        near(
          rows.slice(reads.length).map(({ logit_diff }) => logit_diff),
          columnMeans(levels(data.tokens, patchHeads(allHeads(model.config), "z", run.cache))),
        );
        disposeRun(run);
        const [row] = await faithfulness(model, data, [{ layer: 0, head: 0 }], { corrupted });
        near(row.model, columnMeans(clean)[0]);
      });

      it("experiments on words take the words whose letters are read, or refuse", async () => {
        const head = { layer: 1, head: 0 };
        const read = letters.filter((letter) => letter <= words.length);
        if (read.length === 0) {
          const refused = /have no words .* that answers are taken from; this experiment needs them/;
          await assert.rejects(ordinalAblation(model, data), refused);
          await assert.rejects(averagedInputs(model, data, [head]), refused);
          await assert.rejects(attentionAgainstLogits(model, data, [head]), refused);
          await assert.rejects(headEvidence(model, data, { corrupted }), refused);
          return;
        }
        const run = forward(model, data.tokens, { keep: ["blocks.1.attn.hook_z", "blocks.1.attn.hook_pattern"] });
        const z = run.cache["blocks.1.attn.hook_z"];
        const places = read.map((letter) => words[letter - 1]);
        const common = tf.tidy(() => tf.gather(z, places, 1).mean([0, 1], true).tile([1, z.shape[1], 1, 1]));
        const [lost, scatter] = [
          await ordinalAblation(model, data, { heads: [head] }),
          await attentionAgainstLogits(model, data, [head]),
        ];
        const source = { "blocks.1.attn.hook_z": common } as never;
        for (const [i, { change }] of lost.entries())
          nearChange(change, levels(data.tokens, patchHeads([head], "z", source, places)), i);
        const pattern = run.cache["blocks.1.attn.hook_pattern"].arraySync();
        for (const { prompt, letter, word, attention } of scatter.filter((row) => row.prompt < 2)) {
          const { after } = reads.find((one) => one.letter === letter)!;
          near(attention, pattern[prompt][0][bracket + after][words[word - 1]]);
        }
        common.dispose();
        disposeRun(run);
        assert.equal((await averagedInputs(model, data, [head])).length, 6 * reads.length);
        assert.equal((await headEvidence(model, data, { corrupted })).length, allHeads(model.config).length);
        if (read.length === 1) {
          await assert.rejects(seenSelectivity(model, data, head), /the letter of one word alone is read/);
          return;
        }
        const products = await wordSelectivity(model, data, head);
        near(
          products.reduce((sum, { score }) => sum + score, 0),
          await seenSelectivity(model, data, head),
        );
        const swaps = [{ pair: ["C1", "C2"] as const, positions: true }];
        assert.equal((await swapEffects(model, data, swaps)).length, reads.length);
        const probes = wordProbes(model, data, { site: residualProbes, seeds: [0] });
        if (read.length === reads.length) assert.equal((await probes)[0].chance, 1 / words.length);
        else await assert.rejects(probes, /can't change places/);
      });

      it("leaves no tensor behind", () => assert.equal(tf.memory().numTensors, tensors));
    });

describe("a template that can't be", () => {
  const refused = (template: AcronymTemplate, message: RegExp) => assert.throws(() => acronymTask(template), message);

  it("is refused by name", () => {
    refused({ letters: 1 }, /letters must be a whole number from 2 on, not 1/);
    refused({ letters: 6 }, /letters is 6, more than 5/);
    refused({ written: [4] }, /written: letter − 1 = 3 is not one of 0 … 2/);
    refused({ read: [4] }, /letter 4 would be predicted after letter 3, which is not written; it can be 1, 2, 3/);
    refused({ read: [] }, /no letters that are read/);
    refused({ read: [2, 2] }, /letter 2 is read twice/);
    refused({ before: ["the", "the"] }, /two positions are called "the"/);
  });

  it("so are words that don't fit it", () => {
    const task = acronymTask({ letters: 4 });
    assert.throws(
      () => buildAcronyms([["Ketchup", "Lark", "Wreck"]], tokenizer, { task }),
      /"Ketchup Lark Wreck" is 3 words, not the 4 of acronyms of four letters/,
    );
  });
});
