/** Lesson 3: which heads write a letter, which only matter, and what their effects add up to. */
import * as tf from "@tensorflow/tfjs";
import { writtenBy } from "../../experiments/attention";
import { logitAttribution } from "../../experiments/attribution";
import { type Against, letterReadout, logitDiffs } from "../../experiments/logit-difference";
import { headSite, promptSite } from "../../experiments/patch-sites";
import { activationPatch } from "../../experiments/patching";
import { forward } from "../../model/forward";
import { allHeads, type HeadId, headName, sameHead } from "../../model/heads";
import { disposeRun } from "../../model/model";
import { shown } from "../../numbers/check";
import { where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import { resample } from "../../prompts/corruption";
import { type Letter, lastLetterPosition, readoutPosition } from "../../prompts/positions";
import { believes, type ExerciseContext, exercise, isEmpty, right, type Verdict, wrong } from "../exercise";
import { headGiven } from "./heads-given";

const LAST: Letter = 3;

/** What is asked for in `attributeByHand`. */
interface HandAnswer {
  readonly head: unknown;
  /** One number for each prompt, in logits: a list or a tensor. */
  readonly written: unknown;
}

/** What a head adds to the stream where letter 3 is read, as logits of the 26 capitals before layer norm: `[prompt][capital]`. */
interface Written {
  readonly name: string;
  readonly logits: readonly (readonly number[])[];
}

/** What the judge of `attributeByHand` needs, prompt by prompt. */
interface HandTruth {
  readonly heads: readonly Written[];
  /** What the final layer norm divides by. */
  readonly scale: readonly number[];
  /** The right letter's index, and that of the largest wrong one. */
  readonly letters: readonly (readonly [number, number])[];
  /** The whole model's logit difference. */
  readonly whole: readonly number[];
}

export const attributeByHand = exercise({
  id: "attribute-by-hand",
  title: "Attribute one head by hand",
  difficulty: 3,
  minutes: 15,
  misconception: "layer norm can be ignored",
  hints: [
    "Follow the model: what does the head add to the residual stream? What is done to that stream before the unembedding reads it? Object.keys(run.cache) says what there is.",
    "z times W_O is what the head adds, [prompt, d_model]. Its dot product with the direction, row by row, is .mul(direction).sum(1). The final layer norm divides the stream by its scale.",
    'The scale where letter 3 is read is another number in each prompt: run.cache["ln_final.hook_scale"] is [prompt, position, 1]; slice the readout position out of it, reshape it to [n], and divide.',
  ],
  truth: writtenByHand,
  judge(answer, truth) {
    const { head, written } = (answer ?? {}) as Partial<HandAnswer>;
    if (isEmpty(written)) return { verdict: "unanswered" };
    const own = truth.heads.find(({ name }) => name === headGiven(head));
    if (!own) return wrong(`head must be one of the model's, such as { layer: 0, head: 0 }, not ${shown(head)}.`);
    return judgeWritten(numbersOf(written), own, truth);
  },
});

/** By head, prompt by prompt; nothing of a notebook's own numbers. */
function writtenByHand({ model, data }: ExerciseContext): HandTruth {
  const pos = readoutPosition(LAST);
  const keep = (name: string) => name.endsWith("hook_z") || name === "ln_final.hook_scale";
  const run = forward(model, data.tokens, { keep, readout: letterReadout(data, [LAST]) });
  try {
    const logits = run.logits.arraySync().map(([own]) => own);
    const at = tf.tidy(() => run.cache["ln_final.hook_scale"].slice([0, pos], [-1, 1]).reshape([-1]).arraySync());
    const letters = logits.map((row, i): [number, number] => {
      const answer = data.answerLetters[i][LAST - 1];
      const rivals = row.map((logit, letter) => (letter === answer ? Number.NEGATIVE_INFINITY : logit));
      return [answer, rivals.indexOf(Math.max(...rivals))];
    });
    const heads = allHeads(model.config).map((head) => {
      const written = writtenBy(model, run, head, { activation: "z", pos, vocab: data.letters });
      return { name: headName(head), logits: written };
    });
    return { heads, scale: at as number[], letters, whole: logitDiffs(run, data, [LAST]).map(([own]) => own) };
  } finally {
    disposeRun(run);
  }
}

/** One prompt, as a wrong way to count may see it. */
interface OnePrompt {
  readonly logits: readonly number[];
  readonly answer: number;
  readonly rival: number;
  readonly scale: number;
  readonly meanScale: number;
}

const difference = ({ logits, answer, rival }: OnePrompt) => logits[answer] - logits[rival];
const contribution = (prompt: OnePrompt) => difference(prompt) / prompt.scale;

/** What one may count instead, and what it shows. */
const HAND_MISTAKES: readonly { of: (prompt: OnePrompt) => number; misconception: string; why: string }[] = [
  {
    of: (prompt) => difference(prompt) / prompt.meanScale,
    misconception: "one scale serves all prompts",
    why: "You divide by the mean of the scales. Layer norm has a scale of its own for each prompt (and position): divide each prompt by its own.",
  },
  {
    of: (prompt) => difference(prompt) * prompt.scale,
    misconception: "layer norm multiplies by its scale",
    why: "You multiply by the scale. It is the size of the stream, and layer norm takes it out: divide.",
  },
  {
    of: ({ logits, answer, scale }) => logits[answer] / scale,
    misconception: "a logit alone says how sure the model is",
    why: "This is what the head writes for the right letter alone. It writes for the rival, too, and only the difference decides: use the direction right − rival.",
  },
  {
    of: (prompt) => -contribution(prompt),
    misconception: "the sign is a matter of taste",
    why: "This is rival − right. Above 0 is for the right letter.",
  },
  {
    of: ({ logits, answer, scale }) => (logits[answer] - mean(logits.filter((_, i) => i !== answer))) / scale,
    misconception: "any contrast will do",
    why: "You compare with the mean of the wrong letters. Here it is the largest wrong letter of the whole model: the one that direction holds.",
  },
];

function judgeWritten(values: readonly number[] | undefined, own: Written, truth: HandTruth): Verdict {
  const { scale, letters, whole, heads } = truth;
  const meanScale = mean(scale);
  const by = (written: Written, of: (prompt: OnePrompt) => number) =>
    written.logits.map((logits, i) =>
      of({ logits, answer: letters[i][0], rival: letters[i][1], scale: scale[i], meanScale }),
    );
  const expected = by(own, contribution);
  if (values?.length === 1 && letters.length > 1 && close(values[0], mean(expected)))
    return wrong("That is the mean, and it is right. Give the numbers that it is the mean of, one for each prompt.");
  if (values?.length !== letters.length)
    return wrong(`written must hold one number for each of the ${letters.length} prompts: a list, or a tensor [n].`);
  const equals = (others: readonly number[]) => values.every((value, i) => close(value, others[i]));
  if (equals(expected))
    return right(
      `Head ${own.name} writes ${mean(expected).toFixed(2)} of the ${mean(whole).toFixed(2)} logits by which the model prefers letter 3.`,
    );
  if (equals(by(own, difference))) {
    const all = mean(whole.map((logits, i) => logits * scale[i]));
    return believes(
      attributeByHand.misconception,
      `You have left out the scale, which is ${Math.min(...scale).toFixed(1)} to ${Math.max(...scale).toFixed(1)} here. Added up in this way, all parts of the model would give about ${all.toFixed(1)} logits, but its logit difference is ${mean(whole).toFixed(2)}: your number is in no unit, and prompts with a large scale count too much.`,
    );
  }
  const mistake = HAND_MISTAKES.find(({ of }) => equals(by(own, of)));
  if (mistake) return believes(mistake.misconception, mistake.why);
  const other = heads.find((head) => head !== own && equals(by(head, contribution)));
  if (other) return wrong(`These are the numbers of head ${other.name}; yours is ${own.name}.`);
  const i = values.findIndex((value, at) => !close(value, expected[at]));
  return wrong(`For prompt ${i} you have ${values[i]}; head ${own.name} writes ${expected[i].toFixed(3)} logits.`);
}

/** Float32 numbers that were summed in another order. */
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(b));

