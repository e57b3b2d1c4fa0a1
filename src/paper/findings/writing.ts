import { type ForcedRow, meanWays } from "../../experiments/forced-letters";
import type { WritingSummary } from "../../experiments/writing";
import { GROUPS } from "../../groups/classify";
import { checkSome } from "../../numbers/check";
import { groupBy, strongest, where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import { type Claim, claim } from "../../show/claims";
import type { EndRow, TrainingRow, TrainingTable } from "../training-table";

const two = (value: number) => value.toFixed(2);

/** How often something is said after a forced letter, of a letter that is read there. */
const shareOf = (rows: readonly ForcedRow[], forced: string, letter: number, says: string): number =>
  mean(where(rows, { forced, letter, says }).map(({ share }) => share));

/** One checkpoint in which letters were forced. */
export interface ForcedCheckpoint {
  readonly checkpoint: string;
  /** Share of right letters 1, 2, 3 after right letters. */
  readonly accuracy: readonly number[];
  readonly rows: readonly ForcedRow[];
}

/** A line for each checkpoint: what nobody sees who gives the right letters, beside what everybody sees. */
export const checkpointWays = (checkpoints: readonly ForcedCheckpoint[]) =>
  checkpoints.map(({ checkpoint, accuracy, rows }) => ({
    checkpoint,
    "right letters: letter 3": accuracy[2],
    "A1 = C2: says C3": shareOf(rows, "A1 = C2", 2, "C3"),
    "A1 = C3: says C2": shareOf(rows, "A1 = C3", 2, "C2"),
    "A2 = C1: says C2": shareOf(rows, "A2 = C1", 3, "C2"),
    "A2 = C3: says C3": shareOf(rows, "A2 = C3", 3, "C3"),
    "A2 = another: says C3": shareOf(rows, "A2 = another", 3, "C3"),
  }));

/** What the notebook says of the embedded model, and of it beside the two others. Each fails on an untrained model. */
export function forcedClaims(
  written: readonly WritingSummary[],
  checkpoints: readonly ForcedCheckpoint[],
  temperature: number,
): Claim[] {
  const [{ rows }] = checkpoints;
  const { looking_up, counting } = meanWays(rows);
  const later = rows.filter(({ forced, letter, way }) => forced.startsWith("A1") && letter === 3 && way === "both");
  const least = Math.min(...later.map(({ share }) => share));
  const after = (before: WritingSummary["before"]) =>
    mean(where(written, { temperature, before, letter: [2, 3] }).map(({ accuracy }) => accuracy));
  const right = Math.min(...checkpoints.flatMap(({ accuracy }) => accuracy));
  const again = checkpoints.map((one) => shareOf(one.rows, "A2 = C3", 3, "C3"));
  return [
    claim(
      "After another word's letter the model says the word after that one, in more than 95% of the cases; what counting says, in less than 5%",
      looking_up > 0.95 && counting < 0.05,
      `looking up ${two(looking_up)}, counting ${two(counting)}`,
    ),
    claim(
      "Only the last letter counts: with anything at A1 and the right letter at A2, letter 3 is right in more than 95% of the prompts",
      least > 0.95,
      `least ${two(least)} of ${later.length} letters at A1`,
    ),
    claim(
      "Drawn at a temperature, letters 2 and 3 are right less often after a wrong letter of the model's own than after right ones, by more than 20% of the cases",
      after("right") - after("wrong") > 0.2,
      `temperature ${temperature}: ${two(after("right"))} and ${two(after("wrong"))}`,
    ),
    claim(
      "Right letters hide it: three checkpoints are alike after them (each letter right in more than 97%), and differ by more than half of the cases after the last word's letter at A2",
      right > 0.97 && Math.max(...again) - Math.min(...again) > 0.5,
      `right letters: least ${two(right)}; A2 = C3, says C3: ${checkpoints.map(({ checkpoint }, i) => `${checkpoint} ${two(again[i])}`).join(", ")}`,
    ),
  ];
}

/** From this share on something counts as learnt; of a single point's plane, which may stay below it, from half on. Chosen with the curves in view. */
export const LEARNT = 0.75;
const HALF = 0.5;

/** When a run learnt what. Steps are those at which it was kept; null: not by its last one. */
export interface LearntRow {
  readonly run: string;
  readonly last_step: number;
  /** All three letters right after right ones. */
  readonly letters: number | null;
  readonly looking_up: number | null;
  readonly plane: number | null;
  /** How often it looked up when the letters were learnt. */
  readonly looked_up_then: number | null;
  /** The most that counting explained at any step. */
  readonly counting_most: number;
}

/** The rows of runs that were trained to be measured, without the committed checkpoints. */
const runsOf = ({ mixes, rows }: Pick<TrainingTable, "mixes" | "rows">): Map<string, TrainingRow[]> =>
  groupBy(
    rows.filter(({ mix }) => mix in mixes),
    ({ mix, seed }) => `${mix}-${seed}`,
  );

/** A line for each run. Throws a RangeError if there are none. */
export function learntSteps(table: Pick<TrainingTable, "mixes" | "rows">): LearntRow[] {
  const runs = [...runsOf(table)];
  checkSome("runs", runs);
  return runs.map(([run, own]) => {
    const first = (is: (row: TrainingRow) => boolean) => own.find(is) ?? null;
    const letters = first(({ accuracy }) => accuracy.every((share) => share >= LEARNT));
    return {
      run,
      last_step: Math.max(...own.map(({ step }) => step)),
      letters: letters?.step ?? null,
      looking_up: first((row) => row.looking_up >= LEARNT)?.step ?? null,
      plane: first((row) => row.plane >= HALF)?.step ?? null,
      looked_up_then: letters?.looking_up ?? null,
      counting_most: strongest(own, "counting").counting,
    };
  });
}

/** The last step that all runs have. */
const lastOfAll = (runs: readonly (readonly TrainingRow[])[]): number =>
  Math.min(...runs.map((own) => Math.max(...own.map(({ step }) => step))));

/** Curves for a figure: a row for each run, step and measure, as far as all runs were trained: beyond that a mean would be one of others. */
export function learningCurves(table: Pick<TrainingTable, "mixes" | "rows">) {
  const runs = [...runsOf(table).values()];
  const last = lastOfAll(runs);
  const rows = runs.flat().filter(({ step }) => step <= last);
  return rows.flatMap(({ mix, seed, step, accuracy, looking_up, counting, plane }) => {
    const measures = { "right letters": Math.min(...accuracy), "looking up": looking_up, counting, plane };
    return Object.entries(measures).map(([measure, share]) => ({ mix, seed, step, measure, share }));
  });
}

/** What each run and each committed checkpoint has become. */
export function endTable({ rows, ends, mixes }: TrainingTable) {
  return ends.map(({ mix, seed, step, groups, hidden }) => {
    const [row] = where(rows, { mix, seed, step });
    const members = (group: string) => Object.keys(groups).filter((head) => groups[head] === group);
    return {
      run: mix in mixes ? `${mix}-${seed}` : mix,
      step,
      ...Object.fromEntries(GROUPS.map((group) => [group, members(group).join(" ") || "none"])),
      "logit differences": row.logit_diff.map((value) => value.toFixed(1)).join(" / "),
      "looking up": row.looking_up,
      plane: `${two(row.plane)} at ${row.site}`,
      "head at A(i−1)": `${row.head}: ${row.at_last_letter.toFixed(1)}`,
      "earlier C hidden": hidden["earlier C"].map(two).join(" / "),
    };
  });
}

const isSpread = (site: string): boolean => site.startsWith("heads");

/**
 * Where each run and each committed checkpoint keeps the place of a word: a row for each site, of two words and of three in turn; single points of
 * the stream first, then the heads of several layers.
 */
export const endPlanes = ({ ends, mixes }: Pick<TrainingTable, "ends" | "mixes">) =>
  ends
    .flatMap(({ mix, seed, planes, turns }) =>
      Object.keys(planes).map((site) => {
        return { run: mix in mixes ? `${mix}-${seed}` : mix, site, iia: planes[site], turns: turns[site] };
      }),
    )
    .sort((a, b) => Number(isSpread(a.site)) - Number(isSpread(b.site)));

/** Of claims on runs from other seeds. They were written for the first three runs, as "every run"; nine more came, of which some differ. */
const MOST_RUNS = 2 / 3;
const inMost = <T>(runs: readonly T[], is: (run: T) => boolean): boolean =>
  runs.filter(is).length >= MOST_RUNS * runs.length;

/** What the table says of where a place is written: of the runs, beside an untrained model. Throws a RangeError if there are no runs. */
export function spreadClaim({ ends, mixes }: Pick<TrainingTable, "ends" | "mixes">): Claim {
  const runs = ends.filter(({ mix }) => mix in mixes);
  checkSome("runs", runs);
  const most = ({ planes }: EndRow, spread: boolean) =>
    Math.max(...Object.keys(planes).flatMap((site) => (isSpread(site) === spread ? planes[site] : [])));
  const fresh = where(ends, { mix: "untrained" }).flatMap(({ planes }) => Object.values(planes));
  return claim(
    "In two thirds of the runs from other seeds or more, planes of the heads of several layers move the letters in more than half of the cases, and in more than any single point's; in an untrained model nothing does",
    inMost(runs, (run) => most(run, true) > Math.max(HALF, most(run, false))) && Math.max(...fresh) < 0.05,
    `${runs.map((run) => `${run.mix}-${run.seed} ${two(most(run, true))} against ${two(most(run, false))}`).join(", ")}; untrained ${two(Math.max(...fresh))}`,
  );
}

/** How many of the runs show all three groups at their last step. */
export function groupsShown({ ends, mixes }: Pick<TrainingTable, "ends" | "mixes">) {
  const runs = ends.filter(({ mix }) => mix in mixes);
  const shown = runs.filter(({ groups }) => GROUPS.every((group) => Object.values(groups).includes(group)));
  return { runs: runs.length, all_three: shown.length, which: shown.map(({ mix, seed }) => `${mix}-${seed}`) };
}

/** At the last step that all runs have: what looking up explains in each, by how many of a mix's texts are acronyms that begin at any word, most first. */
function byMix(table: TrainingTable): { mix: string; rows: TrainingRow[] }[] {
  const runs = [...runsOf(table).values()];
  const step = lastOfAll(runs);
  const mixes = Object.keys(table.mixes).sort((a, b) => table.mixes[b].suffix - table.mixes[a].suffix);
  const rows = where(runs.flat(), { step });
  return mixes.map((mix) => ({ mix, rows: where(rows, { mix }) })).filter((own) => own.rows.length > 0);
}

/** What the table of training says. Runs that never learn fail each. Throws a RangeError if there are none of two mixes. */
export function trainingClaims(table: TrainingTable): Claim[] {
  const runs = learntSteps(table);
  const mixes = byMix(table);
  if (mixes.length < 2) throw new RangeError(`there are runs of ${mixes.length} mixes; two are compared`);
  const [most, least] = [mixes[0], mixes[mixes.length - 1]];
  const looked = ({ rows }: typeof most) => mean(rows.map(({ looking_up }) => looking_up));
  const right = ({ rows }: typeof most) => mean(rows.flatMap(({ accuracy }) => accuracy));
  const heads = new Set(most.rows.map(({ head }) => head));
  const list = (value: (row: LearntRow) => string) => runs.map((row) => `${row.run} ${value(row)}`).join(", ");
  return [
    claim(
      "In two thirds of the runs or more the right letters come before looking up: when each of the three is first right in three quarters of the prompts, less than half is looked up",
      inMost(runs, ({ letters, looked_up_then }) => letters !== null && looked_up_then! < HALF),
      list(
        ({ letters, looked_up_then }) => `${looked_up_then === null ? "–" : two(looked_up_then)} at ${letters ?? "–"}`,
      ),
    ),
    claim(
      "In two thirds of the runs or more counting comes between: at some step it predicts more than 40% of what follows a wrong letter",
      inMost(runs, ({ counting_most }) => counting_most > 0.4),
      list(({ counting_most }) => two(counting_most)),
    ),
    claim(
      "Trained on most acronyms that begin at any word, every run looks up more than it counts, by more than half of the cases",
      most.rows.every(({ looking_up, counting }) => looking_up - counting > HALF),
      `${most.mix}: ${most.rows.map(({ looking_up, counting }) => `${two(looking_up)} against ${two(counting)}`).join(", ")}`,
    ),
    claim(
      "Trained on fewest, as many letters are right at that step (within 5%), and less is looked up, by more than 10% of the cases",
      right(most) - right(least) < 0.05 && looked(most) - looked(least) > 0.1,
      `step ${most.rows[0].step}: right ${two(right(most))} and ${two(right(least))}, looked up ${two(looked(most))} and ${two(looked(least))}`,
    ),
    claim(
      "The same rule sits in different heads: of the runs that look up, the strongest heads at A(i−1) are not all one",
      looked(most) > LEARNT && heads.size > 1,
      `${most.mix}: ${most.rows.map(({ seed, head }) => `seed ${seed}: ${head}`).join(", ")}`,
    ),
  ];
}
