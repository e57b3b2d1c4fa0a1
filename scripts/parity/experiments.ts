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
import { disposeRun } from "../../src/model/model";
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
import { type Fixture, headIds, type Inputs } from "./fixture";
import type { Counterpart } from "./main";

/** What several tensors are read from is measured once for each fixture and name. */
function once<R>(measure: (fixture: Fixture, name: string) => R): (fixture: Fixture, name?: string) => R {
  const made = new WeakMap<Fixture, Map<string, R>>();
  return (fixture, name = "") => {
    const own = made.get(fixture) ?? new Map<string, R>();
    made.set(fixture, own);
    if (!own.has(name)) own.set(name, measure(fixture, name));
    return own.get(name)!;
  };
}

const cleanMeans = once(({ proc, prompts }) => {
  const run = forward(proc, prompts.tokens, { readout: letterReadout(prompts) });
  const values = logitDiffs(run, prompts);
  disposeRun(run);
  return range(3).map((i) => columnMean(values, i));
});

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

/** "current_word resid_pre": rows of all three letters. */
const patchRows = once(({ proc, prompts, inputs, batch }, name) => {
  const [corruption, site] = name.split(" ");
  const options = {
    site: SITES[site],
    corruption: corruption as Corruption,
    corrupted: inputs.corrupted_tokens,
    batch,
  };
  return activationPatch(proc, prompts, options);
});

/** Values without the baseline, as the helpers of the official code return them. */
async function patched(fixture: Fixture, corruption: string, site: string): Promise<number[]> {
  const base = cleanMeans(fixture);
  const rows = await patchRows(fixture, `${corruption} ${site}`);
  return rows.map(({ letter, change }) => base[letter - 1] + change);
}

/** What the official scripts plot of all letters. */
const FIGURES: Readonly<Record<string, string>> = {
  res_1: "current_word resid_pre",
  attn_1: "current_word head_all_pos",
  res_2: "previous_words resid_pre",
  res_3: "previous_letters resid_pre",
};

/** And of letters 2 and 3 alone. */
const HEAD_FIGURES: Readonly<Record<string, Site<object>>> = {
  attn_2_Ci: headSite("z", wordPosition) as Site<object>,
  attn_2_Ai_1: headSite("z", lastLetterPosition) as Site<object>,
};

async function headFigure({ proc, prompts, inputs, batch }: Fixture, name: string): Promise<number[]> {
  const options = { site: HEAD_FIGURES[name], corruption: "previous_words", letters: [2, 3] } as const;
  const rows = await activationPatch(proc, prompts, { ...options, corrupted: inputs.corrupted_tokens, batch });
  return rows.map(({ change }) => change);
}

const receiverOf = ({ path_receivers }: Inputs, name: string): Receiver => {
  const { heads, input } = path_receivers.find((receiver) => receiver.name === name)!;
  return { heads: headIds(heads), input };
};

/** "logits", or the name of a receiver in the inputs. */
const pathRows = once(({ proc, prompts, inputs, batch }, name) => {
  const receiver = name === "logits" ? name : receiverOf(inputs, name);
  return pathPatch(proc, prompts, { corrupted: inputs.corrupted_tokens, receiver, batch });
});

