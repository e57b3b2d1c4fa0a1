/** Every figure of the paper as a notebook makes it, with the runs that it costs elsewhere. */
import { attentionAgainstLogits, attentionRows } from "../../src/experiments/attention";
import { evaluateCircuits } from "../../src/experiments/circuit-evaluation";
import { growing } from "../../src/experiments/giving-back";
import { ovQuadrants } from "../../src/experiments/ov-circuit";
import { blockSite, headSite, type Site } from "../../src/experiments/patch-sites";
import { activationPatch } from "../../src/experiments/patching";
import { pathPatch } from "../../src/experiments/path-patching";
import { swapAttention } from "../../src/experiments/swap-attention";
import { fourSwaps, swapBosSweep, WORD_PAIRS } from "../../src/experiments/word-swaps";
import type { Tokenizer } from "../../src/load/tokenizer";
import { allHeads, type HeadId, hasHead } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { paperHeads } from "../../src/paper/paper";
import { paperBosSwaps } from "../../src/paper/paper-positional";
import type { Corruption } from "../../src/prompts/acronym-task";
import type { AcronymDataset } from "../../src/prompts/acronyms";
import { resample } from "../../src/prompts/corruption";
import { lastLetterPosition, wordPosition } from "../../src/prompts/positions";

/** The kinds of runs of the official scripts, as `peer.py` times them. All but `patterns` unembed every position to the whole vocabulary. */
export const RUN_KINDS = ["cached", "patterns", "resid_pre", "z", "bos"] as const;
export type RunKind = (typeof RUN_KINDS)[number];
/** Seconds of one run of each kind. */
export type RunSeconds = Readonly<Record<RunKind, number>>;
/** How many runs of each kind. */
export type Runs = Readonly<Partial<Record<RunKind, number>>>;

/** What every figure is made of. */
export interface Material {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly data: AcronymDataset;
  /** Other prompts' tokens: see `resample`. */
  readonly corrupted: number[][];
}

export const material = (model: Model, tokenizer: Tokenizer, data: AcronymDataset): Material => ({
  model,
  tokenizer,
  data,
  corrupted: resample(data, 0),
});

export interface Figure {
  readonly id: string;
  readonly what: string;
  /** Runs that a loop needs: one for each cell shown, the runs that patches come from, the clean run. */
  readonly needed: Runs;
  /** Runs that the official script makes. */
  readonly official: Runs;
  /** Where the official number comes from. */
  readonly why: string;
  /** Not drawn by the official scripts: timed, but in no total. */
  readonly extra?: boolean;
  readonly make: (material: Material) => unknown;
}

// GPT-2 Small's, which the counts are about
const [LAYERS, HEADS, POSITIONS, LETTERS, PAIRS] = [12, 12, 11, 3, WORD_PAIRS.length];
const BLOCK_CELLS = LAYERS * POSITIONS;
const HEAD_CELLS = LAYERS * HEADS;
const SET_UP = 2; // clean and corrupted, cached, at the start of each script

const patchFigure =
  <P extends object>(corruption: Corruption, site: Site<P>, letters?: readonly (2 | 3)[]) =>
  ({ model, data, corrupted }: Material) =>
    activationPatch(model, data, { corruption, site, corrupted, letters });

/** Figures 1, 4 and 7. */
const blockFigure = (setUp: number): Pick<Figure, "needed" | "official"> => ({
  needed: { resid_pre: LETTERS * BLOCK_CELLS, cached: LETTERS + 1 },
  official: { resid_pre: LETTERS * BLOCK_CELLS, cached: LETTERS + setUp },
});

/** Figures 5 and 6 show one position each of one sweep over all of them, and two of its three letters. */
const ONE_POSITION = LETTERS * POSITIONS * HEAD_CELLS;
const onePosition = (sourceRuns: number): Pick<Figure, "needed" | "official" | "why"> => ({
  needed: { z: 2 * HEAD_CELLS, cached: 2 + 1 },
  official: { z: ONE_POSITION / 2, cached: sourceRuns },
  why: "half of one sweep that serves figures 5 and 6: 3 letters × 12 layers × 11 positions × 12 heads, and 3 corrupted runs",
});

const movers = () => paperHeads().letter_movers;
const attention =
  (heads: () => HeadId[]) =>
  ({ model, data }: Material) =>
    attentionRows(model, data, heads());

/** The heads over the paper's threshold in its own figure 13, so that the work doesn't depend on the weights. */
function bosHeads(pair: string): HeadId[] {
  const hurt = paperBosSwaps().filter((row) => row.pair === pair && -row.change > 0.005);
  return allHeads({ n_layers: LAYERS, n_heads: HEADS }).filter((head) => hasHead(hurt, head));
}

