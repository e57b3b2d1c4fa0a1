/** Lesson 4: how letter movers find the word (query, key), what they copy (value), and how words are told apart at all. */
import * as tf from "@tensorflow/tfjs";
import { attentionRows, ovInPrompts } from "../../experiments/attention";
import { inputSite } from "../../experiments/averaged-inputs";
import { diagonalStatistics, type OvMatrix, ovCircuit } from "../../experiments/ov-circuit";
import { activationPatch } from "../../experiments/patching";
import { checkHeads, type HeadId, headList } from "../../model/heads";
import { edit } from "../../model/hooks";
import { shown } from "../../numbers/check";
import { range } from "../../numbers/lists";
import { where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import { CORRUPTIONS, type Corruption, resample } from "../../prompts/corruption";
import { POSITIONS } from "../../prompts/positions";
import { attempt, believes, type ExerciseContext, exercise, isEmpty, right, type Verdict, wrong } from "../exercise";

/** What is found for these heads, measured once for each list of them. */
export function remembered<T>(
  measure: (heads: readonly HeadId[]) => Promise<T>,
): (heads: readonly HeadId[]) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (heads) => {
    const found = known.get(headList(heads)) ?? measure(heads);
    known.set(headList(heads), found);
    return found;
  };
}

/** The heads that an answer is about; or what is wrong with them. */
export function headsOf(heads: unknown, { model }: ExerciseContext): readonly HeadId[] | Verdict {
  if (!Array.isArray(heads) || heads.length === 0) return wrong("heads must be a list of heads: leave it as movers.");
  const own = attempt(() => checkHeads(model.config, heads));
  return "problem" in own ? wrong(`These heads can't be looked at: ${own.problem}.`) : heads;
}

const INPUTS = ["q", "k", "v"] as const;
type Input = (typeof INPUTS)[number];
const NAMES: Readonly<Record<Input, string>> = { q: "queries", k: "keys", v: "values" };

/** What is lost through each input, means over letters 2 and 3, in logits. */
type Losses = Readonly<Record<Input, number>>;

/** An input that loses nearly as much as the first is as good an answer. */
const NEARLY = 0.9;

/** What a wrong answer shows; the first that fits. */
const INPUT_MISTAKES: readonly {
  readonly corruption: Corruption;
  readonly input: Input;
  readonly misconception: string;
  readonly why: string;
}[] = [
  {
    corruption: "previous_letters",
    input: "v",
    misconception: "another letter is another value",
    why: "A value is made where the head looks, at a word's C. The letters come after all words, and nothing flows back: values there are what they were.",
  },
  {
    corruption: "previous_letters",
    input: "k",
    misconception: "keys know what comes later",
    why: "A key is made where the head looks, at a word's C. The letters come after all words, and nothing flows back: keys there are what they were. What is made at the letter itself?",
  },
  {
    corruption: "previous_words",
    input: "v",
    misconception: "what is corrupted is what is copied",
    why: "The right letter still stands at Ci, and its value is nearly what it was. What changes is where the head looks.",
  },
  {
    corruption: "previous_words",
    input: "k",
    misconception: "other words have other keys",
    why: "The word that is wanted is where it was, and still is the second or third: its key can say so. What no longer fits is what is looked for.",
  },
  {
    corruption: "current_word",
    input: "q",
    misconception: "to find is to copy",
    why: "The query is made at the last letter, and says which word is next: that is the same, whatever the word. The head finds its word, and copies another letter.",
  },
  {
    corruption: "current_word",
    input: "k",
    misconception: "to find is to copy",
    why: "If keys carried the letter, the head would no longer find the word. It does: it looks there, and copies what it finds.",
  },
];

export const queryKeyValue = exercise({
  id: "query-key-value",
  title: "Which input is hurt?",
  difficulty: 2,
  minutes: 12,
  misconception: "another letter is another value",
  hints: [
    "A query is made where the letter is read, a key and a value where the head looks. Which of these places have another token in the corrupted prompt, or come after one?",
    "activationPatch with site: inputSite(movers) replaces all queries, all keys, all values or all outputs; a row has its input. Ask it once for each of the three corruptions, with letters: [2, 3].",
    "For each corruption take the mean of change over both letters, for q, k and v. The one that is farthest below 0 is hurt most.",
  ],
  truth: (context) => remembered((heads) => inputLosses(context, heads)),
  async judge(answer, lossesOf, context) {
    const { heads, hurt } = (answer ?? {}) as { readonly heads?: unknown; readonly hurt?: unknown };
    if (isEmpty(hurt)) return { verdict: "unanswered" };
    const own = headsOf(heads, context);
    if ("verdict" in own) return own;
    return judgeHurt(hurt, await lossesOf(own));
  },
});

