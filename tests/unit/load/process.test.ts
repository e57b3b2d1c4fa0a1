import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { encodeSafetensors } from "../../../scripts/checkpoint/encode";
import { parseSafetensors } from "../../../scripts/checkpoint/parse";
import { checkpointShapes } from "../../../src/load/checkpoint";
import { modelFromCheckpoint, PROCESSING, type Step } from "../../../src/load/process";
import type { TensorData } from "../../../src/load/safetensors";
import { initBackend } from "../../../src/model/backend/choose";
import { forward } from "../../../src/model/forward";
import { headWeights } from "../../../src/model/head-weights";
import { disposeModel, type Model, type ModelConfig } from "../../../src/model/model";
import { near } from "../../fixtures/close";
import { processedModel, randomModel } from "../../fixtures/tiny-prompts";

const config: ModelConfig = {
  name: "tiny",
  n_layers: 2,
  n_heads: 2,
  d_model: 8,
  d_head: 4,
  d_mlp: 12,
  n_ctx: 6,
  d_vocab: 11,
  eps: 1e-5,
};
const tokens = [
  [1, 2, 3, 4],
  [10, 9, 8, 7],
];

before(async () => {
  await initBackend();
});

const logits = (model: Model) => tf.tidy(() => forward(model, tokens).logits.clone());
const centredLogits = (model: Model) => tf.tidy(() => logits(model).sub(logits(model).mean(-1, true)));

/** The tensors of a model in Hugging Face's names. */
function tensorsOf(model: Model, prefix = ""): Record<string, TensorData> {
  const read = (t: tf.Tensor) => ({ shape: t.shape, values: t.dataSync<"float32">().slice() });
  const norm = (name: string, ln: { w: tf.Tensor; b: tf.Tensor } | null) => ({
    [`${name}.weight`]: read(ln!.w),
    [`${name}.bias`]: read(ln!.b),
  });
  const pair = (name: string, w: tf.Tensor, b: tf.Tensor) => ({
    [`${name}.weight`]: read(w),
    [`${name}.bias`]: read(b),
  });
  const blocks = model.blocks.map((block, l) => ({
    ...norm(`h.${l}.ln_1`, block.ln1),
    ...pair(
      `h.${l}.attn.c_attn`,
      tf.concat([block.W_Q, block.W_K, block.W_V], 1),
      tf.concat([block.b_Q, block.b_K, block.b_V]),
    ),
    ...pair(`h.${l}.attn.c_proj`, block.W_O, block.b_O),
    ...norm(`h.${l}.ln_2`, block.ln2),
    ...pair(`h.${l}.mlp.c_fc`, block.W_in, block.b_in),
    ...pair(`h.${l}.mlp.c_proj`, block.W_out, block.b_out),
  }));
  const all = Object.assign(
    { "wte.weight": read(model.W_E), "wpe.weight": read(model.W_pos) },
    ...blocks,
    norm("ln_f", model.ln_final),
  );
  return Object.fromEntries(Object.entries<TensorData>(all).map(([name, data]) => [prefix + name, data]));
}
/** A checkpoint that notes what is read, and how many tensors are alive then. */
function watched(tensors: Record<string, TensorData>) {
  const [checkpoint, alive] = [open(tensors), new Map<string, number>()];
  const read = (name: string) => {
    assert.ok(!alive.has(name), `${name} is read twice`);
    alive.set(name, tf.memory().numTensors);
    return checkpoint.read(name);
  };
  return { alive, checkpoint: { ...checkpoint, read } };
}
const open = (tensors: Record<string, TensorData>) => parseSafetensors(encodeSafetensors(tensors));

test("each processing step keeps the logits, but for a shift of all of them", () => {
  const model = randomModel(config, 3);
  const [foldLayerNorm, centerWritingWeights, centerUnembed, foldValueBiases] = PROCESSING;
  const after = (...steps: Step[]) => logits(randomModel(config, 3, { steps }));
  near(after(foldLayerNorm), logits(model));
  near(after(centerWritingWeights), logits(model));
  near(after(foldValueBiases), logits(model));
  near(after(centerUnembed), centredLogits(model));
  near(after(...PROCESSING), centredLogits(model));
});

test("processed weights have the properties TransformerLens gives them", () => {
  const model = processedModel(config, 3);
  const zero = (t: tf.Tensor) => near(t, tf.zerosLike(t));
  assert.equal(model.ln_final, null);
  zero(model.W_U.mean(0));
  zero(model.W_U.mean(1));
  zero(model.W_E.mean(1));
  for (const block of model.blocks) {
    assert.deepEqual([block.ln1, block.ln2], [null, null]);
    for (const written of [block.W_O, block.W_out]) zero(written.mean(1));
    for (const read of [block.W_Q, block.W_K, block.W_V, block.W_in]) zero(read.mean(0));
    zero(block.b_V);
  }
});

test("a checkpoint loads with both spellings of its names, mask buffers ignored", () => {
  const model = randomModel(config, 4);
  const mask = { "h.0.attn.bias": { shape: [1, 1, 2, 2], values: new Float32Array(4) } };
  for (const tensors of [{ ...tensorsOf(model), ...mask }, tensorsOf(model, "transformer.")])
    near(logits(modelFromCheckpoint(config, open(tensors))), logits(model));
});