/** A list, a tensor or one number as a plain list; undefined if it is none of them. */
function numbersOf(value: unknown): number[] | undefined {
  const plain = value instanceof tf.Tensor ? (value.isDisposed ? undefined : Array.from(value.dataSync())) : value;
  const list = ArrayBuffer.isView(plain) ? Array.from(plain as Float32Array) : [plain].flat(2);
  return list.every((one) => typeof one === "number") ? (list as number[]) : undefined;
}

/** What is asked for in `noisingOrDenoising`. */
interface SumsAnswer {
  readonly larger: unknown;
  readonly left: unknown;
  readonly why: unknown;
}

/** All heads' single effects added up, as shares of what the other word costs. */
interface Sums {
  readonly noising: number;
  readonly denoising: number;
}

const gap = ({ noising, denoising }: Sums) => denoising - noising;

/** Sums that are the same for all that matters. */
const EQUAL = 0.02;
/** So near a half that either reason may be given. */
const UNDECIDED = 0.1;

export const noisingOrDenoising = exercise({
  id: "noising-or-denoising",
  title: "Which sum is larger?",
  difficulty: 2,
  minutes: 12,
  misconception: "effects add up",
  hints: [
    "Add up change over all heads and divide by cost; what noising breaks is below 0, so change its sign. Which one is larger?",
    'A reason can be tested: take it away and see what is left. activationPatch has an option against: "mean" has no largest letter that could change. Measure the cost against the mean, too.',
    "left = (denoising − noising against the mean) / (denoising − noising against the largest wrong letter). Below a half: most of the difference came from the measure.",
  ],
  async truth(context): Promise<Readonly<Record<Against, Sums>>> {
    return { max: await sumsOf(context, "max"), mean: await sumsOf(context, "mean") };
  },
  judge(answer, sums) {
    const { larger, left, why } = (answer ?? {}) as Partial<SumsAnswer>;
    if (isEmpty(larger)) return { verdict: "unanswered" };
    const first = judgeLarger(larger, sums.max);
    if (first) return first;
    if (larger === "neither") return right(`Within ${EQUAL}: ${twoSums(sums.max)}. There is no difference to explain.`);
    return judgeLeft(left, sums) ?? judgeReason(why, gap(sums.mean) / gap(sums.max));
  },
});

