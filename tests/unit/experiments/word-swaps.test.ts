import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { attentionRows, headPattern } from "../../../src/experiments/attention";
import { letterReadout } from "../../../src/experiments/logit-difference";
import {
  attentionMoves,
  attentionShift,
  ownWordMoves,
  type SwapAttentionRow,
  swapAttention,
} from "../../../src/experiments/swap-attention";
import {
  fourSwaps,
  headsHurtBy,
  swap,
  swapBosOfPairs,
  swapBosSweep,
  swapEffects,
  swapName,
  swapPositions,
  WORD_PAIRS,
} from "../../../src/experiments/word-swaps";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { allHeads } from "../../../src/model/heads";
import type { Intervention } from "../../../src/model/hooks";
import { equalPositions } from "../../../src/model/interventions";
import { disposeRun, type Model, type ModelConfig } from "../../../src/model/model";
import { range } from "../../../src/numbers/lists";
import { POSITIONS, type Position, position } from "../../../src/prompts/positions";
import { apart, near, nearly } from "../../fixtures/close";
import { randomModel, randomPrompts, TINY } from "../../fixtures/tiny-prompts";

const config: ModelConfig = { ...TINY, n_ctx: 14 };
const prompts = randomPrompts(5, 1);
const pair = ["C1", "C3"] as const;
let model: Model;

before(async () => {
  await initBackend();
  model = randomModel(config, 0);
});

/** The model with other position embeddings: row i becomes row `rows[i]`, or their mean. */
const withPositions = (change: (W_pos: tf.Tensor2D) => tf.Tensor2D): Model => ({
  ...model,
  W_pos: tf.tidy(() => change(model.W_pos)),
});

/** The logits of this model under an intervention are those of another model. */
function isAlso(interventions: Intervention, other: Model): void {
  const [mine, theirs] = [forward(model, prompts.tokens, { interventions }), forward(other, prompts.tokens)];
  near(mine.logits, theirs.logits);
  disposeRun(mine, theirs);
  other.W_pos.dispose();
}

const keepPatterns = (name: string) => name.endsWith("hook_pattern");

describe("position embeddings", () => {
  it("exchanged by an intervention or in the weights: the same", () => {
    const [i, j] = pair.map((label) => position(label));
    const rows = range(config.n_ctx).map((p) => (p === i ? j : p === j ? i : p));
    isAlso(
      swapPositions(...pair),
      withPositions((W) => tf.gather(W, rows)),
    );
  });

  it("all alike by an intervention or in the weights: the same", () => {
    const used = POSITIONS.length;
    const average = (W: tf.Tensor2D) => tf.mean(W.slice(0, used), 0, true).tile([config.n_ctx, 1]) as tf.Tensor2D;
    isAlso(equalPositions(), withPositions(average));
  });
});

describe("swap", () => {
  it("of nothing changes nothing, and neither does a word with itself", async () => {
    const bosHeads = allHeads(config);
    const same = ["C2", "C2"] as const;
    const swaps = [{ pair }, { pair: same, positions: true }, { pair: same, bosHeads }];
    for (const { change } of await swapEffects(model, prompts, swaps)) near(change, 0);
  });

  it("gives every chosen head the clean attention to BOS with the two queries exchanged, at every query", () => {
    const bosHeads = allHeads(config);
    const clean = forward(model, prompts.tokens, { keep: keepPatterns });
    const run = forward(model, prompts.tokens, {
      interventions: swap({ pair, bosHeads, positions: true })(clean),
      keep: keepPatterns,
    });
    const [i, j] = pair.map((label) => position(label));
    for (const head of bosHeads) {
      const [before, after] = [clean, run].map((r) => headPattern(r, head));
      before.forEach((rows, prompt) => {
        rows.forEach((_, query) => {
          const from = query === i ? j : query === j ? i : query;
          near(after[prompt][query][0], rows[from][0], `query ${query}`);
        });
      });
    }
    disposeRun(clean, run);
  });

  it("leaves all other attention of the first layer as it is: rows no longer sum to 1", () => {
    const head = { layer: 0, head: 1 };
    const clean = forward(model, prompts.tokens, { keep: keepPatterns });
    const run = forward(model, prompts.tokens, {
      interventions: swap({ pair, bosHeads: [head] })(clean),
      keep: keepPatterns,
    });
    const [before, after] = [clean, run].map((r) => headPattern(r, head)[0][position("C1")]);
    near(after.slice(1), before.slice(1));
    apart(after[0], before[0]);
    disposeRun(clean, run);
  });

  it("of a position that isn't there is refused, naming those that are", async () => {
    const wrong = { pair: ["C1", "C4" as Position] as const, positions: true };
    await assert.rejects(swapEffects(model, prompts, [wrong]), /"C4" is not a position; there are BOS, The, C1/);
  });

  it("has the names of figure 14", () => {
    const swaps = fourSwaps(pair, [{ layer: 0, head: 0 }]);
    assert.deepEqual(swaps.map(swapName), ["Clean Run", "Swap POS", "Swap BOS", "Swap POS+BOS"]);
    assert.equal(swapName({ positions: true }), "Swap POS");
  });

  it("has four names also where no head's attention to BOS is exchanged", () => {
    assert.deepEqual(fourSwaps(pair, []).map(swapName), ["Clean Run", "Swap POS", "Swap BOS", "Swap POS+BOS"]);
  });
});

