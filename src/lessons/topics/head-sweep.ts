/** Lesson 2, to its end: which heads carry it, by a sweep of one's own. */
import { headSite, type Site } from "../../experiments/patch-sites";
import { activationPatch, type PatchOptions } from "../../experiments/patching";
import { allHeads, type HeadId, headName } from "../../model/heads";
import { patchHeads } from "../../model/interventions";
import { range } from "../../numbers/lists";
import { strongest } from "../../numbers/rows";
import { type AcronymDataset, select } from "../../prompts/acronyms";
import { corrupt } from "../../prompts/corruption";
import { type Letter, lastLetterPosition } from "../../prompts/positions";
import { believes, type ExerciseContext, exercise, isEmpty, right, type Verdict, wrong } from "../exercise";
import { same } from "./behaviour";
import { isNumber, levels, levelVerdict, logits, otherPrompts, signVerdict, toLetter } from "./patching";

type Sweep = (prompts: AcronymDataset, other: number[][], letter: Letter) => unknown;
type SweepRow = HeadId & { readonly change: number };

/** Prompts and letters on which a student's sweep is tried: few, for it may be slow, and two letters, lest one be written into it. */
const TRIED = { prompts: 10, letters: [2, 3] } as const;

export const headSweep = exercise({
  id: "head-sweep",
  title: "Write the head sweep",
  difficulty: 3,
  minutes: 15,
  misconception: "a sweep is more than one patch, many times",
  hints: [
    "It is the patch by hand, once for each of allHeads(model.config): one run on other, from which all is taken; one run as it is; one patched run a head.",
    'patchHeads([head], "z", otherRun.cache) is the patch of one head, if otherRun has kept every layer\'s blocks.N.attn.hook_z.',
    "Begin each patched run anew with the patch of one head alone. A row is { ...head, change: after − before }, with means over the prompts; letterReadout(prompts, [letter]) and logitDiffs(run, prompts, [letter]) read one letter.",
  ],
  async truth(context) {
    const few = select(context.data, range(Math.min(TRIED.prompts, context.data.prompts.length)));
    const tried = { ...context, data: few };
    return { tried, rows: await Promise.all(TRIED.letters.map((letter) => sweptBy(tried, letter))) };
  },
  async judge(answer, { tried, rows }, context) {
    if (typeof answer !== "function") return wrong("headSweep must be a function of prompts, other and letter.");
    for (const [i, letter] of TRIED.letters.entries()) {
      const given = await attemptSweep(answer as Sweep, tried, letter);
      if ("problem" in given) return wrong(`Your function stops with an error: ${given.problem}.`);
      if (isEmpty(given.rows)) return { verdict: "unanswered" };
      const verdict = await judgeSweep(given.rows, rows[i], { tried, all: context, letter });
      if (verdict) return verdict;
    }
    return right(
      `${rows[0].length} heads, letters ${TRIED.letters.join(" and ")}, ${tried.data.prompts.length} prompts: the same as activationPatch, within a thousandth of a logit.`,
    );
  },
});

/** What `activationPatch` gives for every head, or another site or option. */
function sweptBy(context: ExerciseContext, letter: Letter, options: Partial<PatchOptions<HeadId>> = {}) {
  return activationPatch(context.model, context.data, { site: headSite(), ...toLetter(context, letter), ...options });
}

