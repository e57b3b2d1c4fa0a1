import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { apart, near } from "../tests/close";
import { TINY } from "../tests/fixtures/tiny-prompts";
import { initBackend } from "./backend";
import { forward, forwardEach } from "./forward";
import { axesOf, edit, type HookName, hookNames, type Intervention, merge, patch } from "./hooks";
import { disposeRun, type Model, type ModelConfig, type Run } from "./model";
import { reusable, sideBySide } from "./plan";
import { random } from "./random";
import { processWeights, randomModel } from "./weights";

const config: ModelConfig = { ...TINY, n_ctx: 12, d_vocab: 30 };
const LENGTH = 7;
const all = () => true;
const makeTokens = (n: number, seed: number) => {
  const { int } = random(seed);
  return Array.from({ length: n }, () => Array.from({ length: LENGTH }, () => int(config.d_vocab)));
};
const clean = makeTokens(3, 1);
const corrupted = makeTokens(3, 2);
let model: Model;
let cleanRun: Run;
let corruptedRun: Run;

before(async () => {
  await initBackend();
  model = randomModel(config, 0);
  cleanRun = forward(model, clean, { keep: all });
  corruptedRun = forward(model, corrupted, { keep: all });
});

const withoutPlan = <T>(run: () => T): T => {
  process.env.ACRONYM_PLAN = "off";
  try {
    return run();
  } finally {
    delete process.env.ACRONYM_PLAN;
  }
};

test("patching the whole residual stream gives the corrupted run, at every layer", () => {
  for (let layer = 0; layer < config.n_layers; layer++) {
    const name = `blocks.${layer}.hook_resid_pre` as const;
    const run = forward(model, clean, { interventions: patch(name, corruptedRun.cache[name]) });
    near(run.logits, corruptedRun.logits, name);
    disposeRun(run);
  }
});

test("patching any activation with itself changes nothing", () => {
  for (const name of hookNames(config.n_layers)) {
    const run = forward(model, clean, { interventions: patch(name, cleanRun.cache[name] as tf.Tensor4D) });
    near(run.logits, cleanRun.logits, name);
    disposeRun(run);
  }
});

test("every activation matters: another one there changes the logits", () => {
  for (const name of hookNames(config.n_layers)) {
    if (name === "hook_pos_embed") continue; // the same in every prompt
    const run = forward(model, clean, { interventions: patch(name, corruptedRun.cache[name] as tf.Tensor4D) });
    apart(run.logits, cleanRun.logits, name);
    disposeRun(run);
  }
});

test("attention is causal and its rows sum to 1", () => {
  const pattern = cleanRun.cache["blocks.1.attn.hook_pattern"];
  const values = pattern.arraySync();
  for (const prompt of values)
    for (const head of prompt)
      head.forEach((row, query) => {
        near(
          row.reduce((a, b) => a + b),
          1,
        );
        assert.ok(row.every((weight, key) => key <= query || weight === 0));
      });
  const changed = clean.map((row) => [...row.slice(0, -1), (row.at(-1)! + 1) % config.d_vocab]);
  const run = forward(model, changed);
  const early = (r: Run) => r.logits.slice([0, 0, 0], [-1, LENGTH - 1, -1]);
  near(early(run), early(cleanRun));
  apart(run.logits, cleanRun.logits);
});

test("a read-out gives those logits of the full ones", () => {
  const readout = { positions: [2, 6], vocab: [5, 0, 29] };
  const run = forward(model, clean, { readout });
  const full = cleanRun.logits.arraySync();
  const expected = full.map((prompt) => readout.positions.map((p) => readout.vocab.map((v) => prompt[p][v])));
  near(run.logits, tf.tensor3d(expected));
  assert.deepEqual(forward(model, clean, { readout: "none" }).logits.shape, [3, 0, 0]);
});

test("an offset shifts the position embeddings", () => {
  const shifted = forward(model, clean, { offset: [0, 2, 5], keep: ["hook_pos_embed"] }).cache.hook_pos_embed;
  const positions = model.W_pos.arraySync();
  const expected = [0, 2, 5].map((o) => Array.from({ length: LENGTH }, (_, i) => positions[o + i]));
  assert.deepEqual(shifted.arraySync(), expected); // looked up, not computed
});