async function sumsOf({ model, data, seed }: ExerciseContext, against: Against): Promise<Sums> {
  const options = {
    corruption: "current_word",
    corrupted: resample(data, seed),
    letters: [LAST],
    against,
  } as const;
  const sum = (rows: readonly { readonly change: number }[]) => rows.reduce((total, { change }) => total + change, 0);
  const cost = -sum(await activationPatch(model, data, { ...options, site: promptSite() }));
  const heads = { ...options, site: headSite() };
  const noised = sum(await activationPatch(model, data, heads));
  const denoised = sum(await activationPatch(model, data, { ...heads, direction: "denoising" }));
  return { noising: -noised / cost, denoising: denoised / cost };
}

const twoSums = ({ noising, denoising }: Sums) =>
  `single heads break ${noising.toFixed(2)} and repair ${denoising.toFixed(2)} of what the other word costs`;

function judgeLarger(larger: unknown, sums: Sums): Verdict | undefined {
  const found = Math.abs(gap(sums)) < EQUAL ? "neither" : gap(sums) > 0 ? "denoising" : "noising";
  if (larger === found) return undefined;
  if (larger === "neither")
    return believes(
      noisingOrDenoising.misconception,
      `If effects added up, both sums would be 1. Here ${twoSums(sums)}: what one head does depends on what the others do.`,
    );
  if (larger === "noising" || larger === "denoising")
    return believes("what breaks most must repair most", `Add them up: ${twoSums(sums)}. Mind the sign of noising.`);
  return wrong(`larger must be "noising", "denoising" or "neither", not ${shown(larger)}.`);
}

function judgeLeft(left: unknown, { max, mean }: Readonly<Record<Against, Sums>>): Verdict | undefined {
  const expected = gap(mean) / gap(max);
  if (isEmpty(left))
    return wrong(
      `larger is right: against the largest wrong letter ${twoSums(max)}. Now measure the same against the mean: which share of the difference is left?`,
    );
  if (typeof left !== "number") return wrong(`left must be a number, not ${shown(left)}.`);
  const is = (value: number) => Math.abs(left - value) < 0.005;
  if (is(expected)) return undefined;
  if (is(gap(mean)))
    return wrong("That is the difference against the mean itself. Give it as a share of that against the largest.");
  if (is(1 - expected)) return wrong("That is the share which is gone; left is the share that stays.");
  const mixed = { noising: mean.noising / max.noising, denoising: mean.denoising / max.denoising };
  if (is(mixed.noising) || is(mixed.denoising))
    return believes(
      "a sum says what a difference does",
      "That compares one sum with itself under the other measure. The question is about the difference of the two sums.",
    );
  return wrong(
    `left is ${left.toFixed(3)}. Against the mean the other word has another cost, too: measure it with the same option, and divide by it.`,
  );
}

