import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { initBackend } from "../../../src/model/backend/choose";
import { forward, forwardEach } from "../../../src/model/forward";
import { axesOf, edit, type HookName, hookNames, type Intervention, merge, patch } from "../../../src/model/hooks";
import { disposeRun, type Model, type ModelConfig, type Run } from "../../../src/model/model";
import { reusable, sideBySide } from "../../../src/model/plan";
import { random } from "../../../src/numbers/random";
import { apart, near } from "../../fixtures/close";
import { processedModel, randomModel, randomTokens, TINY } from "../../fixtures/tiny-prompts";

const any = <T>(value: unknown) => value as T; // what only plain JavaScript would pass

const config: ModelConfig = { ...TINY, n_ctx: 12, d_vocab: 30 };
const LENGTH = 7;
const all = () => true;
const makeTokens = (n: number, seed: number) => randomTokens(n, LENGTH, config.d_vocab, seed);
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

test("what lies inside attention and layer norms is computed only where somebody looks at it", () => {
  const readout = { positions: [LENGTH - 1], vocab: [0] };
  const inside = (run: Run) =>
    [...run.computed.keys()].filter((name) => name.startsWith("blocks.1.") && /scale|scores|pattern/.test(name)).sort();
  const attention = ["blocks.1.attn.hook_attn_scores", "blocks.1.attn.hook_pattern"];
  assert.deepEqual(inside(forward(model, clean, { readout })), []);
  assert.deepEqual(inside(forward(model, clean, { readout, keep: ["blocks.1.attn.hook_pattern"] })), attention);
  assert.deepEqual(inside(forward(model, clean, { readout, keep: ["blocks.1.ln2.hook_scale"] })), [
    "blocks.1.ln2.hook_scale",
  ]);
  const scores = edit("blocks.1.attn.hook_attn_scores", (x) => x.mul(2));
  assert.deepEqual(inside(forward(model, clean, { readout, interventions: scores })), attention);
  // what a clean run has kept needs no computing, but is looked at: it may be told from what the edit changes
  const values = edit("blocks.1.attn.hook_v", (x) => x.mul(2));
  const changed = forward(model, clean, { readout, interventions: values, from: cleanRun });
  assert.equal(changed.computed.has("blocks.1.attn.hook_pattern"), false);
  near(changed.logits, forward(model, clean, { readout, interventions: values }).logits);
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
  near(planned.logits, forward(model, clean, { interventions, plan: false }).logits);
  apart(planned.logits, cleanRun.logits);
  const back = merge(patch(at, corruptedRun.cache[at]), patch(at, cleanRun.cache[at]));
  assert.deepEqual([...forward(model, clean, { interventions: back, from: cleanRun }).computed.keys()], []);
});