test("later edits at a hook win", () => {
  const [a, b] = [cleanRun, corruptedRun].map((run) =>
    patch("blocks.1.attn.hook_z", run.cache["blocks.1.attn.hook_z"]),
  );
  near(forward(model, clean, { interventions: merge(b, a) }).logits, cleanRun.logits);
  apart(forward(model, clean, { interventions: merge(a, b) }).logits, cleanRun.logits);
});

test("only what an edit reaches, and a read-out needs, is computed", () => {
  const source = corruptedRun.cache["blocks.1.attn.hook_z"];
  const interventions = patch("blocks.1.attn.hook_z", source, { head: 1, pos: 4 });
  const readout = { positions: [6], vocab: [1] };
  const rowsOf = (run: Run, kind: string) =>
    [1, 2].map((l) => run.computed.get(`blocks.${l}.${kind}` as HookName) ?? []);
  const planned = forward(model, clean, { interventions, from: cleanRun, readout });
  assert.deepEqual(rowsOf(planned, "attn.hook_z"), [[], [6]]); // layer 1's other heads are in the clean run
  assert.deepEqual(rowsOf(planned, "hook_mlp_out"), [[4], [6]]);
  assert.deepEqual(rowsOf(planned, "attn.hook_q"), [[], []]); // position 6 still asks what it asked
  assert.deepEqual(rowsOf(planned, "attn.hook_v"), [[], [4]]);
  assert.equal(planned.computed.has("blocks.0.hook_resid_pre"), false);
  const poor = forward(model, clean, { keep: ["blocks.1.hook_resid_pre"] });
  const recomputed = forward(model, clean, { interventions, from: poor, readout });
  assert.deepEqual(rowsOf(recomputed, "attn.hook_v"), [
    [0, 1, 2, 3, 4, 5, 6],
    [0, 1, 2, 3, 4, 5, 6],
  ]);
  assert.equal(recomputed.computed.has("blocks.0.hook_resid_pre"), false);
});

test("without edits, and where all heads are frozen, attention is not computed", () => {
  const nothing = forward(model, clean, { from: cleanRun, readout: { positions: [6], vocab: [1] } });
  assert.deepEqual([...nothing.computed.keys()], []);
  const frozen = [1, 2].map((l) => `blocks.${l}.attn.hook_z` as const).map((at) => patch(at, cleanRun.cache[at]));
  const interventions = merge(
    patch("blocks.1.hook_resid_pre", corruptedRun.cache["blocks.1.hook_resid_pre"]),
    ...frozen,
  );
  const run = forward(model, clean, { interventions, from: cleanRun });
  assert.ok(run.computed.has("blocks.2.hook_mlp_out"));
  assert.ok([...run.computed.keys()].every((name) => !name.includes("attn")));
});

test("a clean piece laid over another's does not make the row clean", () => {
  const at = "blocks.1.attn.hook_pattern";
  const interventions = merge(patch(at, corruptedRun.cache[at]), patch(at, cleanRun.cache[at], { key_pos: 0 }));
  const planned = forward(model, clean, { interventions, from: cleanRun });
  near(planned.logits, withoutPlan(() => forward(model, clean, { interventions })).logits);
  apart(planned.logits, cleanRun.logits);
  const back = merge(patch(at, corruptedRun.cache[at]), patch(at, cleanRun.cache[at]));
  assert.deepEqual([...forward(model, clean, { interventions: back, from: cleanRun }).computed.keys()], []);
});

test("several interventions side by side are each as by itself", () => {
  const points = [0, 1].map((head) =>
    patch("blocks.1.attn.hook_z", corruptedRun.cache["blocks.1.attn.hook_z"], { head }),
  );
  const readout = { positions: [6, 2], vocab: [3, 1] };
  const keep = ["blocks.2.attn.hook_pattern", "hook_embed"] as const;
  const together = forwardEach(model, clean, [[], ...points], { from: cleanRun, readout, keep });
  [[], ...points].forEach((interventions, p) => {
    const alone = forward(model, clean, { interventions, readout, keep });
    near(together[p].logits, alone.logits, `point ${p}`);
    for (const name of keep) near(together[p].cache[name], alone.cache[name], name);
    disposeRun(alone);
  });
  disposeRun(...together);
});