async function inputLosses({ model, data, seed }: ExerciseContext, heads: readonly HeadId[]) {
  const options = { site: inputSite(heads), corrupted: resample(data, seed), letters: [2, 3] } as const;
  const found: [Corruption, Losses][] = [];
  for (const corruption of CORRUPTIONS) {
    const rows = await activationPatch(model, data, { ...options, corruption });
    const lost = (input: Input) => -mean(where(rows, { input }).map(({ change }) => change));
    found.push([corruption, { q: lost("q"), k: lost("k"), v: lost("v") }]);
  }
  return Object.fromEntries(found) as Record<Corruption, Losses>;
}

/** "0.00" for what rounds to nothing, on either side. */
const logits = (loss: number) => loss.toFixed(2).replace(/^-(0\.0*)$/, "$1");
const numbers = (losses: Losses) => INPUTS.map((input) => `${NAMES[input]} ${logits(losses[input])}`).join(", ");

function judgeHurt(hurt: unknown, losses: Readonly<Record<Corruption, Losses>>): Verdict {
  if (typeof hurt !== "object") return wrong('hurt must say "q", "k" or "v" for each of the three corruptions.');
  for (const corruption of CORRUPTIONS.toReversed()) {
    const input = (hurt as Partial<Record<Corruption, unknown>>)[corruption];
    const said = corruption.replace("_", " ");
    if (isEmpty(input)) return wrong(`What of ${said}? Say "q", "k" or "v" for it.`);
    if (!INPUTS.includes(input as Input)) return wrong(`For ${said} say "q", "k" or "v", not ${shown(input)}.`);
    const own = losses[corruption];
    const most = Math.max(...INPUTS.map((one) => own[one]));
    if (own[input as Input] >= NEARLY * most) continue;
    const evidence = `With other ${PLURALS[corruption]}, logits lost through ${numbers(own)}.`;
    const mistake = INPUT_MISTAKES.find((one) => one.corruption === corruption && one.input === input);
    return mistake ? believes(mistake.misconception, `${evidence} ${mistake.why}`) : wrong(evidence);
  }
  return right(
    `Logits lost with other letters: ${numbers(losses.previous_letters)}; with another current word: ${numbers(losses.current_word)}. So which word is next, and which letter stands there, come in through different doors.`,
  );
}

const PLURALS = { current_word: "current words", previous_words: "previous words", previous_letters: "letters" };

/** What is asked for in `embeddingOrStream`. */
interface CopyAnswer {
  readonly heads: unknown;
  readonly copied: unknown;
  readonly from: unknown;
}

interface CopySources {
  readonly embedding: OvMatrix;
  readonly stream: OvMatrix;
}

/** The share of capitals from which on heads are said to copy. */
const COPIES = 0.75;

const copiedOf = (matrix: OvMatrix) => diagonalStatistics(matrix).copied;

export const embeddingOrStream = exercise({
  id: "embedding-or-stream",
  title: "Copied from where?",
  difficulty: 2,
  minutes: 12,
  misconception: "weights alone show what a head copies",
  hints: [
    "A row is a capital that is looked at, its 26 numbers are what is then written for each capital. When would you say that this one is copied?",
    "matrix[i][i] is the capital's own number: it must be the largest of its row, Math.max(...matrix[i]). Leave out rows that are null: no word of these prompts begins so.",
    "Divide by the number of rows that are not null. Then compare copied(embedding) and copied(stream) with three quarters.",
  ],
  truth: (context) => remembered((heads) => copySources(context, heads)),
  async judge(answer, sourcesOf, context) {
    const { heads, copied, from } = (answer ?? {}) as Partial<CopyAnswer>;
    if (isEmpty(copied)) return { verdict: "unanswered" };
    if (typeof copied !== "function") return wrong("copied must be a function of a matrix.");
    const own = headsOf(heads, context);
    if ("verdict" in own) return own;
    const sources = await sourcesOf(own);
    return judgeCopied(copied as CopyFunction, sources) ?? judgeSource(from, sources);
  },
});

async function copySources(
  { model, data, tokenizer }: ExerciseContext,
  heads: readonly HeadId[],
): Promise<CopySources> {
  const capitals = { from: tokenizer.spaceLetters, to: tokenizer.letters };
  return { embedding: ovCircuit(model, heads, capitals), stream: await ovInPrompts(model, data, heads) };
}

type CopyFunction = (matrix: (number[] | null)[]) => unknown;

const known = (matrix: OvMatrix) => matrix.flatMap((row, i) => (row === null ? [] : [{ row, i }]));