test("a model that would not fit is refused before a weight is read", () => {
  const huge: ModelConfig = { ...config, name: "huge", d_model: 2 ** 20, d_head: 2 ** 19, d_mlp: 2 ** 22 };
  const shapes = checkpointShapes(huge);
  const checkpoint = {
    ...open(tensorsOf(randomModel(config, 4))),
    shape: (name: string) => shapes.get(name)!,
    read: (name: string) => assert.fail(`${name} is read`),
  };
  const load = () => modelFromCheckpoint(huge, checkpoint, { processed: true });
  assert.throws(
    load,
    /^RangeError: huge needs about \d+\.\d GB of memory; \d+\.\d GB .*can be had\. .* a smaller model/,
  );
});

test("each weight is read once, mask buffers never", () => {
  const tensors = tensorsOf(randomModel(config, 4), "transformer.");
  const mask = { shape: [1, 1, 2, 2], values: Float32Array.of(Number.NaN, 0, 0, 0) };
  const masks = { "transformer.h.0.attn.bias": mask, "transformer.h.1.attn.masked_bias": mask };
  for (const processed of [false, true]) {
    const { checkpoint, alive } = watched({ ...masks, ...tensors });
    disposeModel(modelFromCheckpoint(config, checkpoint, { processed }));
    assert.deepEqual([...alive.keys()].sort(), Object.keys(tensors).sort());
  }
});

test("a layer's raw weights are gone before the next layer is read", () => {
  const { checkpoint, alive } = watched(tensorsOf(randomModel(config, 4)));
  const before = tf.memory().numTensors;
  disposeModel(modelFromCheckpoint(config, checkpoint, { processed: true }));
  const [ends, block] = [4, 12]; // tensors of a processed model: W_E, W_pos, W_U, b_U; weights and biases of q k v, o, in, out
  assert.equal(alive.get("h.0.ln_1.weight"), before + ends);
  assert.equal(alive.get("h.1.ln_1.weight"), before + ends + block);
});

test("an unembedding of its own is used where it isn't tied, and then needed", () => {
  const model = randomModel(config, 4);
  const twice = { shape: [config.d_vocab, config.d_model], values: model.W_E.mul(2).dataSync<"float32">().slice() };
  const tensors = { ...tensorsOf(model), "lm_head.weight": twice };
  const untied = { ...config, tie_word_embeddings: false };
  near(logits(modelFromCheckpoint(untied, open(tensors))), logits(model).mul(2));
  near(logits(modelFromCheckpoint(config, open(tensors))), logits(model));
  assert.throws(() => modelFromCheckpoint(untied, open(tensorsOf(model))), /lacks the tensor "lm_head\.weight"/);
});

test("a checkpoint whose last tensor is damaged leaves nothing behind", () => {
  const tensors = tensorsOf(randomModel(config, 5));
  tensors["h.1.mlp.c_proj.bias"].values[7] = Number.NaN;
  for (const processed of [false, true]) {
    const before = tf.memory().numTensors;
    assert.throws(
      () => modelFromCheckpoint(config, open(tensors), { processed }),
      /"h.1.mlp.c_proj.bias" holds NaN at 7/,
    );
    assert.equal(tf.memory().numTensors, before);
  }
});

test("head weights are the columns the forward uses", () => {
  const model = randomModel(config, 6);
  const { W_Q, b_Q, W_V, b_V, W_O } = headWeights(model, { layer: 1, head: 1 });
  const names = [
    "blocks.1.ln1.hook_normalized",
    "blocks.1.attn.hook_q",
    "blocks.1.attn.hook_v",
    "blocks.1.attn.hook_z",
    "blocks.1.hook_attn_out",
  ] as const;
  const { cache } = forward(model, tokens, { keep: names });
  const x = cache["blocks.1.ln1.hook_normalized"].reshape([8, 8]);
  const ofHead = (t: tf.Tensor4D, head: number) => t.slice([0, 0, head, 0], [-1, -1, 1, -1]).reshape([8, 4]);
  near(tf.matMul(x, W_Q).add(b_Q), ofHead(cache["blocks.1.attn.hook_q"], 1));
  near(tf.matMul(x, W_V).add(b_V), ofHead(cache["blocks.1.attn.hook_v"], 1));
  const other = headWeights(model, { layer: 1, head: 0 });
  const z = cache["blocks.1.attn.hook_z"];
  const sum = tf
    .matMul(ofHead(z, 0), other.W_O)
    .add(tf.matMul(ofHead(z, 1), W_O))
    .add(model.blocks[1].b_O);
  near(sum, cache["blocks.1.hook_attn_out"].reshape([8, 8]));
  assert.throws(() => headWeights(model, { layer: 2, head: 0 }), /no head 2.0; layers are 0 … 1, heads 0 … 1/);
});

test("nothing is left behind but the result", () => {
  const start = tf.memory().numTensors;
  for (const steps of [[], ...PROCESSING.map((step) => [step]), PROCESSING]) {
    const model = randomModel(config, 7, { steps });
    assert.ok(Number.isFinite(tf.tidy(() => logits(model).sum().dataSync()[0])));
    disposeModel(model);
    assert.equal(tf.memory().numTensors, start);
  }
});