export const FIGURES: readonly Figure[] = [
  {
    id: "1",
    what: "residual stream, current word",
    ...blockFigure(SET_UP),
    why: "2 runs of set-up; 3 letters × (1 corrupted run + 12 layers × 11 positions)",
    make: patchFigure("current_word", blockSite()),
  },
  {
    id: "2",
    what: "heads, current word",
    needed: { z: LETTERS * HEAD_CELLS, cached: LETTERS + 1 },
    official: { z: LETTERS * HEAD_CELLS, cached: LETTERS },
    why: "3 letters × (1 corrupted run + 144 heads)",
    make: patchFigure("current_word", headSite()),
  },
  {
    id: "3",
    what: "attention of five heads",
    needed: { cached: 1 },
    official: { cached: SET_UP },
    why: "2 runs of set-up; the corrupted one is not used",
    make: attention(() => [...movers(), ...paperHeads().propagation]),
  },
  {
    id: "4",
    what: "residual stream, previous words",
    ...blockFigure(0),
    why: "3 letters × (1 corrupted run + 12 layers × 11 positions)",
    make: patchFigure("previous_words", blockSite()),
  },
  {
    id: "5",
    what: "heads at Ci, previous words",
    ...onePosition(2),
    make: patchFigure("previous_words", headSite("z", wordPosition), [2, 3]),
  },
  {
    id: "6",
    what: "heads at A(i-1), previous words",
    ...onePosition(1),
    make: patchFigure("previous_words", headSite("z", lastLetterPosition), [2, 3]),
  },
  {
    id: "7",
    what: "residual stream, previous letters",
    ...blockFigure(0),
    why: "3 letters × (1 corrupted run + 12 layers × 11 positions)",
    make: patchFigure("previous_letters", blockSite()),
  },
  {
    id: "8",
    what: "growing circuit, mean ablation",
    needed: { z: 9, cached: 2 },
    official: { z: 9, cached: SET_UP },
    why: "2 runs of set-up; no head, and 8 heads one after another. (Each is a run with up to 144 hooks, counted as one with one hook.)",
    make: ({ model, data, corrupted }) => evaluateCircuits(model, data, growing(paperHeads().circuit), { corrupted }),
  },
  {
    id: "9",
    what: "OV circuit of 8.11",
    needed: {},
    official: {},
    why: "weights only; the script's products with the whole vocabulary are not counted",
    make: ({ model, tokenizer }) => ovQuadrants(model, movers().slice(0, 1), tokenizer),
  },
  {
    id: "10",
    what: "OV circuit of four heads",
    needed: {},
    official: {},
    why: "weights only; the script's products with the whole vocabulary are not counted",
    make: ({ model, tokenizer }) => ovQuadrants(model, movers(), tokenizer),
  },
  {
    id: "11",
    what: "attention against logits",
    needed: { cached: 1 },
    official: { cached: SET_UP },
    why: "2 runs of set-up; the corrupted one is not used",
    make: ({ model, data }) => attentionAgainstLogits(model, data, movers()),
  },
  {
    id: "12",
    what: "exchanged positions",
    needed: { cached: PAIRS + 1 },
    official: { cached: SET_UP + PAIRS * 4 },
    why: "2 runs of set-up; the same 3 pairs of words again for each of 4 heads",
    make: ({ model, data }) =>
      swapAttention(
        model,
        data,
        WORD_PAIRS.flatMap((pair) => [{ pair }, { pair, positions: true }]),
        { heads: movers() },
      ),
  },
  {
    id: "13",
    what: "exchanged BOS attention",
    needed: { bos: PAIRS * HEAD_CELLS, cached: 1 },
    official: { bos: PAIRS * LETTERS * HEAD_CELLS, patterns: PAIRS * LETTERS },
    why: "3 pairs × 3 letters × (1 run for the patterns + 144 heads): the same runs again for each letter",
    make: async ({ model, data }) => {
      for (const pair of WORD_PAIRS) await swapBosSweep(model, data, pair);
    },
  },
  {
    id: "14",
    what: "exchanged positions and BOS attention",
    needed: { cached: PAIRS * 3 + 1 },
    official: { cached: PAIRS * 4 * 3, patterns: PAIRS * 4 },
    why: "3 pairs × 4 heads × (1 run for the patterns + 3 exchanges): the same runs again for each head",
    make: ({ model, data }) =>
      swapAttention(
        model,
        data,
        WORD_PAIRS.flatMap((pair) => fourSwaps(pair, bosHeads(pair.join("↔")))),
        { heads: movers() },
      ),
  },
  {
    id: "S",
    what: "mean patterns of three heads",
    needed: { cached: 1 },
    official: { cached: 1 },
    why: "1 clean run",
    make: attention(() => paperHeads().fuzzy_previous_token),
  },
  {
    id: "path",
    what: "path patching into logits and movers' queries",
    needed: { z: HEAD_CELLS + 2 * (LAYERS - 1) * HEADS, cached: 2 },
    official: {},
    why: "the scripts draw none; a run per head into the logits, two per head below the last layer into the queries",
    extra: true,
    make: async ({ model, data, corrupted }) => {
      await pathPatch(model, data, { receiver: "logits", corrupted });
      await pathPatch(model, data, { receiver: { heads: movers(), input: "q" }, corrupted });
    },
  },
];

/** All runs, of whatever kind. */
export const totalRuns = (runs: Runs): number => Object.values(runs).reduce((sum, count) => sum + count, 0);
