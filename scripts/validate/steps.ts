/** What is compared, in the order of how much it tells. */
import { attentionRows } from "../../src/experiments/attention";
import { behaviour, summarise } from "../../src/experiments/behaviour";
import type { Figure } from "../../src/figures/panels";
import { scatter } from "../../src/figures/series";
import type { Tokenizer } from "../../src/load/tokenizer";
import { allHeads, hasHead, headName } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { range } from "../../src/numbers/lists";
import { figureClaims, type MeasuredFigures } from "../../src/paper/compare";
import { paperHeads } from "../../src/paper/paper";
import { attentionFigures, evaluationFigure, ovFigures } from "../../src/paper/paper-figures";
import { type AcronymDataset, select } from "../../src/prompts/acronyms";
import type { Claim } from "../../src/show/claims";
import { cleanClaims, letterOneUnchanged, matchingPrefixes, rowsSumToOne, sameInAllLayers } from "./checks";
import { besidePaperFigure, patchingFigure, positionalFigures, scatterClaim, scatterRows } from "./figures";

/** What steps measure on. */
export interface Subject {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly data: AcronymDataset;
  readonly seeds: readonly number[];
  /** More of the official prompts, to look for the paper's n; none of other prompts. */
  readonly many?: AcronymDataset;
}

export interface StepResult {
  readonly claims: readonly Claim[];
  readonly measured?: MeasuredFigures;
  readonly drawings?: Readonly<Record<string, Figure>>;
  /** What is worth telling and no claim. */
  readonly note?: string;
}

export interface Step {
  readonly title: string;
  /** Names for --figures. */
  readonly figures: readonly string[];
  /** What the claims depend on: if those on weights fail, the others tell nothing new; identities hold for any weights. */
  readonly kind: "weights" | "identities" | "prompts";
  readonly run: (subject: Subject) => Promise<StepResult>;
}

/** Prompts that are enough for identities. */
/** Prompts for the identities: enough that a permutation changes some written letter. With 3 it often changes none. */
const FEW = 8;

const shown = (measured: MeasuredFigures, claims = figureClaims(measured)): StepResult => {
  const drawings = Object.entries(measured).map(([name, cells]) => [name, besidePaperFigure(name, cells)]);
  return { claims, measured, drawings: Object.fromEntries(drawings) };
};

async function identities({ model, data }: Subject): Promise<StepResult> {
  const few = select(data, range(Math.min(FEW, data.prompts.length)));
  const [fig04_res_2, fig07_res_3] = ["fig04_res_2", "fig07_res_3"];
  const over = { seeds: [0], progress: "  identities" };
  const fourth = await patchingFigure(model, few, { figure: fig04_res_2, ...over });
  const seventh = await patchingFigure(model, few, { figure: fig07_res_3, ...over });
  return {
    claims: [
      rowsSumToOne(await attentionRows(model, few, allHeads(model.config))),
      letterOneUnchanged(fig04_res_2, fourth[fig04_res_2]),
      letterOneUnchanged(fig07_res_3, seventh[fig07_res_3]),
      sameInAllLayers(seventh[fig07_res_3]),
    ],
  };
}

async function clean({ model, tokenizer, data, many }: Subject): Promise<StepResult> {
  const claims = cleanClaims(summarise(await behaviour(model, data, tokenizer)));
  if (!many) return { claims };
  const rows = await behaviour(model, many, tokenizer, { progress: "  clean, more prompts" });
  const diffs = many.prompts.map((_, i) => rows.slice(3 * i, 3 * i + 3).map((row) => row.logit_diff));
  const found = matchingPrefixes(diffs);
  const which = found.length > 0 ? `the first n prompts for n = ${found.join(", ")}` : "no n";
  return { claims, note: `exactly the paper's clean logit differences: ${which} of 2 … ${many.prompts.length}` };
}

async function scatterPlots({ model, data }: Subject): Promise<StepResult> {
  const heads = paperHeads().letter_movers;
  const rows = await scatterRows(model, data);
  const drawings = heads.map((head) => {
    const own = rows.filter((row) => hasHead([head], row)).map((row) => ({ ...row, token: `C${row.word}` }));
    const columns = { x: "attention", y: "logit", columns: "letter", series: "token" } as const;
    return [`fig11 ${headName(head)}`, scatter(own, { ...columns, size: { width: 230, height: 180 } })];
  });
  return { claims: [scatterClaim(rows)], drawings: Object.fromEntries(drawings) };
}

const patching = (number: string, figure: string): Step => ({
  title: `figure ${number}, activation patching`,
  figures: [number],
  kind: "prompts",
  run: async ({ model, data, seeds }) =>
    shown(await patchingFigure(model, data, { figure, seeds, progress: `  figure ${number}` })),
});

export const STEPS: readonly Step[] = [
  {
    title: "figures 9 and 10, OV circuits",
    figures: ["9", "10"],
    kind: "weights",
    run: async ({ model, tokenizer }) => {
      const measured = ovFigures(model, tokenizer);
      return shown(measured, figureClaims(measured, { everyCell: true }));
    },
  },
  { title: "identities", figures: ["identities"], kind: "identities", run: identities },
  { title: "clean logit differences", figures: ["clean"], kind: "prompts", run: clean },
  {
    title: "figure 3 and supplement, attention",
    figures: ["3", "S"],
    kind: "prompts",
    run: async ({ model, data }) => shown(await attentionFigures(model, data)),
  },
  { title: "figure 11, attention against logits", figures: ["11"], kind: "prompts", run: scatterPlots },
  {
    title: "figures 12, 13 and 14, exchanged positions",
    figures: ["12", "13", "14"],
    kind: "prompts",
    run: async ({ model, data }) => shown(await positionalFigures(model, data, { progress: "  figure 13" })),
  },
  {
    title: "figure 8, circuit evaluation",
    figures: ["8"],
    kind: "prompts",
    run: async ({ model, data, seeds }) =>
      shown(await evaluationFigure(model, data, { seeds, progress: "  figure 8" })),
  },
  patching("1", "fig01_res_1"),
  patching("2", "fig02_attn_1"),
  patching("4", "fig04_res_2"),
  patching("5", "fig05_attn_2_Ci"),
  patching("6", "fig06_attn_2_Ai_1"),
  patching("7", "fig07_res_3"),
];

/** Names that --figures takes. */
export const FIGURE_NAMES: readonly string[] = STEPS.flatMap(({ figures }) => figures);
