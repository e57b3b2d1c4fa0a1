import assert from "node:assert/strict";
import { test } from "node:test";
import { ACRONYMS, type AcronymTask, acronymTask, type Corruption, POSITIONS } from "../../../src/prompts/acronym-task";
import { select } from "../../../src/prompts/acronyms";
import { corrupt, permuteTokens } from "../../../src/prompts/corruption";
import { type Letter, type Position, position, readoutPosition, wordPosition } from "../../../src/prompts/positions";
import {
  buildPrompts,
  type CorruptionOf,
  checkPrompts,
  checkTask,
  type LetterOf,
  lettersOf,
  type PositionOf,
  type Task,
} from "../../../src/prompts/task";
import { tinyPrompts } from "../../fixtures/tiny-prompts";

const task: Task = {
  name: "pairs",
  positions: ["BOS", "a", "b", "a again"],
  readouts: [{ letter: 1, name: "b", at: "a again" }],
  corruptions: { first: [["a", "a again"]] },
};
const tokens = [
  [9, 1, 2, 1],
  [9, 3, 4, 3],
];
const given = { tokens, answers: [[2], [4]], among: [1, 2, 3, 4] };

test("acronyms of three letters are the acronyms of the notebooks, and keep their types", () => {
  assert.deepEqual(ACRONYMS.positions, POSITIONS);
  const letters: Letter[] = lettersOf(ACRONYMS);
  assert.deepEqual(letters, [1, 2, 3]);
  assert.deepEqual(
    ACRONYMS.readouts.map(({ at }) => at),
    ["(", "A1", "A2"],
  );
  // what the compiler says of them
  const known: [LetterOf<AcronymTask>, PositionOf<AcronymTask>, CorruptionOf<AcronymTask>] = [3, "A2", "current_word"];
  const same: [Letter, Position, Corruption] = known;
  assert.equal(same, known);
  // @ts-expect-error there is no letter 4
  assert.throws(() => wordPosition(4), /letter 4 is not one of 1, 2, 3/);
  // @ts-expect-error nor C4
  assert.throws(() => position("C4"), /"C4" is not a position/);
});

test("positions are asked of the task that is given", () => {
  const four = acronymTask({ letters: 4, before: [] });
  assert.deepEqual([position("C4", four), wordPosition(1, four), readoutPosition(4, four)], [7, 1, 12]);
  assert.deepEqual(
    lettersOf(four).map((letter) => readoutPosition(letter, four)),
    [9, 10, 11, 12],
  );
});

test("prompts of one's own: answers are found among the tokens that are compared", () => {
  const data = buildPrompts(task, given);
  assert.deepEqual(data, { task, tokens, answerLetters: [[1], [3]], letters: [1, 2, 3, 4] });
  assert.notEqual(data.tokens, tokens); // a copy
  assert.deepEqual(select(data, [1]), { ...data, tokens: [tokens[1]], answerLetters: [[3]] });
  assert.deepEqual(corrupt(tokens, [...tokens].reverse(), "first", 1, task), [
    [9, 3, 2, 3],
    [9, 1, 4, 1],
  ]);
});

test("what is written comes from another prompt than the rest, where the task says so", () => {
  const from = { words: [1, 0], letters: [0, 1] };
  assert.deepEqual(permuteTokens(tokens, from, task), [tokens[1], tokens[0]]);
  const written = { ...task, written: [{ at: "a again", letter: 1 }] };
  assert.deepEqual(permuteTokens(tokens, from, written), [
    [9, 3, 4, 1],
    [9, 1, 2, 3],
  ]);
});

const refused = (change: object, message: RegExp) =>
  test(`refused: ${message.source}`, () => {
    assert.throws(() => buildPrompts(task, { ...given, ...change }), message);
  });
refused({ tokens: [] }, /there are no prompts/);
refused({ tokens: [[9, 1, 2]] }, /prompt 0 has 3 tokens, not the 4 of pairs: BOS a b a again/);
refused({ answers: [[2]] }, /1 rows of answers for 2 prompts/);
refused({ answers: [[2], [7]] }, /prompt 1: the answer 7 is not among the 4 tokens given/);
refused({ answers: [[2], [4, 4]] }, /prompt 1 has 2 answers, not one for each of b/);
refused({ among: [2], answers: [[2], [2]] }, /1 tokens are too few; give at least two/);
refused({ among: [1, 2, 4, 2] }, /token 2 comes twice among those that are compared/);

const wrong = (change: object, message: RegExp) =>
  test(`a task that doesn't fit together: ${message.source}`, () => {
    assert.throws(() => checkTask({ ...task, ...change }), message);
  });
wrong({ positions: ["BOS", "a", "a", "a again"] }, /pairs: two positions are called "a"/);
wrong({ readouts: [] }, /no read-outs of pairs/);
wrong({ readouts: [task.readouts[0], task.readouts[0]] }, /letter 1 is read twice/);
wrong({ readouts: [{ letter: 1, name: "b", at: "c" }] }, /"c" is not a position; there are BOS, a, b, a again/);
wrong({ corruptions: { first: [] } }, /"first" has positions for 0 read-outs, not for 1/);
wrong({ corruptions: { first: [["c"]] } }, /"c" is not a position/);
wrong({ words: [[]] }, /word 1 has no positions/);
wrong({ words: [["d"]] }, /"d" is not a position/);
wrong({ written: [{ at: "e", letter: 1 }] }, /"e" is not a position/);

test("letters of acronyms are compared with all capitals", () => {
  const data = tinyPrompts(2, 0);
  assert.throws(() => checkPrompts({ ...data, letters: data.letters.slice(1) }), /tokens of A … Z, not 25 tokens/);
  assert.throws(
    () =>
      checkPrompts({
        ...data,
        answerLetters: [
          [0, 1, 2],
          [0, 1, 26],
        ],
      }),
    /prompt 1: answer 26 is not/,
  );
});
