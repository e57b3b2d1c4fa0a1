/** Lesson 7: one short exercise each from notebooks 02, 04, 05 and 08, about what a measurement does not say. */
import { attributionByPart, logitAttribution } from "../../experiments/attribution";
import { bosProbes, wordProbes } from "../../experiments/word-probes";
import { swapBosOfPairs } from "../../experiments/word-swaps";
import { circuitReceivers, followPaths } from "../../groups/followed-paths";
import { EVEN_PREVIOUS_TOKENS } from "../../groups/group-tables";
import { allHeads, headName } from "../../model/heads";
import { shown } from "../../numbers/check";
import { where } from "../../numbers/rows";
import { resample } from "../../prompts/corruption";
import { position } from "../../prompts/positions";
import { believes, exercise, isEmpty, right, type Verdict, wrong } from "../exercise";
import { headsGiven } from "./heads-given";
import { levelsOf } from "./letter-levels";
import { headsOf, remembered } from "./reading";

const LETTER = 3;
const logits = (value: number) => value.toFixed(2);

export const downAndUp = exercise({
  id: "down-and-up",
  title: "Down above, up below",
  difficulty: 1,
  minutes: 6,
  misconception: "against the letter's logit = against the letter",
  hints: [
    "A part can lower all capitals alike, the right one too. What does that change about who wins?",
    "attributionByPart(rows) has a row for each part and letter, with logit and logit_diff. Look for one below 0 and one above.",
    "where(attributionByPart(rows), { letter: 3 }).filter((row) => row.logit < 0 && row.logit_diff > 0), and take the part of any row that is left.",
  ],
  truth: async ({ model, data }) =>
    where(attributionByPart(await logitAttribution(model, data)), { letter: LETTER }).map(
      ({ part, logit, logit_diff }) => ({ part, logit, logit_diff }),
    ),
  judge(answer, parts): Verdict {
    const fitting = parts.filter(({ logit, logit_diff }) => logit < 0 && logit_diff > 0);
    if (answer === "none")
      return fitting.length === 0
        ? right("No part of this model lowers the right letter's logit and raises its lead.")
        : believes(
            downAndUp.misconception,
            "There is one. A letter wins by its lead over the others, not by its logit: who lowers a rival more than the right letter helps it.",
          );
    const own = parts.find(({ part }) => part === answer);
    if (!own) return wrong(`Give a part's name, or "none". There are ${parts.map(({ part }) => part).join(", ")}.`);
    const numbers = `${own.part} adds ${logits(own.logit)} to the logit of letter ${LETTER}, and ${logits(own.logit_diff)} to the logit difference.`;
    if (fitting.includes(own))
      return right(`${numbers} It lowers the right letter, and its strongest rival more: only differences decide.`);
    if (own.logit < 0)
      return believes(
        downAndUp.misconception,
        `${numbers} It lowers both: that one does work against the letter. Wanted is one that only seems to.`,
      );
    return believes("a high logit is a lead", `${numbers} Wanted is a part that is below 0 in the first of them.`);
  },
});

const INPUTS = ["query", "key", "value"] as const;
/** An input that hears nearly as much as the first is as good an answer. */
const NEARLY = 0.9;
/** Of a clean logit difference: what is lost by less is not called a path. */
const HEARD = 0.01;

const INPUT_MISTAKES = {
  query: {
    misconception: "who looks must know the order",
    why: "Order was taken away at C1, C2 and C3. A query is made where a letter is read, after all words: it says which word is wanted. The words must answer.",
  },
  value: {
    misconception: "what is copied says where it stood",
    why: "A value is what is copied, the letter. It may carry the place along, but that is not what the head is found by.",
  },
  key: {
    misconception: "a key is the only thing that is found",
    why: "On this model more is lost by another input: measure, don't conclude.",
  },
} as const;

