/** Our values of the fixture tensors that come from the paper's experiments. */
import {
  type AttentionRowsOptions,
  attentionAgainstLogits,
  attentionRows,
  headPattern,
} from "../../src/experiments/attention";
import { evaluateCircuits } from "../../src/experiments/circuit-evaluation";
import { growing } from "../../src/experiments/giving-back";
import { letterReadout, logitDiffs } from "../../src/experiments/logit-difference";
import { columnMean } from "../../src/experiments/measure";
import { copyingScores, ovCircuit } from "../../src/experiments/ov-circuit";
import { blockSite, headSite, type Site } from "../../src/experiments/patch-sites";
import { activationPatch, patchBetween } from "../../src/experiments/patching";
import { pathPatch, type Receiver } from "../../src/experiments/path-patching";
import { headsHurtBy, swap, swapBosSweep, type WordPair } from "../../src/experiments/word-swaps";
import { forward } from "../../src/model/forward";
import { type HeadId, headName } from "../../src/model/heads";
import { type HookName, merge } from "../../src/model/hooks";
import { freezeHeads, patchHeads } from "../../src/model/interventions";
import { disposeRun, type Model } from "../../src/model/model";
import { grid, range } from "../../src/numbers/lists";
import type { Corruption } from "../../src/prompts/corruption";
import {
  LETTERS,
  lastLetterPosition,
  POSITIONS,
  type Position,
  position,
  wordPosition,
} from "../../src/prompts/positions";
import type { Prompts } from "../../src/prompts/task";
import { type Fixture, headIds, type Inputs } from "./fixture";
import type { Counterpart } from "./main";

/** Small batches, so that the comparison also holds the streaming to account. */
const batch = 4;

function cleanMeans({ proc, prompts }: Fixture): number[] {
  const run = forward(proc, prompts.tokens, { readout: letterReadout(prompts) });
  const values = logitDiffs(run, prompts);
  disposeRun(run);
  return range(3).map((i) => columnMean(values, i));
}

/** Every head at every position, which no notebook needs. */
const headByPosition: Site<{ layer: number; position: Position; head: number }> = {
  points: ({ n_layers, n_heads }) => grid({ layer: range(n_layers), position: POSITIONS, head: range(n_heads) }),
  hooks: headSite().hooks,
  intervene: ({ layer, head, position: label }, source, positions) =>
    positions.includes(position(label)) ? patchHeads([{ layer, head }], "z", source, [position(label)]) : [],
};

// biome-ignore lint/suspicious/noExplicitAny: sites of different points in one table, used through their common interface only
const SITES: Readonly<Record<string, Site<any>>> = {
  resid_pre: blockSite(),
  head_all_pos: headSite(),
  head_by_pos: headByPosition,
};

/** Values without the baseline, as the helpers of the official code return them. */
async function patched(fixture: Fixture, corruption: Corruption, site: string): Promise<number[]> {
  const { proc, prompts, inputs } = fixture;
  const options = { site: SITES[site], corruption, corrupted: inputs.corrupted_tokens, batch };
  const base = cleanMeans(fixture);
  return (await activationPatch(proc, prompts, options)).map(({ letter, change }) => base[letter - 1] + change);
}

/** What the official scripts plot: corruption, site, letters. */
const FIGURES: Readonly<Record<string, readonly [Corruption, Site<object>, (1 | 2 | 3)[]]>> = {
  res_1: ["current_word", blockSite() as Site<object>, [1, 2, 3]],
  attn_1: ["current_word", headSite() as Site<object>, [1, 2, 3]],
  res_2: ["previous_words", blockSite() as Site<object>, [1, 2, 3]],
  attn_2_Ci: ["previous_words", headSite("z", wordPosition) as Site<object>, [2, 3]],
  attn_2_Ai_1: ["previous_words", headSite("z", lastLetterPosition) as Site<object>, [2, 3]],
  res_3: ["previous_letters", blockSite() as Site<object>, [1, 2, 3]],
};

async function figure({ proc, prompts, inputs }: Fixture, name: string): Promise<number[]> {
  const [corruption, site, letters] = FIGURES[name];
  const rows = await activationPatch(proc, prompts, {
    site,
    corruption,
    letters,
    corrupted: inputs.corrupted_tokens,
    batch,
  });
  return rows.map(({ change }) => change);
}

const receiverOf = ({ path_receivers }: Inputs, name: string): Receiver => {
  const { heads, input } = path_receivers.find((receiver) => receiver.name === name)!;
  return { heads: headIds(heads), input };
};

async function paths(fixture: Fixture, receiver: Receiver, what: string): Promise<number[]> {
  const base = cleanMeans(fixture);
  const rows = await pathPatch(fixture.proc, fixture.prompts, {
    corrupted: fixture.inputs.corrupted_tokens,
    receiver,
    batch,
  });
  return rows.map(({ score, letter, change }) =>
    what === "score" ? (score ?? Number.NaN) : base[letter - 1] + change,
  );
}