describe("swapBosSweep", () => {
  it("is what swapping one head after another gives, computed from the beginning and in other batches", async () => {
    const rows = await swapBosSweep(model, prompts, pair, { batch: 2 });
    const heads = allHeads(config);
    const swaps = heads.map((head) => ({ pair, bosHeads: [head] }));
    const plain = await swapEffects(model, prompts, swaps);
    assert.equal(rows.length, 3 * heads.length);
    rows.forEach((row, i) => {
      const head = heads[i % heads.length];
      assert.deepEqual([row.letter, { layer: row.layer, head: row.head }], [plain[i].letter, head]);
      near([row.change, row.std], [plain[i].change, plain[i].std]);
    });
    apart(
      rows.map(({ change }) => change),
      rows.map(() => 0),
    );
  });

  it("swapBosOfPairs: one pair after another, progress over all", async () => {
    const told: number[][] = [];
    const rows = await swapBosOfPairs(model, prompts, { batch: 5, progress: (...done) => told.push(done) });
    assert.equal(rows.length, 3 * 3 * allHeads(config).length);
    const one = await swapBosSweep(model, prompts, WORD_PAIRS[1]);
    const same = rows.filter((row) => row.pair === "C1↔C3");
    near(
      same.map(({ change }) => change),
      one.map(({ change }) => change),
    );
    const [last, total] = told.at(-1)!;
    assert.equal(last, total);
    assert.ok(told.every(([done], i) => i === 0 || done >= told[i - 1][0]));
  });

  it("headsHurtBy: each head once, if any letter loses more than the threshold", () => {
    const row = (head: number, letter: 1 | 2 | 3, change: number) => ({
      layer: 1,
      head,
      letter,
      change,
      std: 0,
      n: 2,
      low: change,
      high: change,
    });
    const rows = [row(0, 1, -0.01), row(0, 2, -0.02), row(1, 1, 0.5), row(1, 2, -0.005), row(2, 3, -0.006)];
    assert.deepEqual(headsHurtBy(rows, 0.005), [
      { layer: 1, head: 0 },
      { layer: 1, head: 2 },
    ]);
  });
});

describe("swapAttention", () => {
  it("without a swap is the clean attention, from where each letter is read to the three words", async () => {
    const heads = [{ layer: 2, head: 1 }];
    const rows = await swapAttention(model, prompts, [{ pair }], { heads });
    const clean = await attentionRows(model, prompts, heads);
    assert.equal(rows.length, 9);
    for (const { letter, key, attention, swap: name } of rows) {
      assert.equal(name, "Clean Run");
      const same = clean.find((row) => row.query === ["(", "A1", "A2"][letter - 1] && row.key === key)!;
      near(attention, same.attention);
    }
  });

  it("sees what the exchange in the weights would do", async () => {
    const [i, j] = pair.map((label) => position(label));
    const other = withPositions((W) =>
      tf.gather(
        W,
        range(config.n_ctx).map((p) => (p === i ? j : p === j ? i : p)),
      ),
    );
    const mine = await swapAttention(model, prompts, [{ pair, positions: true }]);
    const theirs = await swapAttention(other, prompts, [{ pair }]);
    assert.equal(mine.length, 9 * allHeads(config).length); // all of them, as no heads are named
    mine.forEach(({ attention, std }, k) => {
      near([attention, std], [theirs[k].attention, theirs[k].std]);
    });
    other.W_pos.dispose();
  });
});

describe("attentionShift", () => {
  const row = (name: string, key: Position, attention: number): SwapAttentionRow => {
    return { layer: 0, head: 0, pair: "C1↔C3", swap: name, letter: 1, key, attention, std: 0 };
  };

  it("is the mean absolute change against the clean run", () => {
    const rows = [
      row("Clean Run", "C1", 0.5),
      row("Clean Run", "C3", 0.1),
      row("Swap POS", "C1", 0.2),
      row("Swap POS", "C3", 0.2),
    ];
    const [{ shift, ...positions }] = attentionShift(rows);
    assert.deepEqual(positions, { pair: "C1↔C3", swap: "Swap POS" });
    nearly(shift, 0.2);
    nearly(
      attentionMoves(rows).map(({ moved }) => moved),
      [-0.3, 0.1],
    );
  });

  it("ownWordMoves: those to the word whose letter is to come, letter by letter", () => {
    const rows = ([3, 1] as const).flatMap((letter) =>
      ["Clean Run", "Swap BOS"].flatMap((name, i) => [
        { ...row(name, "C1", 0.5 - i / 4), letter },
        { ...row(name, "C3", 0.5 - i / 8), letter },
      ]),
    );
    const moves = ownWordMoves(rows).map(({ key, exchanged, from, moved }) => ({ key, exchanged, from, moved }));
    assert.deepEqual(moves, [
      { key: "C1", exchanged: "BOS", from: "letter 1, head 0.0", moved: -0.25 }, // binary fractions
      { key: "C3", exchanged: "BOS", from: "letter 3, head 0.0", moved: -0.125 },
    ]);
  });

  it("needs the clean run", () => {
    assert.throws(
      () => attentionShift([row("Swap POS", "C1", 0.2)]),
      /C1↔C3 has no clean run to compare "Swap POS" with/,
    );
  });
});

it("nothing stays in memory", async () => {
  const before = tf.memory().numTensors;
  const heads = headsHurtBy(await swapBosSweep(model, prompts, WORD_PAIRS[0]), 0);
  const swaps = fourSwaps(WORD_PAIRS[0], heads);
  await swapEffects(model, prompts, swaps);
  await swapAttention(model, prompts, swaps, { heads });
  assert.equal(tf.memory().numTensors, before);
  const readout = letterReadout(prompts);
  disposeRun(forward(model, prompts.tokens, { interventions: equalPositions(), readout }));
  assert.equal(tf.memory().numTensors, before);
});