export const whereOrderComesIn = exercise({
  id: "where-order-comes-in",
  title: "Where does order come in?",
  difficulty: 2,
  minutes: 8,
  misconception: "who looks must know the order",
  hints: [
    "Order is taken away at C1, C2 and C3. Which of a head's three inputs are made there?",
    'followPaths(model, data, circuitReceivers(circuit), { corrupted, lost: "order" }) has a row for each path; its into says the receiver, such as "mover key".',
    'Of all rows into "mover …" take the one whose change is lowest, as a share of its letter\'s clean logit difference. The end of its into is the answer.',
  ],
  truth: (context) =>
    remembered(async (heads) => {
      const { model, data, seed } = context;
      const clean = await levelsOf(context);
      const receivers = circuitReceivers({ letter_movers: [...heads], propagation: [] });
      const options = { corrupted: resample(data, seed), lost: "order" } as const;
      const rows = await followPaths(model, data, receivers, options);
      const lost = (input: string) =>
        Math.max(0, ...where(rows, { into: `mover ${input}` }).map((row) => -row.change / clean[row.letter - 1]));
      return INPUTS.map((input) => ({ input, lost: lost(input) }));
    }),
  async judge(answer, lossesOf, context) {
    const { heads, input } = (answer ?? {}) as { readonly heads?: unknown; readonly input?: unknown };
    if (isEmpty(input)) return { verdict: "unanswered" };
    const movers = headsOf(heads, context);
    if ("verdict" in movers) return movers;
    const losses = await lossesOf(movers);
    const most = Math.max(...losses.map(({ lost }) => lost));
    const share = (lost: number) => `${(100 * lost).toFixed(0)}%`;
    const evidence = `Of a letter's logit difference the strongest path loses ${losses.map((one) => `${share(one.lost)} through the ${one.input}`).join(", ")}.`;
    if (input === "none")
      return most < HEARD
        ? right(`${evidence} So no head below tells the movers which word is which.`)
        : believes("what no other prompt takes away is not there", `${evidence} It was there in every prompt alike.`);
    const own = losses.find((one) => one.input === input);
    if (!own) return wrong(`input must be "query", "key", "value" or "none", not ${shown(input)}.`);
    if (most < HEARD) return wrong(`${evidence} That is next to nothing through any of them.`);
    if (own.lost >= NEARLY * most)
      return right(
        `${evidence} That is the part of the circuit which patching from other prompts can't see: they have the same places.`,
      );
    const { misconception, why } = INPUT_MISTAKES[own.input];
    return believes(misconception, `${evidence} ${why}`);
  },
});

const WORDS = [1, 2, 3].map((word) => position(`C${word as 1 | 2 | 3}`));
/** The mean over the words of a share of attention, by a word's position. */
const overWords = (share: (at: number) => number) => WORDS.reduce((sum, at) => sum + share(at), 0) / WORDS.length;

/** What one may count instead, and what it shows. */
const BASELINE_MISTAKES: readonly { readonly of: number; readonly misconception: string; readonly why: string }[] = [
  {
    of: 0,
    misconception: "no preference, no attention",
    why: "A head must put its attention somewhere: a row adds up to 1. One that prefers nothing gives every token that it sees the same.",
  },
  {
    of: 3 / 11,
    misconception: "every token sees the whole prompt",
    why: "That is three of eleven. The causal mask hides the later tokens: C1, at position 2, sees three tokens in all.",
  },
  {
    of: overWords((at) => Math.min(3, at - 1) / at),
    misconception: "a token does not see itself",
    why: "That shares attention among the tokens before. A token sees itself, too.",
  },
  {
    of: overWords((at) => Math.min(3, at) / (at + 1)),
    misconception: "BOS is a token like any other",
    why: "That counts BOS among the tokens before C1. The column doesn't: at BOS heads look that have nothing to do, so C1 has a single token before it.",
  },
  {
    of: 0.5,
    misconception: "a share without an opinion is a half",
    why: "Count: how many tokens does C1 see, and how many of them are meant? Then C2, C3, and the mean.",
  },
];