function judgeReason(why: unknown, left: number): Verdict {
  const percent = `${(100 * left).toFixed(0)}%`;
  if (isEmpty(why)) return wrong(`larger and left are right: ${percent} is left. So why: "measure" or "stand-ins"?`);
  if (why !== "measure" && why !== "stand-ins")
    return wrong(`why must be "measure" or "stand-ins", not ${shown(why)}.`);
  const found = left < 0.5 ? "measure" : "stand-ins";
  if (why === found || Math.abs(left - 0.5) < UNDECIDED)
    return right(
      `${percent} of the difference is left without the threshold of the largest wrong letter. ${
        Math.abs(left - 0.5) < UNDECIDED
          ? "That is about half, so both reasons are as good."
          : found === "measure"
            ? "Most of it came from the measure; only the rest can be heads that stand in for each other."
            : "Most of it stays, so the measure is not the main reason. Of the two that leaves heads that stand in for each other; not that it proves them."
      }`,
    );
  return found === "measure"
    ? believes(
        "denoising larger = heads stand in for each other",
        `Heads that stand in for each other would repair more than they break under any measure. But only ${percent} of the difference is left without a largest wrong letter.`,
      )
    : believes(
        "it is only the measure",
        `Without a largest wrong letter ${percent} of the difference is still there: on this model the measure is not the main reason.`,
      );
}

/** What is asked for in `mattersButHardlyWrites`. */
interface QuietAnswer {
  readonly head: unknown;
  readonly costs: unknown;
  readonly writes: unknown;
}

/** One head, means over letters 2 and 3, in logits. */
interface HeadEffects extends HeadId {
  /** Lost when its output at A(i−1) comes from a prompt with other words before. */
  readonly costs: number;
  /** Its direct contribution to the logit difference. */
  readonly writes: number;
  /** Lost when the current word is another one, through this head everywhere. */
  readonly current: number;
}

interface QuietTruth {
  readonly heads: readonly HeadEffects[];
  /** The whole model's logit difference. */
  readonly clean: number;
}

/** Shares of the clean logit difference: what is "hardly", and what is nothing. */
const HARDLY = 0.05;
const NOTHING = 0.02;
/** A head that costs nearly as much as the first is as good an answer. */
const NEARLY = 0.9;

export const mattersButHardlyWrites = exercise({
  id: "matters-but-hardly-writes",
  title: "Who matters without writing?",
  difficulty: 3,
  minutes: 13,
  misconception: "important = writes",
  hints: [
    "Two measurements are ready: atLast says what is lost without a head at A(i−1), parts what each head writes. Put them side by side, one row a head.",
    "Take the mean of both over letters 2 and 3. Leave out the heads that write more than a twentieth of the clean logit difference, for or against; of the others, which one costs most?",
    'costs = −mean of change; writes = mean of logit_diff, for rows with kind: "head" and letter 2 or 3. It is below the layers of the heads that write most: what it does must reach them.',
  ],
  truth: quietHeads,
  judge(answer, { heads, clean }) {
    const { head, costs, writes } = (answer ?? {}) as Partial<QuietAnswer>;
    if (isEmpty(head)) return { verdict: "unanswered" };
    const quiet = heads.filter((one) => Math.abs(one.writes) < HARDLY * clean).sort((a, b) => b.costs - a.costs);
    const there = quiet.length > 0 && quiet[0].costs > NOTHING * clean;
    if (head === "none") return judgeNone(there ? quiet[0] : undefined);
    const chosen = heads.find((one) => headName(one) === headGiven(head));
    if (!chosen) return wrong(`head must be one of the model's, such as "0.1", or "none", not ${shown(head)}.`);
    if (!there || !quiet.some((one) => sameHead(one, chosen)) || chosen.costs < NEARLY * quiet[0].costs)
      return wrongHead(chosen, { heads, clean });
    return judgeEffects(chosen, { costs, writes });
  },
});