test("side by side are points that need the same, as many as fill the processor and keep little", () => {
  const counted = (options: object, over: Partial<ModelConfig> = {}) => {
    const wide = { ...model, config: { ...config, ...over } }; // only planned, never computed
    const from = { ...cleanRun, model: wide };
    const points = (index: number) => edit("blocks.0.attn.hook_z", (z) => z, { pos: [index < 5 ? 6 : 5] });
    return sideBySide(wide, clean, { points, count: 9, from, readout: "none", ...options }).length;
  };
  const keep = ["blocks.1.attn.hook_q"] as const;
  assert.equal(counted({ keep }), 5, "the sixth needs another row");
  assert.equal(counted({ keep, count: 2 }), 2);
  const one = 4 * clean.length * LENGTH * config.n_heads;
  assert.equal(counted({ keep }, { d_head: Math.floor(2 ** 27 / one / 3) }), 3, "more would keep more than 128 MB");
  assert.equal(counted({ keep }, { d_head: 2 ** 27 }), 1);
});

/** Random edits: any hook, any slice, replaced (by other prompts' activation or the clean run's own) or changed. */
const position = fc.integer({ min: 0, max: LENGTH - 1 });
const anyEdit = fc.record({
  at: fc.constantFrom(...hookNames(config.n_layers)),
  pos: fc.option(fc.uniqueArray(position, { minLength: 1, maxLength: 3 })),
  head: fc.option(fc.subarray([0, 1], { minLength: 1 })),
  key: fc.option(position),
  kind: fc.constantFrom("other", "clean", "change"),
});
type AnyEdit = typeof anyEdit extends fc.Arbitrary<infer T> ? T : never;

/** A model and two runs of it. */
interface World {
  readonly model: Model;
  readonly cleanRun: Run;
  readonly corruptedRun: Run;
}
const worldOf = (anyModel: Model): World => ({
  model: anyModel,
  cleanRun: forward(anyModel, clean, { keep: all }),
  corruptedRun: forward(anyModel, corrupted, { keep: all }),
});

function interventionOf({ at, pos, head, key, kind }: AnyEdit, world: World): Intervention {
  const axes = axesOf(at);
  const entries = Object.entries({ pos, query_pos: pos, head, key_pos: key });
  const slice = Object.fromEntries(entries.filter(([axis, index]) => axes.includes(axis) && index !== null));
  const source = (kind === "clean" ? world.cleanRun : world.corruptedRun).cache[at] as tf.Tensor4D;
  // reverses positions too, so that a change really needs all of them
  const reversed = at.endsWith("scores") ? 1 : axes.includes("query_pos") ? 2 : 1;
  const mix = (a: tf.Tensor4D) => a.add(source).mul(0.5).reverse(reversed) as tf.Tensor4D;
  const hook = at as "blocks.0.attn.hook_z";
  return kind === "change" ? edit(hook, mix, slice) : patch(hook, source, slice);
}

/** One to three points of none to three edits each. */
const anyPoints = fc.array(fc.array(anyEdit, { maxLength: 3 }), { minLength: 1, maxLength: 3 });
const KEEPS = { reusable: reusable(config), some: (name: string) => name.length % 2 === 0 };

