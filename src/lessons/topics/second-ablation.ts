/** Lesson 5: a head that one removal calls useless, and another doesn't. */
import * as tf from "@tensorflow/tfjs";
import { behaviour, summarise } from "../../experiments/behaviour";
import { lossByMean } from "../../experiments/order-ablation";
import { forward } from "../../model/forward";
import { allHeads, type HeadId, hasHead, headName } from "../../model/heads";
import { patch } from "../../model/hooks";
import { disposeRun } from "../../model/model";
import { groupBy, where } from "../../numbers/rows";
import { resample } from "../../prompts/corruption";
import { attempt, believes, type ExerciseContext, exercise, right, type Verdict, wrong } from "../exercise";
import { headsGiven } from "./heads-given";
import { type Levels, levelsOf, listed } from "./letter-levels";

const NEUTRAL = "ablation is neutral";

/** Of a letter's logit difference: a head that costs less by a removal seems not to be needed. */
const CHEAP = 0.05;
/** Another removal disagrees if it costs this share of a letter's logit difference. */
const DISAGREES = 0.1;

/** A head's output, [prompt][position][d_head]. */
type Output = number[][][];
/** The largest of the letters' losses, as a share of their levels. */
const worst = (lost: Levels, levels: Levels): number => Math.max(...lost.map((logits, i) => logits / levels[i]));

export const secondAblation = exercise({
  id: "second-ablation",
  title: "Delete it?",
  difficulty: 3,
  minutes: 20,
  misconception: NEUTRAL,
  hints: [
    "What does a removed head still say? Its mean was taken position by position, so all that it says in every prompt is said on.",
    "Which of the three words a position belongs to is the same in every prompt. Take that away: at C1, C2 and C3 (positions 2, 4 and 6) the head must write the same.",
    "Take the mean over all prompts and over the positions 2, 4 and 6, write it at these three, and leave the rest as it is. Try it on every head that costs little.",
  ],
  async truth(context) {
    const { model, data } = context;
    const rows = await lossByMean(model, data, allHeads(model.config), { corrupted: resample(data, context.seed) });
    const levels = await levelsOf(context);
    const heads = [...groupBy(rows, headName).values()].map((own) => {
      const lost = (kind: (typeof own)[number]["mean"]) => where(own, { mean: kind }).map((row) => row.lost);
      const { layer, head } = own[0];
      return { layer, head, plain: lost("mean of each position"), common: lost("common mean at C1, C2 and C3") };
    });
    const cheap = heads.filter(({ plain }) => worst(plain, levels) < CHEAP);
    const hidden = cheap.filter(({ common }) => worst(common, levels) >= DISAGREES);
    return { levels, heads, hidden };
  },
  async judge(answer, { levels, heads, hidden }, context) {
    const { head: given, ablate } = (answer ?? {}) as { head?: unknown; ablate?: unknown };
    if (given === "none") {
      if (hidden.length === 0) return right("No head that costs little is missed when the words get a common mean.");
      return believes(NEUTRAL, "There is one: a removal that keeps what is the same in every prompt can't miss it.");
    }
    if (given === undefined && (ablate === undefined || typeof ablate === "function")) return { verdict: "unanswered" };
    const named = headsGiven([given], context.model);
    if (typeof named === "string") return wrong(named);
    const own = heads.find((one) => hasHead(named, one))!;
    if (typeof ablate !== "function")
      return wrong("ablate must be a function of the head's output, [prompt][position][d_head].");
    if (worst(own.plain, levels) >= CHEAP)
      return believes(
        "a large loss is a disagreement",
        `Removing ${headName(own)} costs ${listed(own.plain)} logits by the mean of each position already. Wanted is a head that this removal calls useless: less than ${100 * CHEAP}% of each letter's logit difference.`,
      );
    return judgeAblation({ head: own, ablate: ablate as (z: Output) => Output, levels }, context);
  },
});