export const evenBaseline = exercise({
  id: "even-baseline",
  title: "A lot, compared with what?",
  difficulty: 2,
  minutes: 8,
  misconception: "no preference, no attention",
  hints: [
    "Even attention gives each token that is seen the same. How many tokens does C1, at position 2, see? Itself and BOS are among them.",
    "Of those, count the ones that are meant: the three before, without BOS. For C1 that is one (The), for C2 and C3 three.",
    "C2 is at position 4 and C3 at position 6. Take the three shares, and their mean.",
  ],
  truth: () => EVEN_PREVIOUS_TOKENS,
  judge(answer, share) {
    if (typeof answer !== "number" || !Number.isFinite(answer))
      return wrong(`Give a number between 0 and 1, not ${shown(answer)}.`);
    const is = (value: number) => Math.abs(answer - value) < 0.006;
    if (is(share))
      return right(
        `${share.toFixed(3)}: so much a head gives the tokens before without preferring anything. A criterion below that keeps out who looks elsewhere, and proves no preference.`,
      );
    if (answer > 1 && is(share * 100)) return wrong("As a share, please: 1 is all attention.");
    const mistake = BASELINE_MISTAKES.find(({ of }) => is(of));
    if (mistake) return believes(mistake.misconception, mistake.why);
    return wrong(`It is not ${answer}. Work it out for C1 first: tokens that are meant / tokens that are seen.`);
  },
});

/** Accuracy from which on a place is said to be read. */
const READ = 0.9;
/** Of a letter's logit difference: an exchange that costs less, for each pair and letter, is said to be not used. */
const UNUSED = 0.02;

export const readNotUsed = exercise({
  id: "read-not-used",
  title: "Read, but not used",
  difficulty: 3,
  minutes: 12,
  misconception: "what can be read is used",
  hints: [
    "Two measurements are needed: a probe says what can be read, an exchange says what the model does with it. Which heads pass the first and fail the second?",
    'headRows has the probes\' accuracy: where(headRows, { read: "BOS attention", run: "intact" }). bosSwaps has what each exchange costs, by head, pair and letter.',
    "Of the heads with accuracy 0.9 or more, keep those whose every row in bosSwaps has a change above −0.02 × the letter's clean logit difference.",
  ],
  async truth(context) {
    const { model, data, seed } = context;
    const levels = await levelsOf(context);
    if (data.prompts.length < 2) return [];
    const probes = await wordProbes(model, data, { site: bosProbes, seeds: [seed] });
    const swaps = await swapBosOfPairs(model, data);
    return allHeads(model.config).map(({ layer, head }) => {
      const [{ accuracy }] = where(probes, { layer, head });
      const costs = where(swaps, { layer, head }).map((row) => -row.change / levels[row.letter - 1]);
      return { name: headName({ layer, head }), accuracy, cost: Math.max(0, ...costs) };
    });
  },
  judge(answer, heads, { model }): Verdict {
    const fits = ({ accuracy, cost }: (typeof heads)[number]) => accuracy >= READ && cost < UNUSED;
    const percent = (value: number) => `${(100 * value).toFixed(1)}%`;
    if (answer === "none")
      return heads.some(fits)
        ? believes(
            readNotUsed.misconception,
            "There is one: its attention to BOS tells the three words apart, and exchanging it costs next to nothing.",
          )
        : right("Of the heads that tell the place, each exchange costs something at some letter.");
    const given = headsGiven([answer], model);
    if (typeof given === "string") return wrong(`Give one head, such as "0.0", or "none".`);
    const own = heads.find(({ name }) => name === headName(given[0]));
    if (!own) return wrong("With a single prompt there is no probe: take more prompts.");
    const numbers = `A probe finds the place from ${own.name}'s attention to BOS in ${percent(own.accuracy)} of the words; to exchange it costs at most ${percent(own.cost)} of a letter's logit difference.`;
    if (fits(own))
      return right(`${numbers} The place stands there to be read, and nothing that the letters need reads it.`);
    if (own.accuracy >= READ)
      return believes(readNotUsed.misconception, `${numbers} That one is read *and* used: what is lost says so.`);
    return believes(
      "not used = not read",
      `${numbers} The place can't be read from it well enough (${percent(READ)} was asked for; chance is 33%), so that it is not used shows nothing.`,
    );
  },
});
