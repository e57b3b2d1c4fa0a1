/** A wrong letter in place of a right one: which word does the next letter come from? */
import type * as tf from "@tensorflow/tfjs";
import { forward } from "../model/forward";
import type { Intervention } from "../model/hooks";
import { disposeRun, type Model } from "../model/model";
import { reusable } from "../model/plan";
import { checkSome } from "../numbers/check";
import { grid, range } from "../numbers/lists";
import { random } from "../numbers/random";
import { groupBy } from "../numbers/rows";
import { mean, meanAndStd } from "../numbers/statistics";
import { select } from "../prompts/acronyms";
import { checkPrompts, indexOf, lettersOf, type Prompts, readoutPositions, type Task } from "../prompts/task";
import { finiteLogits, letterReadout } from "./logit-difference";
import { type Batch, type Measurement, measureAll, measureIntervened, type StreamOptions } from "./measure";
import { putTokens } from "./writing";

/*
 * Two ways to find the next word. After the letter of word k in the place of letter j,
 *   looking up: the word after the one whose letter was written last, k + 1; nothing, if that was the last word or no word's letter;
 *   counting: by the place alone, word j + 1.
 * On the right letters they say the same, so that no experiment that gives the right letters can tell them apart. A model that knows nothing often
 * says the last token again; where that is what counting says (A1 = C2: word 2) it is no sign of counting.
 */

/** One letter put in the place of another. The letters at other places stay the right ones. */
export interface Forced {
  /** "A1". */
  readonly at: string;
  /** The word whose letter is put there instead; null: one that begins no word of the prompt. */
  readonly word: number | null;
}

/** What is said of one letter after a forced one. */
export interface ForcedRow {
  /** "A1 = C2"; "A1 = another". "A1 = C1" is what stands there anyway. */
  readonly forced: string;
  /** The letter that is read. */
  readonly letter: number;
  /** The word that the said letter belongs to: "C3"; "none": it begins no word. */
  readonly says: string;
  /** Which of the two ways predicts that word here; "counting or repeating" where it is the last letter's own word, too. */
  readonly way: "both" | "looking up" | "counting" | "counting or repeating" | "neither";
  /** Of the prompts. */
  readonly share: number;
  /** Of it over prompts: of 1 where that was said, 0 where it wasn't (n − 1). */
  readonly std: number;
  readonly n: number;
  /** Prompts that were left out, because two words begin with one letter: what is said could be either's. */
  readonly left_out: number;
}

export interface ForcingOptions extends StreamOptions {
  /** Draws the letters that begin no word. */
  readonly seed: number;
}

/**
 * Puts each word's letter, and one of no word, in each place where a letter is written, and counts what is said at every place from there on.
 * One clean run of each batch; of the others only what comes after the letter is computed.
 * Throws a RangeError if the task has no words or nothing written, a word's letter is neither read nor written, no prompt is left whose words begin with
 *   different letters, and as `measureAll`.
 * @returns a row for each letter that can be forced, each letter read from there on, and each word
 */
export async function forcedLetters(
  model: Model,
  data: Prompts,
  { seed, ...stream }: ForcingOptions,
): Promise<ForcedRow[]> {
  checkPrompts(data);
  const forcings = forcingsOf(data.task);
  const all = wordLetters(data);
  const apart = range(all.length).filter((p) => new Set(all[p]).size === all[p].length);
  checkSome("prompts whose words begin with different letters", apart);
  const [prompts, words] = [select(data, apart), apart.map((p) => all[p])];
  const source = random(seed, "letters of no word");
  const others = words.map((own) => source.pick(range(data.letters.length).filter((letter) => !own.includes(letter))));
  const put = (p: number, { word }: Forced) => data.letters[word === null ? others[p] : words[p][word - 1]];
  const said = await lettersSaid(
    model,
    prompts,
    forcings.map((forced) => ({ forced, ids: words.map((_, p) => put(p, forced)) })),
    stream,
  );
  const counted = { words, left_out: all.length - apart.length };
  return forcings.flatMap((forced, f) => rowsOf(data.task, forced, said[f], counted));
}

/** Throws a RangeError if there are none. */
function forcingsOf(task: Task): Forced[] {
  const { words = [], written = [] } = task;
  if (words.length === 0 || written.length === 0)
    throw new RangeError(
      `${task.name} have no words or no letter already written (the task's \`words\`, \`written\`); there is nothing to force`,
    );
  return grid({ at: written.map(({ at }) => at), word: [...words.map((_, i) => i + 1), null] });
}