test("planned equals plain, for random models, interventions, read-outs, kept names and clean runs", () => {
  const worlds = [
    model,
    processWeights(randomModel(config, 1)),
    randomModel({ ...config, n_heads: 4, d_head: 4, d_mlp: 20 }, 2),
  ].map(worldOf);
  const cases = fc.record({
    world: fc.constantFrom(...worlds),
    names: fc.subarray(hookNames(config.n_layers), { maxLength: 4 }),
    fromKeeps: fc.constantFrom("all", "reusable", "some", "nothing"),
    readout: fc.constantFrom("all" as const, "none" as const, { positions: [5, 3], vocab: [0, 3] }),
  });
  fc.assert(
    fc.property(anyPoints, cases, (edits, { world, names, fromKeeps, readout }) => {
      tf.tidy(() => {
        const points = edits.map((point) => merge(...point.map((one) => interventionOf(one, world))));
        const keep = fromKeeps === "reusable" || fromKeeps === "some" ? KEEPS[fromKeeps] : all;
        const kept = fromKeeps === "all" ? world.cleanRun : forward(world.model, clean, { keep });
        const options = { keep: names, readout };
        const from = fromKeeps === "nothing" ? undefined : kept;
        const planned = forwardEach(world.model, clean, points, { ...options, from });
        points.forEach((interventions, p) => {
          const plain = withoutPlan(() => forward(world.model, clean, { ...options, interventions }));
          const what = `point ${p} of ${JSON.stringify(edits)}`;
          near(planned[p].logits, plain.logits, what);
          for (const name of names) near(planned[p].cache[name], plain.cache[name], `${name} after ${what}`);
        });
      });
    }),
    { numRuns: 400, seed: 42 },
  );
});

test("ACRONYM_PLAN=off computes everything", () => {
  const interventions = patch("blocks.2.attn.hook_z", corruptedRun.cache["blocks.2.attn.hook_z"]);
  const { computed } = withoutPlan(() => forward(model, clean, { interventions, from: cleanRun, readout: "none" }));
  for (const name of hookNames(config.n_layers)) assert.equal(computed.get(name)?.length, LENGTH, name);
});

test("a clean run that doesn't belong is refused", () => {
  const interventions = patch("blocks.0.attn.hook_z", corruptedRun.cache["blocks.0.attn.hook_z"]);
  const other = randomModel(config, 1);
  assert.throws(() => forward(model, corrupted, { interventions, from: cleanRun }), /other tokens/);
  assert.throws(() => forward(other, clean, { interventions, from: cleanRun }), /another model/);
  assert.throws(
    () => forward(model, clean, { interventions, from: forward(model, clean, { interventions }) }),
    /has interventions/,
  );
  assert.throws(() => forward(model, clean, { interventions, from: cleanRun, offset: [0, 0, 0] }), /don't go together/);
});

test("bad tokens, names and edits are named", () => {
  assert.throws(() => forward(model, []), /tokens are empty/);
  assert.throws(() => forward(model, [[1, 2], [1]]), /prompt 1 has 1 tokens, prompt 0 has 2/);
  assert.throws(() => forward(model, [[1, 30]]), /prompt 0: token 30 is not in tiny's 0 … 29/);
  assert.throws(() => forward(model, [Array(13).fill(1)]), /13 positions are needed, tiny has 12/);
  assert.throws(() => forward(model, clean, { offset: [0] }), /1 offsets for 3 prompts/);
  assert.throws(
    () => forward(model, clean, { keep: ["blocks.3.hook_resid_pre"] }),
    /blocks.3.hook_resid_pre: tiny has layers 0 … 2/,
  );
  assert.throws(() => forward(model, clean, { keep: ["hook_nothing" as HookName] }), /no hook "hook_nothing"/);
  const run = forward(model, clean, { keep: ["hook_embed"] });
  assert.throws(() => run.cache["blocks.0.hook_resid_pre"], /"blocks.0.hook_resid_pre" was not kept/);
});

test("a forward leaves nothing behind but what it gives, and disposeRun frees that", () => {
  const tensors = tf.memory().numTensors;
  const interventions = patch("blocks.1.attn.hook_z", corruptedRun.cache["blocks.1.attn.hook_z"], { pos: 3 });
  const run = forward(model, clean, {
    interventions,
    from: cleanRun,
    keep: ["blocks.0.hook_resid_pre", "blocks.2.attn.hook_q"],
  });
  assert.equal(tf.memory().numTensors, tensors + 3);
  disposeRun(run);
  assert.equal(tf.memory().numTensors, tensors);
  assert.ok(!cleanRun.cache["blocks.0.hook_resid_pre"].isDisposed);
});
