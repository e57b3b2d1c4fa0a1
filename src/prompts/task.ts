import { checkIndex, checkOneOf, checkSome } from "../numbers/check";
import { range } from "../numbers/lists";

/** What is predicted, and where it is read. */
export interface TaskReadout<P extends string = string, L extends number = number> {
  /** The number that rows carry in their column `letter`: for acronyms that of the letter. */
  readonly letter: L;
  /** "letter 1" */
  readonly name: string;
  /** The position whose logits predict it. */
  readonly at: P;
}

/** What prompts have in common, token by token: what their positions are called, what is predicted at which of them, and what can be taken from other prompts. */
export interface Task<P extends string = string, L extends number = number, C extends string = string> {
  /** What messages call its prompts: "acronyms of three letters". */
  readonly name: string;
  /** What each position is called, all differently: "BOS", "The", "C1" … A prompt has as many tokens. */
  readonly positions: readonly P[];
  /** In the order of the answers' columns. */
  readonly readouts: readonly TaskReadout<P, L>[];
  /** By name, for each read-out: the positions at which a corrupted prompt has another prompt's tokens. */
  readonly corruptions: Readonly<Record<C, readonly (readonly P[])[]>>;
  /** Texts of the tokens among which an answer is right or wrong, for messages and tables. */
  readonly candidates?: readonly string[];
  /** Where the answers come from: the positions of word 1, 2 …, from which letter 1, 2 … is taken. Experiments on words need it. */
  readonly words?: readonly (readonly P[])[];
  /** Where answers stand that have been given already, and which letter's. `resample` takes them from other prompts than the rest. */
  readonly written?: readonly { readonly at: P; readonly letter: number }[];
}

export type PositionOf<T extends Task> = T["positions"][number];
export type LetterOf<T extends Task> = T["readouts"][number]["letter"];
export type CorruptionOf<T extends Task> = keyof T["corruptions"] & string;

/** Prompts of one task with their answers: all that an experiment needs of a data set. */
export interface Prompts<T extends Task = Task> {
  readonly task: T;
  /** [prompt][position] token ids. */
  readonly tokens: number[][];
  /** [prompt][read-out] the right one, as an index into `letters`. */
  readonly answerLetters: number[][];
  /** Token ids among which an answer is right or wrong. */
  readonly letters: readonly number[];
  /** Of one batch: which prompt of the whole data its first one is, for messages. Default 0. */
  readonly first?: number;
}

/**
 * Prompts of a task of one's own.
 * Throws a RangeError naming the first prompt, answer or label that doesn't fit the task.
 * @param options `tokens`: [prompt][position]; `answers`: [prompt][read-out], token ids; `among`: token ids that an answer is compared with
 */
export function buildPrompts<T extends Task>(
  task: T,
  {
    tokens,
    answers,
    among,
  }: {
    readonly tokens: readonly (readonly number[])[];
    readonly answers: readonly (readonly number[])[];
    readonly among: readonly number[];
  },
): Prompts<T> {
  const answerLetters = answers.map((row, prompt) =>
    row.map((token) => {
      if (!among.includes(token))
        throw new RangeError(`prompt ${prompt}: the answer ${token} is not among the ${among.length} tokens given`);
      return among.indexOf(token);
    }),
  );
  const prompts = { task, tokens: tokens.map((row) => [...row]), answerLetters, letters: [...among] };
  checkPrompts(prompts);
  return prompts;
}

/** The numbers of what is predicted, in order: 1, 2, 3 for acronyms of three letters. */
export const lettersOf = <T extends Task>({ readouts }: T): LetterOf<T>[] =>
  readouts.map(({ letter }) => letter as LetterOf<T>);

/** The column of a letter's answers. Throws a RangeError naming those there are. */
export function columnOf(task: Task, letter: number): number {
  const letters = lettersOf(task);
  checkOneOf("letter", letter, letters);
  return letters.indexOf(letter);
}

/** Index of a position by its label. Throws a RangeError naming the positions there are. */
export function indexOf({ positions }: Task, label: string): number {
  const index = positions.indexOf(label);
  if (index < 0) throw new RangeError(`"${label}" is not a position; there are ${positions.join(", ")}`);
  return index;
}

/** Where letters are read. Throws a RangeError if one is none of the task's. */
export const readoutPositions = (task: Task, letters: readonly number[] = lettersOf(task)): number[] =>
  letters.map((letter) => indexOf(task, task.readouts[columnOf(task, letter)].at));