test("attention that is made to look ahead sees later keys, with a plan as without", () => {
  const at = "blocks.1.attn.hook_pattern";
  const ahead = edit(at, (pattern) => tf.reverse(pattern, 2), { query_pos: 0 });
  const later = patch("blocks.1.attn.hook_v", corruptedRun.cache["blocks.1.attn.hook_v"], { pos: 5 });
  const readout = { positions: [0], vocab: [1, 2] };
  const run = (interventions: Intervention, plan: boolean) =>
    forward(model, clean, { interventions, from: cleanRun, readout, plan }).logits;
  for (const interventions of [ahead, merge(ahead, later)]) near(run(interventions, true), run(interventions, false));
  apart(run(ahead, true), run([], true));
  apart(run(ahead, true), run(merge(ahead, later), true));
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

for (const kind of ["q", "k", "v"] as const)
  test(`what a head reads for its ${kind}: another's stream there is another's ${kind}, and no other head sees it`, () => {
    const [layer, slice] = [1, { head: 1, pos: [2, 4] }];
    const at = `blocks.${layer}.hook_${kind}_input` as const;
    const made = `blocks.${layer}.attn.hook_${kind}` as const;
    const read = forward(model, clean, { interventions: patch(at, corruptedRun.cache[at], slice), from: cleanRun });
    const set = forward(model, clean, { interventions: patch(made, corruptedRun.cache[made], slice) });
    near(read.logits, set.logits);
    apart(read.logits, cleanRun.logits);
    const stream = cleanRun.cache[`blocks.${layer}.hook_resid_pre`];
    near(cleanRun.cache[at], tf.stack([stream, stream], 2), "each head is given the stream");
  });

test("what the MLP reads: another's stream there is another's MLP, and the stream itself goes on", () => {
  const [at, out] = ["blocks.1.hook_mlp_in", "blocks.1.hook_mlp_out"] as const;
  const read = forward(model, clean, { interventions: patch(at, corruptedRun.cache[at], { pos: 4 }), from: cleanRun });
  const set = forward(model, clean, { interventions: patch(out, corruptedRun.cache[out], { pos: 4 }) });
  near(read.logits, set.logits);
  apart(read.logits, cleanRun.logits);
});

test("a head whose input is edited has a layer norm of its own: edits of the stream's reach the others", () => {
  const [at, norm] = ["blocks.1.hook_v_input", "blocks.1.ln1.hook_normalized"] as const;
  const keep = ["blocks.1.attn.hook_v"] as const;
  const own = patch(at, cleanRun.cache[at], { head: 0, pos: 3 });
  const both = merge(own, patch(norm, corruptedRun.cache[norm]));
  for (const plan of [true, false]) {
    const run = forward(model, clean, { interventions: both, from: cleanRun, keep, plan });
    const wanted = merge(
      patch(keep[0], corruptedRun.cache[keep[0]]),
      patch(keep[0], cleanRun.cache[keep[0]], { head: 0, pos: 3 }),
    );
    near(run.cache[keep[0]], forward(model, clean, { interventions: wanted, keep }).cache[keep[0]]);
  }
});

test("a head's own input costs nothing where nobody edits or keeps it", () => {
  const run = forward(model, clean);
  assert.ok([...run.computed.keys()].every((name) => !/hook_[qkv]_input$/.test(name)));
  const at = "blocks.1.hook_k_input";
  const interventions = patch(at, corruptedRun.cache[at], { head: 1, pos: 4 });
  const { computed } = forward(model, clean, {
    interventions,
    from: cleanRun,
    readout: { positions: [6], vocab: [1] },
  });
  assert.deepEqual(computed.get("blocks.1.attn.hook_k"), [4]);
  assert.equal(computed.has("blocks.1.attn.hook_v"), false);
});

/** Random edits: any hook, any slice, replaced (by other prompts' activation or the clean run's own) or changed. */
const position = fc.integer({ min: 0, max: LENGTH - 1 });
const anyEdit = fc.record({
  at: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...hookNames(config.n_layers)) },
    { weight: 1, arbitrary: fc.constantFrom(...hookNames(config.n_layers).filter((name) => /_in(put)?$/.test(name))) },
  ),
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

/** Every backend draws cases of its own: what is planned is the same on all of them. */
const { ACRONYM_BACKEND = "", ACRONYM_PERTURB = "" } = process.env;
const OWN_CASES = { numRuns: 100, seed: random(42, `${ACRONYM_BACKEND} ${ACRONYM_PERTURB}`).int(2 ** 31) };

test("planned equals plain, for random models, interventions, read-outs, kept names and clean runs", () => {
  const worlds = [
    model,
    processedModel(config, 1),
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
          const plain = forward(world.model, clean, { ...options, interventions, plan: false });
          const what = `point ${p} of ${JSON.stringify(edits)}`;
          near(planned[p].logits, plain.logits, what);
          for (const name of names) near(planned[p].cache[name], plain.cache[name], `${name} after ${what}`);
        });
      });
    }),
    OWN_CASES,
  );
});