/** What one may count instead, and what it shows. */
const COPY_MISTAKES: readonly { of: (matrix: OvMatrix) => number; misconception: string; why: string }[] = [
  {
    of: (matrix) => known(matrix).filter(({ row, i }) => row[i] > 0).length / known(matrix).length,
    misconception: "above 0 = copied",
    why: "You count the capitals whose own number is above 0. Another letter's can be larger, and then that one is written: the own must be the largest of its row.",
  },
  {
    of: (matrix) =>
      known(matrix).filter(({ row, i }) => known(matrix).every((other) => other.row[i] <= row[i])).length /
      known(matrix).length,
    misconception: "rows and columns are the same",
    why: "You look for the largest of a column: that says which capital writes most for this letter. What is written for one capital that is looked at is a row.",
  },
  {
    of: (matrix) => known(matrix).filter(({ row, i }) => row[i] === Math.max(...row)).length / matrix.length,
    misconception: "not seen = not copied",
    why: "You divide by 26. Rows that are null are capitals that begin no word of these prompts: nothing is known of them, so leave them out below the line, too.",
  },
  {
    of: (matrix) => known(matrix).filter(({ row, i }) => row[i] === Math.max(...row)).length,
    misconception: "a count is a share",
    why: "That is how many are copied. Divide by how many there are, without the rows that are null.",
  },
];

const isNear = (value: unknown, expected: number) => typeof value === "number" && Math.abs(value - expected) < 1e-6;

function judgeCopied(copied: CopyFunction, { embedding, stream }: CopySources): Verdict | undefined {
  const turned = embedding.map((_, i) => known(embedding).map(({ row }) => row[i])); // rows and columns exchanged
  const matrices = [embedding, stream, turned];
  const values = attempt(() => matrices.map((matrix) => copied(matrix.map((row) => row && [...row]))));
  if ("problem" in values)
    return wrong(`Your function stops with an error: ${values.problem}. Does it leave out rows that are null?`);
  if (values.given.every((value) => value === undefined)) return { verdict: "unanswered" };
  const [all, complete] = [
    [0, 1, 2],
    [0, 2],
  ]; // of the matrices; complete: without null rows
  const equals = (of: (matrix: OvMatrix) => number, which: readonly number[]) =>
    which.every((i) => isNear(values.given[i], of(matrices[i])));
  if (equals(copiedOf, all)) return undefined;
  const slip = (which: readonly number[]) => COPY_MISTAKES.find(({ of }) => equals(of, which));
  // a slip may come with another one about null rows
  const mistake = slip(all) ?? (equals(copiedOf, complete) ? undefined : slip(complete));
  if (mistake) return believes(mistake.misconception, mistake.why);
  const shares = [embedding, stream].map((matrix) => copiedOf(matrix).toFixed(3));
  const own = values.given.slice(0, 2).map((value) => (typeof value === "number" ? value.toFixed(3) : shown(value)));
  return wrong(
    `Your function gives ${own.join(" and ")} for embedding and stream; the shares are ${shares.join(" and ")}.`,
  );
}

function judgeSource(from: unknown, { embedding, stream }: CopySources): Verdict {
  const percent = (matrix: OvMatrix) => `${(100 * copiedOf(matrix)).toFixed(0)}%`;
  const evidence = `From the embedding ${percent(embedding)} of the capitals are copied, from what stands at C ${percent(stream)}; by chance it were 4%.`;
  const [fromEmbedding, fromStream] = [copiedOf(embedding) >= COPIES, copiedOf(stream) >= COPIES];
  const found = fromEmbedding && fromStream ? "both" : fromEmbedding ? "embedding" : fromStream ? "stream" : "neither";
  if (isEmpty(from)) return wrong(`copied is right. ${evidence} So where do they copy from? Say it as from.`);
  if (from === found) return right(`${evidence} ${MEANINGS[found]}`);
  if (from === "embedding" || from === "both")
    return believes(
      embeddingOrStream.misconception,
      `${evidence} ${fromEmbedding ? "" : "The weights between embedding and logits are there, but no head above layer 0 ever meets a bare embedding; ask what it really reads. "}Three quarters were asked for.`,
    );
  if (from === "neither")
    return believes("no diagonal from the embedding = no copying", `${evidence} Look at both sources.`);
  if (from === "stream")
    return believes("the stream alone holds the letter", `${evidence} Three quarters were asked for, of each source.`);
  return wrong(`from must be "embedding", "stream", "both" or "neither", not ${shown(from)}.`);
}

const MEANINGS = {
  stream:
    "What the layers below have made of the letter is what these heads read; the bare embedding does not show it.",
  both: "The letter is legible to these heads from the start, and still is where they look.",
  embedding: "In these prompts something covers what the embedding alone would show.",
  neither: "So neither shows these heads to copy: are they letter movers at all?",
};

/** What is asked for in `evenAttention`. */
interface EvenAnswer {
  readonly toBos: unknown;
  readonly place: unknown;
}