async function attemptSweep(sweep: Sweep, context: ExerciseContext, letter: Letter) {
  const { data } = context;
  try {
    return { rows: await sweep(data, corrupt(data.tokens, otherPrompts(context), "current_word", letter), letter) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A site that replaces other heads than the one it stands for. */
const instead = (heads: (one: HeadId, all: readonly HeadId[]) => readonly HeadId[], all: HeadId[]): Site<HeadId> => ({
  ...headSite(),
  intervene: (one, source, positions) => patchHeads(heads(one, all), "z", source, positions),
});

/** What one may sweep instead, and what it shows. */
const MISTAKES: readonly {
  readonly misconception: string;
  readonly why: string;
  readonly options: (context: ExerciseContext) => Partial<PatchOptions<HeadId>>;
}[] = [
  {
    misconception: "into and out of are the same",
    why: "These are the changes when a head of the run on prompts is put into a run on other: denoising, which asks what a head repairs. Asked is what breaks: keep the run on other, patch into the run on prompts.",
    options: () => ({ direction: "denoising" }),
  },
  {
    misconception: "any contrast will do",
    why: "These are changes of right − mean of the wrong letters. Everything here is measured with right − largest wrong, as logitDiffs does.",
    options: () => ({ against: "mean" }),
  },
  {
    misconception: "a layer is a head",
    why: "All heads of a layer have the same number in your rows: the layer's whole z is replaced. Say which head, as patchHeads does.",
    options: ({ model }) => ({
      site: instead(({ layer }, all) => all.filter((other) => other.layer === layer), allHeads(model.config)),
    }),
  },
  {
    misconception: "each head starts anew by itself",
    why: "In your sweep each head is patched while those before it still are: your list of edits grows. Make a new one for each head.",
    options: ({ model }) => ({
      site: instead(
        (one, all) => all.slice(0, all.findIndex((other) => headName(other) === headName(one)) + 1),
        allHeads(model.config),
      ),
    }),
  },
  {
    misconception: "a head acts only where the letter is read",
    why: "Your patch is at the read-out position alone. A head may also pass the word on from somewhere else: replace its output at all positions.",
    options: () => ({ site: headSite("z", lastLetterPosition) }),
  },
];

interface SweepContext {
  /** Of the few prompts it was tried on. */
  readonly tried: ExerciseContext;
  /** Of all the notebook's. */
  readonly all: ExerciseContext;
  readonly letter: Letter;
}

/** @returns undefined if the rows are right */
async function judgeSweep(
  given: unknown,
  rows: readonly SweepRow[],
  { tried, all, letter }: SweepContext,
): Promise<Verdict | undefined> {
  if (!Array.isArray(given) || !given.every(isSweepRow))
    return wrong("Your function must give a list of rows { layer, head, change }, with numbers, one for each head.");
  const pairs = beside(given, rows);
  const lost = pairs.find(({ own }) => own === undefined);
  if (lost || given.length !== rows.length)
    return wrong(
      `Your function gives ${given.length} rows for the ${rows.length} heads of this model${lost ? `; ${lost.name} is missing` : ""}.`,
    );
  if (agree(pairs)) return undefined;
  const { name, own, change } = strongest(pairs, "off");
  const level = (await levels(tried))[letter - 1];
  if (agree(pairs, (change) => -change)) return signVerdict;
  if (agree(pairs, (change) => level + change)) return levelVerdict(own as number, level);
  for (const { misconception, why, options } of MISTAKES)
    if (agree(beside(given, await sweptBy(tried, letter, options(tried))))) return believes(misconception, why);
  if (agree(beside(given, await sweptBy(all, letter))))
    return wrong("These are the numbers of all the notebook's prompts: use the arguments, prompts and other.");
  const numbers = `head ${name} changes letter ${letter} by ${logits(own as number)} in your rows, by ${logits(change)} in activationPatch's`;
  const [first] = TRIED.letters;
  const written = letter === first ? "" : ` Letter ${first} is right: is it written into your function?`;
  return wrong(`Over ${tried.data.prompts.length} prompts ${numbers}.${written}`);
}

/** A head's change as a student has it, undefined if it is missing, and as it should be. */
interface Pair {
  readonly name: string;
  readonly own: number | undefined;
  readonly change: number;
  readonly off: number;
}

function beside(given: readonly SweepRow[], wanted: readonly SweepRow[]): Pair[] {
  const owns = new Map(given.map((row) => [headName(row), row.change]));
  return wanted.map((row) => {
    const own = owns.get(headName(row));
    return { name: headName(row), own, change: row.change, off: (own ?? 0) - row.change };
  });
}

/** Whether every number is what is expected where `change` is right. */
const agree = (pairs: readonly Pair[], expected = (change: number) => change) =>
  pairs.every(({ own, change }) => own !== undefined && same(own, expected(change)));

const isSweepRow = (row: unknown): row is SweepRow => {
  const { layer, head, change } = (row ?? {}) as Partial<SweepRow>;
  return isNumber(layer) && isNumber(head) && isNumber(change);
};