test("without a plan everything is computed, by option or by ACRONYM_PLAN", () => {
  const interventions = patch("blocks.2.attn.hook_z", corruptedRun.cache["blocks.2.attn.hook_z"]);
  const { computed } = forward(model, clean, { interventions, from: cleanRun, readout: "none", plan: false });
  for (const name of hookNames(config.n_layers)) assert.equal(computed.get(name)?.length, LENGTH, name);
  process.env.ACRONYM_PLAN = "off";
  try {
    assert.deepEqual(forward(model, clean, { interventions, from: cleanRun, readout: "none" }).computed, computed);
  } finally {
    delete process.env.ACRONYM_PLAN;
  }
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
  assert.throws(() => forward(model, [[1, 30]]), /tiny, prompt 0: token 30 is not one of 0 … 29/);
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

/** What a list of indices below n must not be. Beyond its end WebAssembly's memory broke, and with it every later forward. */
const badLists = (n: number): (readonly [unknown, RegExp])[] => {
  const sparse = [0, 1];
  delete sparse[0];
  return [
    [[n], new RegExp(`${n} is not one of 0 … ${n - 1}`)],
    [[0, -1], /-1 is not one of/],
    [[1e9], /1000000000 is not one of/],
    [[2.5], /2.5 is not one of/],
    [[Number.NaN], /NaN is not one of/],
    [["1"], /"1" is not one of|takes .* numbers, not \["1"\]/],
    [[undefined], /undefined is not one of/],
    [sparse, /undefined is not one of/],
    [new Int32Array([1]), /a plain list of numbers is needed/],
  ];
};

/** @param run what must be refused; afterwards a correct forward still gives the same numbers, to the bit: it is the same computation */
function refusedAndNothingBroken(run: () => unknown, message: RegExp): void {
  const options = { readout: { positions: [2, 6], vocab: [5, 0, 29] } };
  const numbers = () => tf.tidy(() => [...forward(model, clean, options).logits.dataSync()]);
  const [earlier, tensors] = [numbers(), tf.memory().numTensors];
  assert.throws(run, message);
  assert.equal(tf.memory().numTensors, tensors);
  assert.deepEqual(numbers(), earlier);
}

test("a read-out that isn't there is refused, and the next forward is as the one before", () => {
  for (const [positions, message] of [...badLists(LENGTH), [[], /position: the list is empty/] as const])
    refusedAndNothingBroken(
      () => forward(model, clean, { readout: { positions: any(positions), vocab: [5] } }),
      message,
    );
  for (const [vocab, message] of [...badLists(config.d_vocab), [[], /vocab: the list is empty/] as const])
    refusedAndNothingBroken(() => forward(model, clean, { readout: { positions: [6], vocab: any(vocab) } }), message);
  refusedAndNothingBroken(
    () => forward(model, clean, { readout: any("ALL") }),
    /readout "ALL" is not one of "all", "none"/,
  );
});

test("an offset that leaves the model's positions is refused", () => {
  const most = config.n_ctx - LENGTH + 1;
  for (const [offset, message] of badLists(most)) {
    const each = Array.isArray(offset) && offset.length === 1 ? [0, offset[0], 0] : any<number[]>(offset);
    refusedAndNothingBroken(() => forward(model, clean, { offset: each }), message);
  }
  forward(model, clean, { offset: [0, most - 1, 0] }).logits.dispose();
});

test("tokens that aren't plain lists of ids are refused", () => {
  for (const [row, message] of badLists(config.d_vocab))
    refusedAndNothingBroken(() => forward(model, [[0, 1], any(row)]), message);
  const sparse = [[1, 2]];
  sparse[2] = [1, 2];
  refusedAndNothingBroken(() => forward(model, sparse), /prompt 1: token: a plain list .* not undefined/);
  refusedAndNothingBroken(() => forward(model, any("tokens")), /must be a list of prompts/);
  refusedAndNothingBroken(() => forward(model, [[]]), /tokens are empty/);
});

test("a slice is refused alike with and without a clean run", () => {
  const at = "blocks.1.attn.hook_z";
  const source = corruptedRun.cache[at];
  for (const from of [undefined, cleanRun])
    for (const axis of ["head", "pos"] as const)
      for (const [index, message] of badLists(axis === "head" ? config.n_heads : LENGTH)) {
        const interventions = patch(at, source, { [axis]: any<number[]>(index) });
        refusedAndNothingBroken(() => forward(model, clean, { interventions, from }), message);
      }
});

test("a hook has one name", () => {
  const at = "blocks.01.attn.hook_z" as "blocks.1.attn.hook_z";
  const source = corruptedRun.cache["blocks.1.attn.hook_z"];
  for (const from of [undefined, cleanRun]) {
    refusedAndNothingBroken(
      () => forward(model, clean, { interventions: patch(at, source), from }),
      /no hook "blocks.01/,
    );
    refusedAndNothingBroken(() => forward(model, clean, { keep: [at], from }), /no hook "blocks.01/);
  }
  for (const name of ["blocks.-1.attn.hook_z", "blocks.1.5.attn.hook_z", "blocks.0.toString", "toString"])
    refusedAndNothingBroken(
      () => forward(model, clean, { keep: [any<HookName>(name)] }),
      new RegExp(`no hook "${name}"`),
    );
  const high = patch("blocks.3.attn.hook_z", source);
  refusedAndNothingBroken(
    () => forward(model, clean, { interventions: high }),
    /blocks.3.attn.hook_z: tiny has layers 0 … 2/,
  );
  refusedAndNothingBroken(
    () => forward(model, clean, { interventions: any([high]) }),
    /an intervention is inside another one; merge/,
  );
});

test("an activation is float32: other types are refused by name", () => {
  const at = "blocks.1.attn.hook_z";
  for (const dtype of ["int32", "bool"] as const) {
    const source = tf.cast(cleanRun.cache[at], dtype);
    const message = new RegExp(`${at} is float32; the .* value is ${dtype}: make it so with toFloat`);
    for (const interventions of [patch(at, source), edit(at, (z) => tf.cast(z, dtype))])
      for (const from of [undefined, cleanRun])
        refusedAndNothingBroken(() => forward(model, clean, { interventions, from }), message);
    source.dispose();
  }
});

test("an edit has either a tensor or a function, and the function gives a tensor", () => {
  const at = "blocks.1.attn.hook_z";
  const source = cleanRun.cache[at];
  const refused = (edits: unknown, message: RegExp) =>
    refusedAndNothingBroken(() => forward(model, clean, { interventions: any(edits) }), message);
  refused([{ at }], /needs either a source .* or a change/);
  refused([{ at, source, change: (z: tf.Tensor) => z }], /needs either a source .* or a change/);
  refused([{ at, source: [[1]] }], /the patched-in value at blocks.1.attn.hook_z must be a tensor/);
  refused([{ at, source: null }], /must be a tensor/);
  refused([{ at, change: 2 }], /must be a function/);
  refused(
    edit(at, () => any(undefined)),
    /the changed value at blocks.1.attn.hook_z must be a tensor/,
  );
  refused(
    edit(at, (z) => z.slice([0, 0, 0, 0], [1, 1, -1, -1])),
    /the changed value is \[1,1,2,8\]/,
  );
});

test("a run keeps what it was made of, whatever becomes of the lists", () => {
  const tokens = clean.map((row) => [...row]);
  const offset = [0, 1, 2];
  const slice = { head: [0] };
  const interventions = [...patch("blocks.1.attn.hook_z", corruptedRun.cache["blocks.1.attn.hook_z"], slice)];
  const moved = forward(model, tokens, { offset, interventions });
  const from = forward(model, tokens, { keep: reusable(config) });
  tokens[0][3] = (tokens[0][3] + 1) % config.d_vocab;
  tokens.pop();
  offset[0] = 5;
  slice.head.push(1);
  interventions.pop();
  assert.deepEqual(from.tokens, clean);
  assert.deepEqual([moved.offset, moved.interventions.map((one) => one.slice)], [[0, 1, 2], [{ head: [0] }]]);
  assert.throws(() => forward(model, tokens, { from }), /run of other tokens/);
  near(forward(model, from.tokens, { from }).logits, cleanRun.logits);
  assert.throws(() => any<number[][]>(from.tokens)[0].push(1), TypeError);
  assert.throws(() => any<number[][]>(from.tokens).pop(), TypeError);
  assert.throws(() => Object.assign(from.cache, { hook_embed: cleanRun.cache.hook_embed }), TypeError);
  disposeRun(moved, from);
});

test("activations too large for float32 are refused, not taken for 0", () => {
  const large = { ...model, W_E: model.W_E.mul(1e25) as tf.Tensor2D };
  const tensors = tf.memory().numTensors;
  assert.throws(() => forward(large, clean), /prompt 0: what tiny's layers add up to is too large for float32/);
  const spoilt = edit("hook_embed", (x) => x.mul(tf.tensor3d([1, 1, 1e25], [3, 1, 1])));
  const readout = { positions: [6], vocab: [1] };
  assert.throws(() => forwardEach(model, clean, [[], spoilt], { readout }), /prompt 2: what tiny's layers/);
  assert.equal(tf.memory().numTensors, tensors);
  large.W_E.dispose();
});