/** Several senders at once into the movers' queries, put together by hand from the library's interventions. */
function multiplePaths({ proc, inputs }: Fixture): number[] {
  const movers = headIds(inputs.heads_letter_movers);
  const senders = headIds(inputs.path_senders);
  const keep = (name: HookName) => /hook_[qz]$/.test(name);
  const clean = forward(proc, inputs.clean_tokens, { keep, readout: "none" });
  const corrupted = forward(proc, inputs.corrupted_tokens, { keep, readout: "none" });
  const sent = forward(proc, inputs.clean_tokens, {
    interventions: merge(freezeHeads(clean, { except: senders }), patchHeads(senders, "z", corrupted.cache)),
    keep,
    readout: "none",
  });
  const run = forward(proc, inputs.clean_tokens, {
    interventions: patchHeads(movers, "q", sent.cache),
    keep: movers.map(({ layer }) => `blocks.${layer}.attn.hook_pattern` as const),
  });
  const values = movers.map((head) => headPattern(run, head)).flat(3);
  disposeRun(clean, corrupted, sent, run);
  return values;
}

async function evaluation({ proc, prompts, inputs }: Fixture, what: string): Promise<number[]> {
  const circuits = growing(headIds(inputs.heads_circuit_heads));
  const rows = await evaluateCircuits(proc, prompts, circuits, { corrupted: inputs.corrupted_tokens, batch });
  return rows.map(({ logit_diff, std }) => (what === "mean" ? logit_diff : std));
}

/** X→X, X→_X, _X→X, _X→_X */
function ov({ proc, inputs: { letters, space_letters } }: Fixture, heads: readonly HeadId[]): number[] {
  return [letters, space_letters].flatMap((from) =>
    [letters, space_letters].flatMap((to) => ovCircuit(proc, heads, { from, to }).flat()),
  );
}

async function scatter({ proc, prompts, inputs }: Fixture, what: string): Promise<number[]> {
  const rows = await attentionAgainstLogits(proc, prompts, headIds(inputs.heads_letter_movers), { batch });
  return rows.map(({ attention, logit }) => (what === "attn" ? attention : logit));
}

/** Means, then standard deviations, of the attention from "(", A1, A2 to every key but BOS, `[head][mean, std][letter][key]`. */
async function attentionBars(
  model: Model,
  prompts: Prompts,
  heads: readonly HeadId[],
  options: AttentionRowsOptions = {},
): Promise<number[]> {
  const rows = await attentionRows(model, prompts, heads, { ...options, batch });
  const at = new Map(rows.map((row) => [`${headName(row)} ${row.query} ${row.key}`, row]));
  return heads.flatMap((head) =>
    (["attention", "std"] as const).flatMap((what) =>
      (["(", "A1", "A2"] as const).flatMap((query) =>
        POSITIONS.slice(1).map((key) => at.get(`${headName(head)} ${query} ${key}`)?.[what] ?? 0),
      ),
    ),
  );
}

async function meanPatterns({ proc, prompts, inputs }: Fixture): Promise<number[]> {
  const heads = headIds(inputs.heads_fuzzy_previous);
  const rows = await attentionRows(proc, prompts, heads, { batch });
  const at = new Map(rows.map((row) => [`${headName(row)} ${row.query} ${row.key}`, row.attention]));
  return heads.flatMap((head) =>
    POSITIONS.flatMap((query) => POSITIONS.map((key) => at.get(`${headName(head)} ${query} ${key}`) ?? 0)),
  );
}

const pairsOf = ({ swap_pairs }: Inputs): WordPair[] =>
  swap_pairs.map(([a, b]) => [`C${a}` as Position, `C${b}` as Position]);

/** `[head][...]` → the same with the head's block after that of all experiments: `[head][experiment]`. */
const interleave = (experiments: readonly number[][], heads: number): number[] =>
  range(heads).flatMap((h) =>
    experiments.flatMap((values) => {
      const size = values.length / heads;
      return values.slice(h * size, (h + 1) * size);
    }),
  );

async function combinedSwaps({ proc, prompts, inputs }: Fixture): Promise<number[]> {
  const movers = headIds(inputs.heads_letter_movers);
  const out: number[] = [];
  for (const pair of pairsOf(inputs)) {
    const bosHeads = headsHurtBy(await swapBosSweep(proc, prompts, pair, { batch }), inputs.bos_swap_threshold);
    const swaps = [{ pair }, { pair, positions: true }, { pair, bosHeads }, { pair, positions: true, bosHeads }];
    const bars: number[][] = [];
    for (const one of swaps) bars.push(await attentionBars(proc, prompts, movers, { intervene: swap(one) }));
    out.push(...interleave(bars, movers.length));
  }
  return out;
}

