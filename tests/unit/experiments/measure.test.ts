import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { letterReadout, logitDiffs } from "../../../src/experiments/logit-difference";
import {
  type Batch,
  checkCorrupted,
  columnMean,
  effect,
  firstDifference,
  letterEffects,
  measureAll,
  withInterval,
} from "../../../src/experiments/measure";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { disposeRun, type Model } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { bootstrapMean } from "../../../src/numbers/statistics";
import { near, nearly } from "../../fixtures/close";
import { tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const data = tinyPrompts(5, 1);
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

test("logit differences are the right letter's logit − the largest, or the mean, of the 25 others", () => {
  const run = forward(model, data.tokens, { readout: letterReadout(data) });
  const logits = run.logits.arraySync();
  const expected = (against: "max" | "mean") =>
    logits.map((prompt, i) =>
      prompt.map((row, l) => {
        const right = data.answerLetters[i][l];
        const wrong = row.filter((_, letter) => letter !== right);
        const level = against === "max" ? Math.max(...wrong) : wrong.reduce((a, b) => a + b) / 25;
        return row[right] - level;
      }),
    );
  for (const against of ["max", "mean"] as const) {
    const found = logitDiffs(run, data, [1, 2, 3], against);
    near(found, expected(against));
  }
  disposeRun(run);
});

test("some letters only: their read-out, in the order asked for", () => {
  assert.deepEqual(letterReadout(data, [3, 1]).positions, [10, 8]);
  const all = forward(model, data.tokens, { readout: letterReadout(data) });
  const some = forward(model, data.tokens, { readout: letterReadout(data, [3, 1]) });
  const [three, two] = [logitDiffs(all, data), logitDiffs(some, data, [3, 1])];
  near(
    two,
    three.map((row) => [row[2], row[0]]),
  );
  disposeRun(all, some);
});

test("every batch size gives the same values, point by point and in the order of the prompts", async () => {
  const open = ({ prompts, rows }: Batch) => ({
    measure: (factor: number) => rows(range(5)).map((i, row) => [factor * i, prompts.tokens[row][2]]),
  });
  const expected = [1, 10].map((factor) => range(5).map((i) => [factor * i, data.tokens[i][2]]));
  for (const batch of [1, 2, 5, 100]) assert.deepEqual(await measureAll(data, [1, 10], open, { batch }), expected);
});

test("a batch is closed before the next is opened, and when a measurement fails", async () => {
  const log: string[] = [];
  const open = ({ prompts }: Batch) => {
    log.push(`open ${prompts.tokens.length}`);
    return { measure: () => prompts.tokens.map(() => [0]), close: () => log.push("close") };
  };
  await measureAll(data, [1], open, { batch: 3 });
  assert.deepEqual(log, ["open 3", "close", "open 2", "close"]);
  const failing = () => ({
    measure: () => {
      throw new Error("no");
    },
    close: () => log.push("closed after all"),
  });
  await assert.rejects(measureAll(data, [1], failing), /no/);
  assert.equal(log.at(-1), "closed after all");
});

test("progress counts every point of every batch", async () => {
  const seen: [number, number][] = [];
  const open = ({ prompts }: Batch) => ({ measure: () => prompts.tokens.map(() => [0]) });
  await measureAll(data, [1, 2], open, { batch: 2, progress: (done, total) => seen.push([done, total]) });
  assert.deepEqual(
    seen,
    range(6).map((i) => [i + 1, 6]),
  );
});

test("an effect is paired: its spread is that of the changes, with n − 1", () => {
  const { change, std, n } = effect(
    [
      [0, 5],
      [0, 9],
    ],
    [
      [0, 4],
      [0, 5],
    ],
    1,
  ); // changes 1 and 4
  assert.deepEqual([change, n], [2.5, 2]);
  nearly(std, Math.sqrt(4.5));
  assert.equal(
    columnMean(
      [
        [1, 2],
        [3, 6],
      ],
      1,
    ),
    4,
  );
});

test("an effect's interval is the bootstrap interval of the changes, and is written with it", () => {
  const base = [[0], [1], [2], [3]];
  const values = [[1], [2.5], [2], [5]];
  const found = effect(values, base, 0);
  assert.deepEqual({ low: found.low, high: found.high }, bootstrapMean([1, 1.5, 0, 2], { seed: 0 }));
  assert.ok(found.low < found.change && found.change < found.high);
  assert.equal(withInterval({ change: -1.126, low: -2, high: -0.5, std: 1, n: 4 }, 1), "-1.1 [-2.0, -0.5]");
});

test("effects by letter are against the unchanged run", async () => {
  const open = ({ prompts }: Batch) => ({
    measure: (point: { by: number } | null) =>
      prompts.tokens.map((_, i) => range(3).map((l) => i + l + (point?.by ?? 0) * (l + 1))),
  });
  const rows = await letterEffects(data, [{ by: 2 }, { by: -1 }], open);
  assert.deepEqual(
    rows.map(({ by, letter, change, std }) => [letter, by, change, std]),
    [
      [1, 2, 2, 0],
      [1, -1, -1, 0],
      [2, 2, 4, 0],
      [2, -1, -2, 0],
      [3, 2, 6, 0],
      [3, -1, -3, 0],
    ],
  );
});

test("the first difference is over all rows; none is the length", () => {
  assert.equal(
    firstDifference(
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [
        [1, 2, 4],
        [1, 0, 3],
      ],
    ),
    1,
  );
  assert.equal(
    firstDifference(
      [
        [1, 2],
        [1, 2],
      ],
      [
        [0, 2],
        [1, 0],
      ],
    ),
    0,
  );
  assert.equal(firstDifference([[1, 2, 3]], [[1, 2, 3]]), 3);
});

test("another number of corrupted prompts is refused", () => {
  assert.throws(() => checkCorrupted(data, data.tokens.slice(1)), /4 corrupted prompts for 5 clean ones/);
});

test("measuring leaves nothing behind", async () => {
  const tensors = tf.memory().numTensors;
  const open = ({ prompts }: Batch) => ({
    measure: () => logitDiffs(forward(model, prompts.tokens, { readout: letterReadout(prompts) }), prompts),
  });
  await measureAll(data, [1, 2], open, { batch: 2 });
  assert.equal(tf.memory().numTensors, tensors);
});

test("a prompt or a value that is not finite is named, whichever the batch", async () => {
  const value = (factor: number, row: number) => (factor === 10 && row === 3 ? Number.NaN : row);
  const open = ({ rows }: Batch) => ({
    measure: ({ factor }: { factor: number }) => rows(range(5)).map((row) => [0, value(factor, row)]),
  });
  for (const batch of [1, 2, 5])
    await assert.rejects(
      measureAll(data, [{ factor: 1 }, { factor: 10 }], open, { batch }),
      /RangeError: prompt 3, point 1 \{"factor":10\}: value 1 is NaN, not a finite number/,
    );
  const read = ({ prompts }: Batch) => ({
    measure: () => {
      const run = forward(model, prompts.tokens, { readout: letterReadout(prompts, [2]) });
      const rows = prompts.tokens.map((_, i) => range(26).map(() => ((prompts.first ?? 0) + i === 3 ? Number.NaN : 0)));
      const noise = tf.tensor3d(rows.map((row) => [row]));
      return logitDiffs({ logits: run.logits.add(noise) }, prompts, [2]);
    },
  });
  await assert.rejects(
    measureAll(data, ["one"], read, { batch: 2 }),
    /RangeError: prompt 3, letter 2: the logit of "A" is NaN/,
  );
});
