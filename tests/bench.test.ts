// The benchmark on a tiny shape: what it reports, what it counts, and what it refuses. Speed is nothing that a test can hold.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { compare } from "../scripts/bench/comparison";
import { FIGURES, type Figure, type Material, type RunSeconds, type Runs, totalRuns } from "../scripts/bench/figures";
import { countKernels, totalFlop } from "../scripts/bench/kernels";
import { main } from "../scripts/bench/main";
import { startPeer } from "../scripts/bench/peer";
import { overRounds, ratios, reaches, required } from "../scripts/bench/ratios";
import { type FigureRow, figureRow } from "../scripts/bench/report";
import { measureFigures } from "../scripts/bench/run";
import { scalingRules } from "../scripts/bench/scaling";
import { SHAPES } from "../scripts/checkpoint/shapes";
import { dataFolder } from "../src/load/resolve";
import { gpt2Tokenizer } from "../src/load/tokenizer";
import { attention, FUSED_KERNELS } from "../src/model/ops";
import { loadAcronyms } from "../src/prompts/dataset";
import { nearly } from "./fixtures/close";
import { outcomeOf } from "./fixtures/command";

const ROOT = resolve(__dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
after(() => rmSync(folder, { recursive: true }));

/** On the fallback: a tiny model needs no faster one. */
const TINY = ["--shape", "tiny", "--backend", "wasm"];

const readJson = (file: string) => JSON.parse(readFileSync(file, "utf8"));

/** Floating-point operations of the matrix products of one forward that skips nothing and reads 3 × 26 logits. */
function plainFlop(n: number): number {
  const { n_layers, n_heads, d_model, d_head, d_mlp } = SHAPES.tiny;
  const rows = n * 11;
  const weights = d_model * 3 * d_model + d_model * d_model + 2 * d_model * d_mlp;
  const attention = 2 * n * n_heads * 11 * 11 * d_head;
  return 2 * (n_layers * (rows * weights + attention) + n * 3 * d_model * 26);
}

describe("a tiny run", () => {
  const json = join(folder, "new", "bench.json");
  let out: string;
  let result: ReturnType<typeof readJson>;
  before(() => {
    const args = ["--require", "tsx/cjs", join("scripts", "bench", "main.ts"), ...TINY, "--n", "3", "--json", json];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    out = stdout;
    result = readJson(json);
  });

  test("the table and the JSON file have every figure, in order", () => {
    const ids = FIGURES.map(({ id }) => id);
    assert.deepEqual(
      result.figures.map(({ id }: { id: string }) => id),
      ids,
    );
    const [, table] = out.split("\n\n");
    const lines = table.split("\n").slice(2, 2 + ids.length);
    assert.deepEqual(
      lines.map((line) => line.split(" ")[0]),
      ids,
    );
  });

  test("a plain forward's operations are those of its formula, to the last one", () => {
    assert.equal(result.forward.flop, plainFlop(3));
  });

  test("every figure multiplies matrices; the sweeps less than a loop of plain runs", () => {
    for (const { id, flop, naive_flop, points, seconds } of result.figures) {
      assert.ok(flop > 0 && seconds > 0, id);
      assert.equal(naive_flop, points * result.forward.flop, id);
      if (points > 100) assert.ok(flop < naive_flop, `${id}: ${flop} of ${naive_flop}`);
    }
  });

  test("totals leave out what the official scripts don't draw", () => {
    const counted = result.figures.filter(({ id }: { id: string }) => id !== "path");
    const sum = (key: string) => counted.reduce((all: number, row: Record<string, number>) => all + row[key], 0);
    for (const key of ["points", "flop", "naive_flop"]) assert.equal(result.total[key], sum(key), key);
    nearly(result.total.seconds, sum("seconds"));
    assert.ok(result.total.peak_mb >= Math.max(...result.figures.map((row: { peak_mb: number }) => row.peak_mb)));
  });
});

test("what was measured before a failure or an interruption is kept", async () => {
  const failing = () => {
    throw new Error("interrupted");
  };
  const figures = [0, 1, 2].map((i) => ({ ...FIGURES[i], make: i === 1 ? failing : () => [] }));
  const setting = { plain: { seconds: 1, flop: 1, kernels: {} }, takeUses: () => ({}) };
  const { rows, stopped } = await measureFigures(figures, {} as Material, setting);
  assert.deepEqual([rows.map(({ id }) => id), stopped], [["1"], "interrupted"]);
});

test("the scripts' runs and those that the figures need", () => {
  const sum = (of: "official" | "needed") =>
    FIGURES.filter(({ extra }) => !extra).reduce((all, figure) => all + totalRuns(figure[of]), 0);
  // patching_experiments 6389, histogram 2, evaluation 11, mover_heads 2, positional_experiments 1367, supplementary 1
  assert.equal(sum("official"), 6389 + 2 + 11 + 2 + 1367 + 1);
  assert.equal(sum("needed"), 2679);
});

describe("ratios", () => {
  const each: RunSeconds = { cached: 3, patterns: 1, resid_pre: 2, z: 2, bos: 4 };
  const figure = (seconds: number, official: Runs, needed: Runs) => ({ seconds, official, needed });
  const figures = [
    figure(2, { z: 10, cached: 2 }, { z: 5 }),
    figure(8, { bos: 20, patterns: 4 }, { bos: 10, cached: 10 }),
  ];

  test("of one figure: the runs' seconds over ours", () => {
    assert.deepEqual(ratios([figures[0]], each), { official: (10 * 2 + 2 * 3) / 2, needed: (5 * 2) / 2 });
  });

  test("of several: sums over sums", () => {
    assert.deepEqual(ratios(figures, each), { official: (26 + 84) / 10, needed: (10 + 70) / 10 });
  });

  test("a run's seconds over the rounds are picked kind by kind", () => {
    const rounds = [5, 1, 2].map((value, i) => ({ ...each, z: value, bos: 10 - i }));
    assert.deepEqual(
      overRounds(rounds, (values) => Math.min(...values)),
      { ...each, z: 1, bos: 8 },
    );
  });

  test("a verdict goes by the peer's least seconds, and only on all figures of GPT-2's shape", () => {
    const row = (figure: Figure, seconds: number) =>
      figureRow(figure, { id: figure.id, seconds, flop: 1, kernels: {}, peak_mb: 1 }, plain);
    const plain = { seconds: 1, flop: 1, kernels: {} };
    const rows = (seconds: number) => FIGURES.map((figure) => row(figure, figure.extra ? 1e9 : seconds));
    const slow: RunSeconds = { cached: 900, patterns: 900, resid_pre: 900, z: 900, bos: 900 };
    const verdict = (chosen: FigureRow[], shape = "gpt2-small") =>
      compare(chosen, [slow, each, slow], { backend: "native", shape }).comparison.passed;
    assert.equal(verdict(rows(1)), true);
    assert.equal(verdict(rows(1000)), false);
    assert.equal(verdict(rows(1), "tiny"), null);
    assert.equal(verdict(rows(1).slice(1)), null);
  });

  test("both must be reached, and natively more", () => {
    const found = { official: 15, needed: 7 };
    assert.equal(reaches(found, required("native")), false);
    assert.equal(reaches(found, required("wasm")), true);
    assert.equal(reaches({ ...found, needed: 4.9 }, required("wasm")), false);
  });
});

test("scaling: linear time, flat memory, and a limit on it", () => {
  const size = (n: number, seconds: number, peak_mb: number) => ({ n, seconds, peak_mb });
  const holds = (...sizes: ReturnType<typeof size>[]) => scalingRules(sizes).map((rule) => rule.holds);
  assert.deepEqual(holds(size(50, 10, 1000), size(500, 110, 1100)), [true, true, true]);
  assert.deepEqual(holds(size(50, 10, 1000), size(500, 130, 1100)), [false, true, true]);
  assert.deepEqual(holds(size(50, 10, 1000), size(100, 20, 2600), size(500, 100, 1300)), [true, false, false]);
});

test("kernels: a product is counted with its transposes and batch, a kernel inside a kernel once", async () => {
  require("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  const kernelFunc: tf.KernelFunc = ({ inputs: { a, b } }) => tf.matMul(a as tf.Tensor, b as tf.Tensor);
  tf.registerKernel({ kernelName: "OuterMatMul", backendName: "wasm", kernelFunc });
  const take = countKernels();
  tf.tidy(() => {
    tf.matMul(tf.zeros([5, 2, 3]), tf.zeros([5, 4, 3]), false, true);
    tf.matMul(tf.zeros([3, 2]), tf.zeros([3, 4]), true);
    tf.fused.matMul({ a: tf.zeros([2, 3]), b: tf.zeros([3, 4]), bias: tf.zeros([4]), activation: "relu" });
    tf.engine().runKernel("OuterMatMul", { a: tf.zeros([2, 3]), b: tf.zeros([3, 4]) });
  });
  const uses = take();
  assert.equal(totalFlop(uses), 2 * 2 * 3 * 4 * (5 + 1 + 1 + 1));
  assert.equal(uses.BatchMatMul.calls, 2);
  assert.equal(uses._FusedMatMul.calls, 1);
  assert.equal(uses.OuterMatMul.calls, 1);
  assert.deepEqual(take(), {});
});

test("kernels: attention in one kernel is counted as its two products are", async () => {
  require("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  const flop = () => {
    const take = countKernels();
    tf.tidy(() => {
      const [q, k, v] = [
        [2, 3, 4, 5],
        [2, 7, 4, 5],
        [2, 7, 4, 5],
      ].map((shape) => tf.zeros(shape));
      attention({ q, k, v }, tf.zeros([3, 7]));
    });
    return totalFlop(take());
  };
  assert.equal(flop(), 2 * (2 * 2 * 4 * 3 * 7 * 5));
  const kernelFunc: tf.KernelFunc = ({ inputs: { q } }) => tf.zerosLike(q as tf.Tensor);
  tf.registerKernel({ kernelName: FUSED_KERNELS.attention, backendName: "wasm", kernelFunc });
  assert.equal(flop(), 2 * (2 * 2 * 4 * 3 * 7 * 5));
  tf.unregisterKernel(FUSED_KERNELS.attention, "wasm");
});

describe("what can't be used is refused, by name", () => {
  const cases: [string[], RegExp][] = [
    [["--figures", "1,15"], /--figures has "15"; there are 1, 2, /],
    [["--n", "1.5"], /--n takes a whole number from 2 on, not "1.5"/],
    [["--n", "1e2"], /--n takes a whole number from 2 on, not "1e2"/],
    [["--n", "50,100"], /--n is "50,100"; it must be one number here/],
    [["--shape", "huge"], /--shape is "huge"; it can be tiny, gpt2-small/],
    [["--fast"], /--fast/],
    [["--scaling", "--peer", "python3"], /--scaling and --peer/],
  ];
  for (const [args, message] of cases)
    test(args.join(" "), async () => {
      const { code, err, out } = await outcomeOf(main, [...TINY, ...args]);
      assert.equal(code, 2);
      assert.match(err, message);
      assert.match(err, /usage: npm run bench/);
      assert.equal(out, "");
    });

  test("a Python without TransformerLens", async () => {
    const data = loadAcronyms(join(dataFolder, "acronyms", "held-out.txt"), gpt2Tokenizer(), { n: 2 });
    await assert.rejects(startPeer(process.execPath, SHAPES.tiny, data), /ended with 1: .*peer-requirements\.txt/);
    await assert.rejects(startPeer("no-such-python", SHAPES.tiny, data), /no-such-python does not start.*ENOENT/);
  });
});