/** What is written instead of 1 / (i + 1), and what it shows. */
const EVEN_MISTAKES: readonly { of: (i: number) => number; misconception: string; why: string }[] = [
  {
    of: () => 1 / POSITIONS.length,
    misconception: "every token sees the whole prompt",
    why: `You share attention among all ${POSITIONS.length} tokens. The causal mask hides those that come later: how many are left at position i?`,
  },
  {
    of: (i) => 1 / i,
    misconception: "a token does not see itself",
    why: "That counts the tokens before position i. A token attends to itself, too, and BOS at position 0 would have nothing to look at.",
  },
  {
    of: (i) => 1 / (POSITIONS.length - i),
    misconception: "the mask hides what came before",
    why: "That counts the tokens from position i on. The causal mask lets a token see itself and what came before.",
  },
  {
    of: (i) => 1 - 1 / (i + 1),
    misconception: "what BOS gets is what the others get",
    why: "That is what all other tokens get together. BOS gets one share.",
  },
];

export const evenAttention = exercise({
  id: "even-attention",
  title: "A clock without a clockmaker",
  difficulty: 2,
  minutes: 12,
  misconception: "no embedding, no order",
  hints: [
    "How many tokens does the token at position i see, itself and BOS included? Count for i = 0, 1, 2.",
    "Even attention gives each of these the same, and a row of a pattern adds up to 1.",
    "For place solve your formula for i: from a = 1 / (number of tokens seen) follows the number, and from the number the position.",
  ],
  truth: evenPattern,
  judge(answer, expected) {
    const { toBos, place } = (answer ?? {}) as Partial<EvenAnswer>;
    if (isEmpty(toBos)) return { verdict: "unanswered" };
    if (typeof toBos !== "function") return wrong("toBos must be a function of i, the position counted from 0.");
    return judgeToBos(toBos as (i: number) => unknown, expected) ?? judgePlace(place, expected);
  },
});

/** Attention to BOS by position, of a head of this model whose scores are all the same. */
async function evenPattern({ model, data }: ExerciseContext): Promise<readonly number[]> {
  const even = edit("blocks.0.attn.hook_attn_scores", (scores) =>
    tf.where(scores.greater(-1e30), tf.zerosLike(scores), scores),
  );
  const rows = await attentionRows(model, data, [{ layer: 0, head: 0 }], { intervene: () => even });
  return POSITIONS.map((query) => where(rows, { query, key: "BOS" })[0].attention);
}

const same = (value: unknown, expected: number) => typeof value === "number" && Math.abs(value - expected) < 1e-4;

function judgeToBos(toBos: (i: number) => unknown, expected: readonly number[]): Verdict | undefined {
  const values = attempt(() => range(expected.length).map((i) => toBos(i)));
  if ("problem" in values) return wrong(`toBos stops with an error: ${values.problem}.`);
  if (values.given.every((value) => value === undefined)) return { verdict: "unanswered" };
  const odd = values.given.findIndex((value, i) => !same(value, expected[i]));
  if (odd < 0) return undefined;
  const mistake = EVEN_MISTAKES.find(({ of }) => values.given.every((value, i) => i === 0 || same(value, of(i))));
  if (mistake) return believes(mistake.misconception, mistake.why);
  return wrong(
    `toBos(${odd}) is ${String(values.given[odd])}; a head whose scores are all the same gives BOS ${expected[odd].toFixed(3)} from ${POSITIONS[odd]}, position ${odd}.`,
  );
}

function judgePlace(place: unknown, expected: readonly number[]): Verdict {
  const tell = (values: readonly unknown[]) => values.map((value) => String(value)).join(", ");
  if (typeof place !== "function") return wrong("toBos is right. Now place: a function of the attention to BOS.");
  const values = attempt(() => expected.map((attention) => (place as (attention: number) => unknown)(attention)));
  if ("problem" in values) return wrong(`place stops with an error: ${values.problem}.`);
  const places = values.given;
  if (places.every((value) => value === undefined))
    return wrong('toBos is right. Now place: a position, or "impossible".');
  if (places.every((value) => value === "impossible" || value === null || Number.isNaN(value)))
    return believes(
      evenAttention.misconception,
      `Your own toBos gives ${expected.length} different numbers for ${expected.length} positions, and no embedding went into it: the mask alone tells them apart. Which position has attention 1/3 to BOS?`,
    );
  // a float32 attention gives a position that is nearly whole
  const is = (shift: number) =>
    places.every((value, i) => typeof value === "number" && Math.abs(value - i - shift) < 0.01);
  if (is(0))
    return right(
      `C1, C2 and C3 give BOS ${[2, 4, 6].map((i) => expected[i].toFixed(3)).join(", ")} of their attention, measured on this model's layer 0: the words are told apart without any position embedding.`,
    );
  if (is(1))
    return believes(
      "positions count from 1",
      "You give the number of tokens that are seen. The last of them has that number less one: BOS is at position 0.",
    );
  return wrong(`For positions 0 to ${expected.length - 1} your place gives ${tell(places)}.`);
}