/** The letter each word begins with, `[prompt][word]`, as an index into `letters`. */
function wordLetters({ task, tokens, answerLetters, letters }: Prompts): number[][] {
  const places = (task.words ?? []).map((_, i) => {
    const column = lettersOf(task).indexOf(i + 1);
    const written = task.written?.find(({ letter }) => letter === i + 1);
    if (column < 0 && !written)
      throw new RangeError(
        `${task.name}: the letter of word ${i + 1} is neither read nor written, so it can't be recognised`,
      );
    return { column, pos: written && indexOf(task, written.at) };
  });
  return tokens.map((row, p) =>
    places.map(({ column, pos }) => (column < 0 ? letters.indexOf(row[pos!]) : answerLetters[p][column])),
  );
}

/** The likeliest candidate at each read-out, `[point][prompt][read-out]`. */
function lettersSaid(
  model: Model,
  data: Prompts,
  points: readonly { forced: Forced; ids: readonly number[] }[],
  stream: StreamOptions,
): Promise<number[][][]> {
  const readout = letterReadout(data);
  const open = ({ prompts, rows }: Batch): Measurement<(typeof points)[number]> => {
    const from = forward(model, prompts.tokens, { keep: reusable(model.config), readout: "none" });
    const intervene = ({ forced, ids }: (typeof points)[number]): Intervention =>
      putTokens(model, indexOf(data.task, forced.at), rows(ids));
    const read = (logits: tf.Tensor3D) => {
      finiteLogits(logits, { first: prompts.first });
      return logits.argMax(-1).arraySync() as number[][];
    };
    return { measureFrom: measureIntervened({ from, readout, intervene, read }), close: () => disposeRun(from) };
  };
  return measureAll(data, points, open, stream);
}

const NONE = "none";

function rowsOf(
  task: Task,
  { at, word }: Forced,
  said: readonly (readonly number[])[],
  { words, left_out }: { readonly words: readonly (readonly number[])[]; readonly left_out: number },
): ForcedRow[] {
  const positions = readoutPositions(task);
  const later = task.readouts.map((_, i) => i).filter((i) => positions[i] >= indexOf(task, at));
  const count = words[0].length;
  return later.flatMap((column) => {
    const { letter } = task.readouts[column];
    // further on the right letter stands between: the last one written is word letter − 1's again
    const last = positions[column] === indexOf(task, at) ? word : letter - 1;
    return [...range(count).map((i) => i + 1), null].map((one) => {
      const is = (p: number) =>
        one === null ? !words[p].includes(said[p][column]) : said[p][column] === words[p][one - 1];
      const { mean: share, std } = meanAndStd(words.map((_, p) => Number(is(p))));
      const [up, on] = [one !== null && last !== null && one === last + 1, one === letter];
      const counting = one === last ? "counting or repeating" : "counting";
      return {
        forced: `${at} = ${word === null ? "another" : `C${word}`}`,
        letter,
        says: one === null ? NONE : `C${one}`,
        way: up && on ? "both" : up ? "looking up" : on ? counting : "neither",
        share,
        std,
        n: words.length,
        left_out,
      } as const;
    });
  });
}

/** How often either way is right about a forced letter. */
export interface WaysRow {
  readonly forced: string;
  readonly letter: number;
  /** null where looking up says nothing: after the last word, or no word's letter. */
  readonly looking_up: number | null;
  /** null where it would be repeating the forced letter. */
  readonly counting: number | null;
  readonly n: number;
}

/** A row for each forced letter of which the two ways don't say the same, of the letter read right after it. */
export function waysOf(rows: readonly ForcedRow[]): WaysRow[] {
  return [...groupBy(rows, ({ forced, letter }) => `${forced}, ${letter}`).values()].flatMap((own) => {
    if (own.some(({ way }) => way === "both")) return [];
    const share = (way: ForcedRow["way"]) => own.find((row) => row.way === way)?.share ?? null;
    const [{ forced, letter, n }] = own;
    return [{ forced, letter, looking_up: share("looking up"), counting: share("counting"), n }];
  });
}

/**
 * The mean share of each way over all forced letters for which looking up says something: of acronyms of three letters C2 at A1 and C1 at A2.
 * Throws a RangeError if a way says nothing anywhere.
 */
export function meanWays(rows: readonly ForcedRow[]): { looking_up: number; counting: number } {
  const told = waysOf(rows).filter(({ looking_up }) => looking_up !== null);
  const over = (way: "looking_up" | "counting") => mean(told.flatMap((row) => row[way] ?? []));
  return { looking_up: over("looking_up"), counting: over("counting") };
}