interface Ablated {
  readonly head: HeadId & { readonly plain: Levels };
  readonly ablate: (z: Output) => Output;
  readonly levels: Levels;
}

async function judgeAblation({ head, ablate, levels }: Ablated, context: ExerciseContext): Promise<Verdict> {
  const before = outputOf(head, context);
  const attempted = attempt(() => ablate(structuredClone(before)));
  if ("problem" in attempted) return wrong(`Your function stops with an error: ${attempted.problem}.`);
  const after = attempted.given as unknown;
  if (after === undefined) return { verdict: "unanswered" };
  if (!sameShape(after, before))
    return wrong(
      `ablate must give numbers in the shape that it gets: ${before.length} prompts, ${before[0].length} positions, ${before[0][0].length} numbers each.`,
    );
  if (equal(after, before)) return wrong("The head writes what it wrote: nothing is removed.");
  const lost = await lostBy(head, after, { levels, context });
  const name = headName(head);
  const said = `With it ${name} costs ${listed(lost)} logits, by the mean of each position ${listed(head.plain)}.`;
  if (after.flat(2).every((value) => value === 0))
    return believes(
      "off is zero",
      `${said} But zero takes away two things: what differs between words or prompts, and a constant that later layers have learnt to expect. Which of them is missed can't be told. Leave the constant in.`,
    );
  if (worst(lost, levels) >= DISAGREES)
    return right(
      `${said} The two disagree because they take away different things: the first leaves all that ${name} says in every prompt. No removal is neutral; each is a question.`,
    );
  if (after.every((prompt) => equal([prompt], [after[0]])))
    return believes(
      NEUTRAL,
      `${said} Your replacement is the same in every prompt, but it still differs from word to word just as the head's own does: what is said in every prompt is still said.`,
    );
  if (after.every((prompt) => before.some((other) => equal([prompt], [other]))))
    return believes(
      "another prompt's output says something else",
      `${said} In other prompts the second word stands at the same place: about places they say the same.`,
    );
  return wrong(`${said} That is no disagreement: at some letter it must cost ${100 * DISAGREES}% of what it has.`);
}

const zHook = ({ layer }: HeadId) => `blocks.${layer}.attn.hook_z` as const;

function outputOf(head: HeadId, { model, data }: ExerciseContext): Output {
  const run = forward(model, data.tokens, { keep: [zHook(head)], readout: "none" });
  const z = run.cache[zHook(head)].arraySync() as number[][][][];
  disposeRun(run);
  return z.map((prompt) => prompt.map((heads) => heads[head.head]));
}

/** What the letters lose, in logits, when a head writes this. */
async function lostBy(
  head: HeadId,
  output: Output,
  { levels, context }: { readonly levels: Levels; readonly context: ExerciseContext },
): Promise<number[]> {
  const { model, data, tokenizer } = context;
  const source = tf.tidy(() => tf.tensor3d(output).expandDims(2).tile([1, 1, model.config.n_heads, 1])) as tf.Tensor4D;
  try {
    const interventions = patch(zHook(head), source, { head: head.head });
    const rows = await behaviour(model, data, tokenizer, { interventions, batch: data.prompts.length });
    return summarise(rows).map((row, i) => levels[i] - row.logit_diff);
  } finally {
    source.dispose();
  }
}

const sameShape = (given: unknown, like: Output): given is Output =>
  isList(given, like.length) &&
  given.every(
    (prompt) =>
      isList(prompt, like[0].length) &&
      prompt.every((row) => isList(row, like[0][0].length) && row.every((value) => Number.isFinite(value))),
  );
const isList = (given: unknown, length: number): given is unknown[] => Array.isArray(given) && given.length === length;

/** Float32 numbers of order 1. */
const equal = (a: Output, b: Output): boolean =>
  a.every((rows, p) => rows.every((row, q) => row.every((value, d) => Math.abs(value - b[p][q][d]) < 1e-5)));
