/** The paper's activation patching: measured with several permutations, and beside the digitised figures. */

import { blockSite, headSite } from "../experiments/patch-sites";
import { activationPatch, type PatchOptions, type PatchRow } from "../experiments/patching";
import { partOf, reporter } from "../experiments/progress";
import { heatmap } from "../figures/heatmap";
import type { Figure } from "../figures/panels";
import type { Model } from "../model/model";
import { groupBy } from "../numbers/rows";
import { mean, meanAndStd } from "../numbers/statistics";
import type { AcronymDataset } from "../prompts/acronyms";
import { resample } from "../prompts/corruption";
import { type Letter, lastLetterPosition, type Position, wordPosition } from "../prompts/positions";
import type { MeasuredCell } from "./compare";
import { paperFigure } from "./paper";
import { withPaper } from "./with-paper";

export interface SeedsOptions<P extends object> extends Omit<PatchOptions<P>, "corrupted"> {
  /** One permutation of the prompts for each. */
  readonly seeds: readonly number[];
}

/** `activationPatch` with corrupted prompts from several permutations: the rows of one seed after those of another. */
export async function patchOverSeeds<P extends object>(
  model: Model,
  data: AcronymDataset,
  { seeds, progress, ...options }: SeedsOptions<P>,
): Promise<(PatchRow<P> & { readonly seed: number })[]> {
  const rows: (PatchRow<P> & { readonly seed: number })[] = [];
  const report = reporter(progress);
  for (const [i, seed] of seeds.entries()) {
    const own = await activationPatch(model, data, {
      ...options,
      corrupted: resample(data, seed),
      progress: partOf(report, i, seeds.length),
    });
    for (const row of own) rows.push({ ...row, seed });
  }
  return rows;
}

/** A cell of a patching figure: of one of `activationPatch`'s rows, or of the paper's. */
export interface PatchCell {
  readonly letter: Letter;
  readonly layer: number;
  /** Of figures 1, 4 and 7. */
  readonly position?: Position;
  /** Of figures 2, 5 and 6. */
  readonly head?: number;
  /** Patched minus clean, in logits. */
  readonly change: number;
}

/** What is corrupted and where it is patched, for each of the paper's figures on activation patching. Letter 1 has no word before it. */
export const PATCHING_FIGURES: Readonly<Record<string, PatchingFigure>> = {
  fig01_res_1: { corruption: "current_word", site: blockSite<Position>() },
  fig02_attn_1: { corruption: "current_word", site: headSite() },
  fig04_res_2: { corruption: "previous_words", site: blockSite<Position>() },
  fig05_attn_2_Ci: { corruption: "previous_words", site: headSite("z", wordPosition), letters: [2, 3] },
  fig06_attn_2_Ai_1: { corruption: "previous_words", site: headSite("z", lastLetterPosition), letters: [2, 3] },
  fig07_res_3: { corruption: "previous_letters", site: blockSite<Position>() },
};

export type PatchingFigure = Pick<
  PatchOptions<Pick<PatchCell, "layer" | "position" | "head">>,
  "corruption" | "site" | "letters"
>;

/** A cell as it is on average over the permutations. */
export interface AverageCell extends PatchCell {
  /** Over prompts (n − 1), averaged. */
  readonly std: number;
  /** Of `change` over the seeds (n − 1); 0 if there is one seed. */
  readonly seed_std: number;
}

/** `patchOverSeeds`'s rows with the mean over seeds in place of a row a seed. */
export function averageSeeds<R extends PatchCell & { readonly std: number }>(
  rows: readonly R[],
): (AverageCell & Pick<R, Extract<keyof R, "position" | "head">>)[] {
  const cells = groupBy(rows, ({ letter, layer, position, head }) => [letter, layer, position, head].join(" "));
  return [...cells.values()].map((same) => {
    const { letter, layer, position, head } = same[0];
    const { mean: change, std: seed_std } = meanAndStd(same.map((row) => row.change));
    const column = head === undefined ? { position } : { head };
    return { letter, layer, ...column, change, std: mean(same.map((row) => row.std)), seed_std } as AverageCell &
      Pick<R, Extract<keyof R, "position" | "head">>;
  });
}

/**
 * The paper's heat map as rows of `activationPatch`: what could not be read is left out.
 * Throws a RangeError if the figure is not about activation patching, or there is none of this name.
 * @param figure "fig01_res_1", "fig02_attn_1", "fig04_res_2", "fig05_attn_2_Ci", "fig06_attn_2_Ai_1" or "fig07_res_3"
 */
export function paperPatching(figure: string): PatchCell[] {
  if (!/^fig\d+_(res|attn)_\d/.test(figure) && paperFigure(figure))
    throw new RangeError(`${figure} is not about activation patching; figures 1, 2, 4, 5, 6 and 7 are`);
  return paperFigure(figure).rows.flatMap(({ letter, x, y, value }) => {
    if (value === null) return [];
    const column = typeof x === "number" ? { head: x } : { position: x as Position };
    // a patching figure has a panel a letter and a line a layer
    return [{ letter: letter as Letter, layer: Number(y), ...column, change: value }];
  });
}

/** Rows of `activationPatch` as cells to compare with the paper's figure: see `paperFigureClaim`. */
export function patchingCells(rows: readonly (PatchCell & { std: number; n: number })[]): MeasuredCell[] {
  return rows.map(({ letter, layer, position, head, change, std, n }) => ({
    letter,
    x: (position ?? head) as string | number,
    y: layer,
    value: change,
    std,
    n,
  }));
}

/** Patching results as a heat map: layers down, positions or heads across, a panel a letter. Colours reach at least to ±0.25 logits. */
export function patchingMap(rows: readonly PatchCell[]): Figure {
  const x = rows.some(({ head }) => head !== undefined) ? "head" : "position";
  return heatmap(rows, { x, y: "layer", value: "change", columns: "letter" });
}

/** The same of this model and, below it, of the paper's: same axes, same colour rule, each with its own range. */
export function besidePaper(rows: readonly PatchCell[], figure: string): Figure {
  return withPaper(rows, paperPatching(figure), patchingMap);
}