async function quietHeads({ model, data, seed }: ExerciseContext): Promise<QuietTruth> {
  const letters: readonly Letter[] = [2, 3];
  const options = { corrupted: resample(data, seed), letters };
  const atLast = { ...options, corruption: "previous_words", site: headSite("z", lastLetterPosition) } as const;
  const costs = await activationPatch(model, data, atLast);
  const current = await activationPatch(model, data, { ...options, corruption: "current_word", site: headSite() });
  const parts = where(await logitAttribution(model, data), { letter: letters });
  const all = (rows: readonly { readonly logit_diff: number }[]) => rows.reduce((sum, row) => sum + row.logit_diff, 0);
  const heads = allHeads(model.config).map((head) => ({
    ...head,
    costs: -mean(where(costs, head).map(({ change }) => change)),
    writes: mean(where(parts, { kind: "head", ...head }).map(({ logit_diff }) => logit_diff)),
    current: -mean(where(current, head).map(({ change }) => change)),
  }));
  return { heads, clean: all(parts) / letters.length };
}

const effects = ({ costs, writes }: HeadEffects) =>
  `its output at A(i−1) costs ${costs.toFixed(2)} logits, and it writes ${writes.toFixed(2)}`;

function judgeNone(found: HeadEffects | undefined): Verdict {
  return found
    ? believes(
        mattersButHardlyWrites.misconception,
        `There is one that writes only ${found.writes.toFixed(2)} logits itself, but whose output at A(i−1) costs ${found.costs.toFixed(2)}. Measure both for every head.`,
      )
    : right("No head of this model costs anything to speak of at A(i−1) without writing.");
}

/** Of a head that is not asked for: what it is instead. */
function wrongHead(chosen: HeadEffects, { heads, clean }: QuietTruth): Verdict {
  const first = (of: (head: HeadEffects) => number) =>
    heads.reduce((best, head) => (of(head) > of(best) ? head : best)) === chosen;
  const name = `Head ${headName(chosen)}`;
  const said = `${name}: ${effects(chosen)}.`;
  if (Math.abs(chosen.writes) >= HARDLY * clean)
    return believes(
      mattersButHardlyWrites.misconception,
      first(({ costs }) => costs)
        ? `${said} It matters most there, but it also writes: what it costs can be what it no longer writes. Who matters and does not write?`
        : `${said} It writes, which is no surprise. Look for one that hardly does, and without which the letter is lost.`,
    );
  if (first(({ current }) => current))
    return believes(
      "what matters somewhere matters everywhere",
      `${said} Another current word costs most through it (${chosen.current.toFixed(2)}), but that is at another place, with another corruption: take A(i−1) alone, and other words before.`,
    );
  return believes(
    "quiet = important",
    `${said} It hardly writes, but it hardly matters there either; others cost more.`,
  );
}

function judgeEffects(chosen: HeadEffects, given: { readonly costs: unknown; readonly writes: unknown }): Verdict {
  for (const what of ["costs", "writes"] as const) {
    const [value, expected] = [given[what], chosen[what]];
    if (isEmpty(value)) return wrong(`The head is right. Now say what makes you think so: ${what}, in logits.`);
    if (typeof value !== "number") return wrong(`${what} must be a number, not ${shown(value)}.`);
    const is = (other: number) => Math.abs(value - other) < 0.01;
    if (is(expected)) continue;
    if (is(-expected)) return wrong(`The head is right. ${what} has the wrong sign: it ${SIGNS[what]}.`);
    if (is(2 * expected)) return wrong(`${what} is a sum. Give the mean over letters 2 and 3.`);
    return wrong(`The head is right. ${what} is ${value.toFixed(2)}: it is the mean over letters 2 and 3, in logits.`);
  }
  return right(
    `Head ${headName(chosen)}: ${effects(chosen)}. So what it does must reach the logits through others: which ones, is lesson 4's.`,
  );
}

const SIGNS = { costs: "is what is lost, above 0 where change is below", writes: "is above 0 for the right letter" };
