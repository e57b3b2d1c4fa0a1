import { type AttentionRow, attentionRows, writtenBy } from "../experiments/attention";
import { letterReadout, logitDiffs } from "../experiments/logit-difference";
import {
  type Batch,
  columnMean,
  type LetterEffect,
  type Measurement,
  measureAll,
  type StreamOptions,
} from "../experiments/measure";
import { ordinalAblation } from "../experiments/order-ablation";
import { headSite } from "../experiments/patch-sites";
import { activationPatch } from "../experiments/patching";
import { pathPatch } from "../experiments/path-patching";
import { reporter } from "../experiments/progress";
import { forward } from "../model/forward";
import { allHeads, type HeadId, headName } from "../model/heads";
import { disposeRun, type Model, type Tokens } from "../model/model";
import { share } from "../numbers/statistics";
import type { Corruption } from "../prompts/acronym-task";
import { lastLetterPosition, wordPosition } from "../prompts/positions";
import {
  columnOf,
  indexOf,
  lettersOf,
  lettersOfWords,
  type Prompts,
  readoutPositions,
  type Task,
  wordPositions,
  wordStart,
} from "../prompts/task";
import type { HeadEvidence } from "./classify";

export interface EvidenceOptions extends StreamOptions {
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
}

type HeadEffect = HeadId & LetterEffect<number>;

/** Acronyms, of any length and template. */
type Acronyms = Task<string, number, Corruption>;

/**
 * Everything that `classifyHeads` asks of each head, measured on a model. `null`: the model gives no letter a logit difference that could be lost.
 * Throws a RangeError if the prompts don't fit their task, or it has no words.
 */
export async function headEvidence(
  model: Model,
  data: Prompts<Acronyms>,
  options: EvidenceOptions,
): Promise<HeadEvidence[]> {
  const { corrupted, progress, ...stream } = options;
  const heads = allHeads(model.config);
  const report = reporter(progress);
  const step = (done: number) => report?.(done, 7);
  const letters = lettersOfWords(data.task);
  const clean = await cleanLogitDiffs(model, data, stream);
  const lost = (rows: readonly HeadEffect[]) => mostLost(rows, clean);
  const patch = (what: Corruption, at?: typeof wordPosition) =>
    activationPatch(model, data, { site: headSite("z", at), corruption: what, corrupted, letters, ...stream });

  const direct = lost(await pathPatch(model, data, { corrupted, receiver: "logits", mlps: "frozen", ...stream }));
  step(1);
  const total = lost(await patch("current_word"));
  step(2);
  const atWord = lost(await patch("previous_words", wordPosition));
  step(3);
  const atLastLetter = lost(await patch("previous_words", lastLetterPosition));
  step(4);
  const ordinal = lost(await ordinalAblation(model, data, stream));
  step(5);
  const attention = attentionEvidence(data.task, await attentionRows(model, data, heads, stream));
  step(6);
  const copying = await copyingShare(model, data, stream);
  step(7);
  return heads.map((head, h) => {
    const key = headName(head);
    return {
      ...head,
      direct: direct.get(key)!,
      total: total.get(key)!,
      ...attention(head),
      copying: copying[h],
      at_word: atWord.get(key)!,
      at_last_letter: atLastLetter.get(key)!,
      ordinal: ordinal.get(key)!,
    };
  });
}

/** By letter. */
async function cleanLogitDiffs(model: Model, data: Prompts, stream: StreamOptions): Promise<Map<number, number>> {
  const open = ({ prompts }: Batch): Measurement<"clean"> => ({
    measure: () => logitDiffs(forward(model, prompts.tokens, { readout: letterReadout(prompts) }), prompts),
  });
  const [values] = await measureAll(data, ["clean"] as const, open, stream);
  return new Map(lettersOf(data.task).map((letter, i) => [letter, columnMean(values, i)]));
}

/** By head: the largest share of a letter's clean logit difference that is lost; null: none is a share of 0. */
function mostLost(rows: readonly HeadEffect[], clean: ReadonlyMap<number, number>): Map<string, number | null> {
  const out = new Map<string, number | null>();
  for (const row of rows) {
    const [lost, before] = [share(-row.change, clean.get(row.letter)!), out.get(headName(row)) ?? null];
    out.set(headName(row), lost === null || before === null ? (lost ?? before) : Math.max(lost, before));
  }
  return out;
}

/** Attention to what matters, per head. */
function attentionEvidence(task: Task, rows: readonly AttentionRow<string>[]) {
  const at = new Map(
    rows.map(({ query, key, ...row }) => {
      return [`${headName(row)} ${indexOf(task, query)} ${indexOf(task, key)}`, row.attention];
    }),
  );
  const words = wordPositions(task);
  const looks = lettersOfWords(task).map((letter) => {
    return { letter, query: readoutPositions(task, [letter])[0], word: wordStart(task, letter) };
  });
  const later = looks.filter(({ letter }) => letter > 1); // letter 1 has no word before it
  return (head: HeadId) => {
    const weight = (query: number, key: number) => at.get(`${headName(head)} ${query} ${key}`) ?? 0;
    const before = words.map((word) =>
      [1, 2, 3].reduce((sum, back) => sum + (word - back > 0 ? weight(word, word - back) : 0), 0),
    );
    return {
      attention_to_word: Math.max(...looks.map(({ query, word }) => weight(query, word))),
      attention_to_previous_end: Math.max(...later.map(({ query, word }) => weight(query, word - 1))),
      attention_to_previous_tokens: before.reduce((a, b) => a + b) / before.length,
    };
  };
}

/** By head: share of words whose own capital the head writes most for, of the 26, from its values at C_i. */
async function copyingShare(model: Model, data: Prompts, stream: StreamOptions): Promise<number[]> {
  const words = lettersOfWords(data.task).map((letter) => {
    return { pos: wordStart(data.task, letter), column: columnOf(data.task, letter) };
  });
  const heads = allHeads(model.config);
  const open = ({ prompts }: Batch): Measurement<HeadId> => {
    const run = forward(model, prompts.tokens, { keep: (name) => name.endsWith("hook_v"), readout: "none" });
    const measure = (head: HeadId) => {
      const written = words.map(({ pos }) =>
        writtenBy(model, run, head, { activation: "v", pos, vocab: prompts.letters }),
      );
      return prompts.answerLetters.map((answers, p) => [
        words.filter(({ column }, i) => written[i][p].indexOf(Math.max(...written[i][p])) === answers[column]).length /
          words.length,
      ]);
    };
    return { measure, close: () => disposeRun(run) };
  };
  return (await measureAll(data, heads, open, stream)).map((rows) => columnMean(rows, 0));
}
