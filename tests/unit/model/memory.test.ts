import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../../../src/model/backend/choose";
import { nodeHost, pagesAvailable } from "../../../src/model/backend/node-host";
import { forward } from "../../../src/model/forward";
import type { Memory } from "../../../src/model/host";
import { bytesNeeded, checkMemory, checkModelFits } from "../../../src/model/memory";
import type { ForwardOptions, Model } from "../../../src/model/model";
import { makePlan } from "../../../src/model/plan";
import { TINY, tinyModel, tinyPrompts } from "../../fixtures/tiny-prompts";

const { tokens } = tinyPrompts(6, 0);
let model: Model;

before(async () => {
  await initBackend();
  model = tinyModel();
});

const only = (bytes: number): Memory => ({ total: bytes, available: bytes });

const demand = (options: ForwardOptions, batch = tokens.length) => ({
  config: TINY,
  batch,
  plan: makePlan(model, tokens, [[]], options),
  readout: options.readout,
});

test("the estimate is what is kept and read, and more than that for what is computed in between", () => {
  const none = bytesNeeded(demand({ readout: "none" }));
  assert.equal(none, 0);
  const logits = 4 * 6 * 11 * TINY.d_vocab;
  assert.ok(bytesNeeded(demand({})) > logits);
  const keep = ["blocks.0.hook_resid_pre"] as const;
  const before = bytesNeeded(demand({ readout: "none", keep }));
  const run = forward(model, tokens, { readout: "none", keep });
  assert.ok(before >= 4 * run.cache["blocks.0.hook_resid_pre"].size);
  assert.equal(bytesNeeded(demand({}, 60)), 10 * bytesNeeded(demand({})));
});

test("what doesn't fit is refused with an estimate and a number that would", () => {
  const many = demand({}, 4_000_000);
  const free = only(2 * 2 ** 30);
  assert.throws(
    () => checkMemory(many, () => free),
    /4000000 prompts in one forward of tiny need about [\d.]+ GB of memory; 2\.0 GB .*can be had/,
  );
  let fits = 0;
  try {
    checkMemory(many, () => free);
  } catch (error) {
    fits = Number(/at most about (\d+) at a time/.exec((error as Error).message)![1]);
  }
  assert.ok(fits > 1000);
  checkMemory(demand({}, fits), () => free);
  assert.throws(() => checkMemory(demand({}, fits + 1000), () => free), RangeError);
});

test("what a model needs is its tensors, and the largest of them three times more while it is read", () => {
  const shapes = [[2 ** 14, 2 ** 14], [5]]; // 1 GB and 20 bytes
  checkModelFits("small", shapes, () => only(4 * 2 ** 30 + 20));
  const refused = () => checkModelFits("large", shapes, () => only(4 * 2 ** 30 + 19));
  assert.throws(refused, /large needs about 4\.0 GB of memory; 4\.0 GB .*can be had/);
});

test("a forward that would not fit is refused before anything is computed", () => {
  const tensors = tf.memory().numTensors;
  const config = { ...model.config, d_vocab: 2 ** 40 }; // nothing of this size exists: only its estimate counts
  assert.throws(() => forward({ ...model, config }, tokens), /need about .* GB/);
  assert.equal(tf.memory().numTensors, tensors);
});

test("what the machine has but other programs use is warned of, once, and not refused", (context) => {
  const said: string[] = [];
  context.mock.method(console, "warn", (line: string) => said.push(line));
  const shapes = [[2 ** 15, 2 ** 14]]; // 2 GB, and three copies
  const busy = { total: 16 * 2 ** 30, available: 2 ** 27 };
  for (let i = 0; i < 3; i++) checkModelFits("large", shapes, () => busy);
  assert.equal(said.length, 1);
  assert.match(said[0], /large needs about 8\.0 GB of memory; 0\.1 GB are available: it may be slow.*disposeModel/);
  checkModelFits("larger", [[2 ** 15, 2 ** 15]], () => ({ total: 2 ** 40, available: 2 ** 40 }));
  assert.equal(said.length, 1);
  assert.throws(() => checkModelFits("large", shapes, () => ({ total: 2 ** 32, available: 2 ** 32 })), RangeError);
});

test("a healthy Mac has hardly any free pages and much that is available", () => {
  const output = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                6204.
Pages active:                            250000.
Pages inactive:                          248902.
Pages speculative:                          894.
Pages throttled:                              0.
Pages wired down:                        150000.
Pages purgeable:                           2000.
"Translation faults":                1234567890.
Pages occupied by compressor:            300000.
`;
  assert.equal(pagesAvailable(output), 16384 * (6204 + 248902 + 894 + 2000));
  assert.equal(pagesAvailable("no such command"), undefined);
});

test("this machine has memory, and no more available than in all", () => {
  const { total, available } = nodeHost.memory();
  assert.ok(available > 2 ** 20 && available <= total && Number.isFinite(total), `${available} of ${total}`);
});