async function positionSwaps({ proc, prompts, inputs }: Fixture): Promise<number[]> {
  const movers = headIds(inputs.heads_letter_movers);
  const out: number[] = [];
  for (const pair of pairsOf(inputs))
    out.push(...(await attentionBars(proc, prompts, movers, { intervene: swap({ pair, positions: true }) })));
  return out;
}

async function bosSwaps(fixture: Fixture, what: string): Promise<number[]> {
  const { proc, prompts, inputs } = fixture;
  const base = cleanMeans(fixture);
  const out: number[] = [];
  for (const pair of pairsOf(inputs)) {
    const rows = await swapBosSweep(proc, prompts, pair, { batch });
    if (what === "logit_diff_2") out.push(...rows.map(({ letter, change }) => base[letter - 1] + change));
    else {
      const hurt = new Set(headsHurtBy(rows, inputs.bos_swap_threshold).map(headName));
      out.push(...rows.filter(({ letter }) => letter === 1).map((row) => Number(hurt.has(headName(row)))));
    }
  }
  return out;
}

/** Letter by letter from words of other prompts: denoising, scored 0 (corrupted) … 1 (clean) with the mean of the wrong letters. */
async function iteration({ proc, prompts, inputs }: Fixture, sites: readonly Site<object>[]): Promise<number[]> {
  const filled = (tokens: number[][], answers: number[][], n: number) =>
    tokens.map((row, i) => row.map((id, p) => (p >= 9 && p < 9 + n ? answers[i][p - 9] : id)));
  const out: number[] = [];
  for (const letter of LETTERS) {
    const clean = filled(inputs.iteration_clean_tokens, inputs.answer_tokens, letter - 1);
    const corrupted = filled(inputs.iteration_corrupted_tokens, inputs.iteration_corrupted_answers, letter - 1);
    const readout = letterReadout(prompts, [letter]);
    const cleanRun = forward(proc, clean, { readout });
    const cleanScore = columnMean(logitDiffs(cleanRun, prompts, [letter], "mean"), 0);
    disposeRun(cleanRun);
    for (const site of sites) {
      const pair = { letter, into: corrupted, outOf: clean };
      const [{ base, values }] = await patchBetween(proc, prompts, [pair], { site, against: "mean", batch });
      const corruptedScore = columnMean(base, 0);
      out.push(...values.map((rows) => (columnMean(rows, 0) - corruptedScore) / (cleanScore - corruptedScore)));
    }
  }
  return out;
}

const BLOCK_SITES = (["hook_resid_pre", "hook_attn_out", "hook_mlp_out"] as const).map((hook) => blockSite(hook));
const HEAD_SITES = (["z", "q", "k", "v", "pattern"] as const).map((activation) => headSite(activation));

export const EXPERIMENT_TENSORS: readonly Counterpart[] = [
  [/^patch\.(\w+)\.(resid_pre|head_all_pos|head_by_pos)$/, (f, [, kind, site]) => patched(f, kind as Corruption, site)],
  [/^fig\.(res_1|attn_1|res_2|attn_2_Ci|attn_2_Ai_1|res_3)$/, (f, [, name]) => figure(f, name)],
  [/^path\.final\.(score|logit_diff_2)$/, (f, [, what]) => paths(f, "logits", what)],
  [/^path\.heads\.(\w+)\.(score|logit_diff_2)$/, (f, [, name, what]) => paths(f, receiverOf(f.inputs, name), what)],
  [/^path\.multi\.pattern$/, multiplePaths],
  [/^eval\.(mean|std)$/, (f, [, what]) => evaluation(f, what)],
  [/^ov\.all$/, (f) => ov(f, headIds(f.inputs.heads_letter_movers))],
  [/^ov\.(\d+)\.(\d+)$/, (f, [, layer, head]) => ov(f, [{ layer: Number(layer), head: Number(head) }])],
  [/^scatter\.(attn|logit)$/, (f, [, what]) => scatter(f, what)],
  [
    /^copying\.(space|nospace)$/,
    ({ proc, inputs: { letters, space_letters: from } }, [, what]) =>
      copyingScores(proc, { from, to: what === "space" ? from : letters }).map(({ copying }) => copying),
  ],
  [/^positional\.swap_pos$/, positionSwaps],
  [/^positional\.swap_bos\.(logit_diff_2|selected)$/, (f, [, what]) => bosSwaps(f, what)],
  [/^positional\.combined$/, combinedSwaps],
  [/^histogram$/, ({ proc, prompts, inputs }) => attentionBars(proc, prompts, headIds(inputs.heads_histogram))],
  [/^mean_pattern$/, meanPatterns],
  [/^iteration\.block_every$/, (f) => iteration(f, BLOCK_SITES as readonly Site<object>[])],
  [/^iteration\.head_all_pos$/, (f) => iteration(f, HEAD_SITES.slice(0, 1) as readonly Site<object>[])],
  [/^iteration\.head_all_pos_every$/, (f) => iteration(f, HEAD_SITES as readonly Site<object>[])],
];