/** Letters that are predicted and that a word of the prompt has. Throws a RangeError if there are none: an experiment on words is not for such a task. */
export function lettersOfWords<T extends Task>(task: T): LetterOf<T>[] {
  const letters = lettersOf(task).filter((letter) => task.words?.[letter - 1] !== undefined);
  if (letters.length === 0)
    throw new RangeError(
      `${task.name} have no words (the task's \`words\`) that answers are taken from; this experiment needs them`,
    );
  return letters;
}

/** Where a letter's word begins. Throws a RangeError naming the letters of words there are. */
export function wordStart(task: Task, letter: number): number {
  const words = task.words ?? [];
  checkOneOf(
    "letter",
    letter,
    words.map((_, i) => i + 1),
  );
  return indexOf(task, words[letter - 1][0]);
}

/** Where the words begin that predicted letters are taken from. Throws as `lettersOfWords`. */
export const wordPositions = (task: Task): number[] => lettersOfWords(task).map((letter) => wordStart(task, letter));

/** Throws a RangeError if prompt `index` has not a token for each position of the task. */
export function checkLength(task: Task, index: number | string, tokens: readonly number[] | undefined): void {
  const { name, positions } = task;
  if (tokens?.length !== positions.length)
    throw new RangeError(
      `prompt ${index} has ${tokens?.length} tokens, not the ${positions.length} of ${name}: ${positions.join(" ")}; prompts of another template need a task of their own, see acronymTask`,
    );
}

/** Throws a RangeError naming what is missing, or comes twice, if labels, read-outs, corruptions and words don't fit together. */
export function checkTask(task: Task): void {
  const { name, positions, readouts, corruptions, words = [], written = [] } = task;
  const twice = positions.find((label, i) => positions.indexOf(label) !== i);
  if (twice !== undefined) throw new RangeError(`${name}: two positions are called "${twice}"`);
  checkSome(`read-outs of ${name}`, readouts);
  for (const { letter } of readouts)
    if (readouts.filter((other) => other.letter === letter).length > 1)
      throw new RangeError(`${name}: letter ${letter} is read twice`);
  for (const [kind, each] of Object.entries(corruptions))
    if (each.length !== readouts.length)
      throw new RangeError(`${name}: "${kind}" has positions for ${each.length} read-outs, not for ${readouts.length}`);
  const empty = words.findIndex((labels) => labels.length === 0);
  if (empty >= 0) throw new RangeError(`${name}: word ${empty + 1} has no positions`);
  for (const label of [
    ...[...readouts, ...written].map(({ at }) => at),
    ...words.flat(),
    ...Object.values(corruptions).flat(2),
  ])
    indexOf(task, label);
}

/** Throws a RangeError naming the first that doesn't fit: no prompts, a prompt that has not the task's length, an answer that is none of its tokens. */
export function checkPrompts({ task, tokens, answerLetters, letters }: Prompts): void {
  checkTask(task);
  checkSome("prompts", tokens);
  for (const index of range(tokens.length)) checkLength(task, index, tokens[index]); // by index: a hole is a prompt, too
  if (answerLetters.length !== tokens.length)
    throw new RangeError(`${answerLetters.length} rows of answers for ${tokens.length} prompts; give one for each`);
  const { candidates, readouts } = task;
  if (candidates && letters.length !== candidates.length)
    throw new RangeError(
      `letters must be the tokens of ${candidates[0]} … ${candidates.at(-1)}, not ${letters.length} tokens`,
    );
  if (letters.length < 2)
    throw new RangeError(`an answer is compared with others: ${letters.length} tokens are too few; give at least two`);
  const seen = new Set<number>(); // a list of a whole vocabulary is searched as fast
  for (const token of letters) {
    if (seen.has(token)) throw new RangeError(`token ${token} comes twice among those that are compared`);
    seen.add(token);
  }
  for (const [prompt, row] of answerLetters.entries()) {
    if (row.length !== readouts.length)
      throw new RangeError(
        `prompt ${prompt} has ${row.length} answers, not one for each of ${readouts.map(({ name }) => name).join(", ")}`,
      );
    for (const answer of row) checkIndex(`prompt ${prompt}: answer`, answer, letters.length);
  }
}