async function paths(fixture: Fixture, receiver: string, what: string): Promise<number[]> {
  const base = cleanMeans(fixture);
  return (await pathRows(fixture, receiver)).map(({ score, letter, change }) =>
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

const evaluationRows = once(({ proc, prompts, inputs, batch }) => {
  const circuits = growing(headIds(inputs.heads_circuit_heads));
  return evaluateCircuits(proc, prompts, circuits, { corrupted: inputs.corrupted_tokens, batch });
});

async function evaluation(fixture: Fixture, what: string): Promise<number[]> {
  const rows = await evaluationRows(fixture);
  return rows.map(({ logit_diff, std }) => (what === "mean" ? logit_diff : std));
}

/** X→X, X→_X, _X→X, _X→_X */
function ov({ proc, inputs: { letters, space_letters } }: Fixture, heads: readonly HeadId[]): number[] {
  return [letters, space_letters].flatMap((from) =>
    [letters, space_letters].flatMap((to) => ovCircuit(proc, heads, { from, to }).flat()),
  );
}

const scatterRows = once(({ proc, prompts, inputs, batch }) =>
  attentionAgainstLogits(proc, prompts, headIds(inputs.heads_letter_movers), { batch }),
);

async function scatter(fixture: Fixture, what: string): Promise<number[]> {
  const rows = await scatterRows(fixture);
  return rows.map(({ attention, logit }) => (what === "attn" ? attention : logit));
}

/** Means, then standard deviations, of the attention from "(", A1, A2 to every key but BOS, `[head][mean, std][letter][key]`. */
async function attentionBars(
  { proc, prompts, batch }: Fixture,
  heads: readonly HeadId[],
  options: AttentionRowsOptions = {},
): Promise<number[]> {
  const rows = await attentionRows(proc, prompts, heads, { ...options, batch });
  const at = new Map(rows.map((row) => [`${headName(row)} ${row.query} ${row.key}`, row]));
  return heads.flatMap((head) =>
    (["attention", "std"] as const).flatMap((what) =>
      (["(", "A1", "A2"] as const).flatMap((query) =>
        POSITIONS.slice(1).map((key) => at.get(`${headName(head)} ${query} ${key}`)?.[what] ?? 0),
      ),
    ),
  );
}

async function meanPatterns({ proc, prompts, inputs, batch }: Fixture): Promise<number[]> {
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

/** Of a pair by its number. */
const bosSwapRows = once(({ proc, prompts, inputs, batch }, pair) =>
  swapBosSweep(proc, prompts, pairsOf(inputs)[Number(pair)], { batch }),
);

/** Attention of the letter movers with a pair's positions exchanged, of a pair by its number. */
const positionSwapBars = once((fixture, pair) =>
  attentionBars(fixture, headIds(fixture.inputs.heads_letter_movers), {
    intervene: swap({ pair: pairsOf(fixture.inputs)[Number(pair)], positions: true }),
  }),
);

async function combinedSwaps(fixture: Fixture): Promise<number[]> {
  const { inputs } = fixture;
  const movers = headIds(inputs.heads_letter_movers);
  const out: number[] = [];
  for (const [index, pair] of pairsOf(inputs).entries()) {
    const bosHeads = headsHurtBy(await bosSwapRows(fixture, `${index}`), inputs.bos_swap_threshold);
    const bars = (one: Parameters<typeof swap>[0]) => attentionBars(fixture, movers, { intervene: swap(one) });
    const all = [
      await bars({ pair }),
      await positionSwapBars(fixture, `${index}`),
      await bars({ pair, bosHeads }),
      await bars({ pair, positions: true, bosHeads }),
    ];
    out.push(...interleave(all, movers.length));
  }
  return out;
}

async function positionSwaps(fixture: Fixture): Promise<number[]> {
  const out: number[] = [];
  for (const pair of pairsOf(fixture.inputs).keys()) out.push(...(await positionSwapBars(fixture, `${pair}`)));
  return out;
}

async function bosSwaps(fixture: Fixture, what: string): Promise<number[]> {
  const { inputs } = fixture;
  const base = cleanMeans(fixture);
  const out: number[] = [];
  for (const pair of pairsOf(inputs).keys()) {
    const rows = await bosSwapRows(fixture, `${pair}`);
    if (what === "logit_diff_2") out.push(...rows.map(({ letter, change }) => base[letter - 1] + change));
    else {
      const hurt = new Set(headsHurtBy(rows, inputs.bos_swap_threshold).map(headName));
      out.push(...rows.filter(({ letter }) => letter === 1).map((row) => Number(hurt.has(headName(row)))));
    }
  }
  return out;
}

const STREAM_HOOKS = ["hook_resid_pre", "hook_attn_out", "hook_mlp_out"] as const;
const HEAD_ACTIVATIONS = ["z", "q", "k", "v", "pattern"] as const;

// biome-ignore lint/suspicious/noExplicitAny: as above
const ITERATION_SITES: Readonly<Record<string, Site<any>>> = Object.fromEntries([
  ...STREAM_HOOKS.map((hook) => [hook, blockSite(hook)]),
  ...HEAD_ACTIVATIONS.map((activation) => [activation, headSite(activation)]),
]);

/** Words of other prompts, the letters before this one written. */
function iterationTokens({ inputs, prompts }: Fixture, letter: 1 | 2 | 3) {
  const filled = (tokens: number[][], answers: number[][]) =>
    tokens.map((row, i) => row.map((id, p) => (p >= 9 && p < 9 + letter - 1 ? answers[i][p - 9] : id)));
  const clean = filled(inputs.iteration_clean_tokens, inputs.answer_tokens);
  const corrupted = filled(inputs.iteration_corrupted_tokens, inputs.iteration_corrupted_answers);
  return { clean, corrupted, readout: letterReadout(prompts, [letter]) };
}

/** "1 z": letter 1 from words of other prompts at this site: denoising, scored 0 (corrupted) … 1 (clean) with the mean of the wrong letters. */
const iterationScores = once(async (fixture, name) => {
  const { proc, prompts, batch } = fixture;
  const [number, site] = name.split(" ");
  const letter = Number(number) as 1 | 2 | 3;
  const { clean, corrupted, readout } = iterationTokens(fixture, letter);
  const cleanRun = forward(proc, clean, { readout });
  const cleanScore = columnMean(logitDiffs(cleanRun, prompts, [letter], "mean"), 0);
  disposeRun(cleanRun);
  const pair = { letter, into: corrupted, outOf: clean };
  const options = { site: ITERATION_SITES[site], against: "mean", batch } as const;
  const [{ base, values }] = await patchBetween(proc, prompts, [pair], options);
  const corruptedScore = columnMean(base, 0);
  return values.map((rows) => (columnMean(rows, 0) - corruptedScore) / (cleanScore - corruptedScore));
});

/** Letter by letter, site by site. */
async function iteration(fixture: Fixture, sites: readonly string[]): Promise<number[]> {
  const out: number[] = [];
  for (const letter of LETTERS)
    for (const site of sites) out.push(...(await iterationScores(fixture, `${letter} ${site}`)));
  return out;
}

export const EXPERIMENT_TENSORS: readonly Counterpart[] = [
  [/^patch\.(\w+)\.(resid_pre|head_all_pos|head_by_pos)$/, (f, [, kind, site]) => patched(f, kind, site)],
  [
    /^fig\.(res_1|attn_1|res_2|res_3)$/,
    async (f, [, name]) => (await patchRows(f, FIGURES[name])).map(({ change }) => change),
  ],
  [/^fig\.(attn_2_Ci|attn_2_Ai_1)$/, (f, [, name]) => headFigure(f, name)],
  [/^path\.final\.(score|logit_diff_2)$/, (f, [, what]) => paths(f, "logits", what)],
  [/^path\.heads\.(\w+)\.(score|logit_diff_2)$/, (f, [, name, what]) => paths(f, name, what)],
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
  [/^histogram$/, (f) => attentionBars(f, headIds(f.inputs.heads_histogram))],
  [/^mean_pattern$/, meanPatterns],
  [/^iteration\.block_every$/, (f) => iteration(f, STREAM_HOOKS)],
  [/^iteration\.head_all_pos$/, (f) => iteration(f, HEAD_ACTIVATIONS.slice(0, 1))],
  [/^iteration\.head_all_pos_every$/, (f) => iteration(f, HEAD_ACTIVATIONS)],
];
