// Checkpoints as people have them: each loads with the right logits, or is refused by its true cause.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { encodeSafetensors } from "../../../scripts/checkpoint/encode";
import { bfloatsToFloats } from "../../../src/load/half";
import { loadModel } from "../../../src/load/load";
import type { TensorData } from "../../../src/load/safetensors";
import { openSafetensors } from "../../../src/load/safetensors-file";
import { disposeModel } from "../../../src/model/model";
import { type Changes, caseFolder, configOf, logitsOff, VOCAB } from "../../fixtures/cases";

type Tensors = Record<string, TensorData>;
function tensorsOf(name: string): Tensors {
  const checkpoint = openSafetensors(path.join(caseFolder(name), "model.safetensors"));
  const tensors = Object.fromEntries(checkpoint.names.map((one) => [one, checkpoint.read(one)]));
  checkpoint.close();
  return tensors;
}
const plain = tensorsOf("00-plain");
const renamed = (rename: (name: string) => string, tensors = plain): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
const weights = (tensors: Tensors): Changes => ({ "model.safetensors": encodeSafetensors(tensors) });
const zeros = (...shape: number[]): TensorData => ({
  shape,
  values: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5),
});
/** Another config: settings replaced, undefined ones removed. */
const config = (name: string, changes: Record<string, unknown>): Changes => ({
  "config.json": { ...configOf(name), ...changes },
});
const without = (key: string) => Object.fromEntries(Object.entries(VOCAB).filter(([one]) => one !== key));
const END = "<|endoftext|>";
const PAD = "04-pad-added-tokens";
const padded = { id: 820, content: "<pad>", special: true };

/** `rows` rows of embedding: those of the case with one token more, then zeros. */
function widened(rows: number): Changes {
  const wte = plain["wte.weight"];
  const values = new Float32Array(rows * 12);
  values.set(wte.values);
  return {
    ...weights({ ...plain, "wte.weight": { shape: [rows, 12], values } }),
    ...config("00-plain", { vocab_size: rows }),
  };
}

const loads: [what: string, name: string, changes: Changes][] = [
  ["nothing special", "00-plain", {}],
  ["a pad token in added_tokens.json", PAD, {}],
  [
    "a pad token in tokenizer.json beside vocab.json",
    PAD,
    { "added_tokens.json": null, "tokenizer.json": { model: { vocab: VOCAB }, added_tokens: [padded] } },
  ],
  [
    "a pad token in tokenizer.json alone",
    PAD,
    {
      "added_tokens.json": null,
      "vocab.json": null,
      "tokenizer.json": { model: { vocab: VOCAB }, added_tokens: [{ id: 819, content: END }, padded] },
    },
  ],
  [
    "a pad token in tokenizer_config.json",
    PAD,
    {
      "added_tokens.json": null,
      "tokenizer_config.json": { added_tokens_decoder: { 819: { content: END }, 820: { content: "[PAD]" } } },
    },
  ],
  ["a pad token in vocab.json itself", PAD, { "added_tokens.json": null, "vocab.json": { ...VOCAB, "<|pad|>": 820 } }],
  ["an ordinary added word", PAD, { "added_tokens.json": { " Ketchupland": 820 } }],
  [
    "<|endoftext|> among tokenizer.json's added tokens only",
    "00-plain",
    {
      "vocab.json": null,
      "tokenizer.json": { model: { vocab: without(END) }, added_tokens: [{ id: 819, content: END }] },
    },
  ],
  [
    "<|endoftext|> in added_tokens.json only",
    "00-plain",
    { "vocab.json": without(END), "added_tokens.json": { [END]: 819 } },
  ],
  [
    "added tokens that the model was never resized for",
    "00-plain",
    { "added_tokens.json": { "<pad>": 820, "<sep>": 821 } },
  ],
  ["rows padded to a multiple of 64", "05-padded-64", {}],
  ["rows padded after an added token", "05-padded-64", { "added_tokens.json": { "<pad>": 820 } }],
  ["gelu_pytorch_tanh", "07-gelu_pytorch_tanh", {}],
  ["hidden_size and the like", "08-attribute_map", {}],
  [
    "both spellings, agreeing",
    "00-plain",
    config("00-plain", { hidden_size: 12, num_hidden_layers: 3, layer_norm_eps: 1e-5, hidden_act: "gelu_new" }),
  ],
  ["intermediate_size", "08-n_inner-eps", config("08-n_inner-eps", { n_inner: null, intermediate_size: 20 })],
  ["n_inner, an epsilon and fewer positions than n_ctx", "08-n_inner-eps", {}],
  ["layer_norm_eps beside layer_norm_epsilon", "08-n_inner-eps", config("08-n_inner-eps", { layer_norm_eps: 1e-12 })],
  ["a head for multiple choice", "09-double-heads", {}],
  [
    "heads of other tasks",
    "00-plain",
    weights({
      ...renamed((name) => `transformer.${name}`),
      "score.weight": zeros(2, 12),
      "classifier.weight": zeros(2, 12),
      "classifier.bias": zeros(2),
      "v_head.summary.weight": zeros(1, 12),
      "v_head.summary.bias": zeros(1),
      "qa_outputs.weight": zeros(2, 12),
    }),
  ],
  ["heads and no prefix", "00-plain", weights({ ...plain, "score.weight": zeros(2, 12) })],
  ["the prefixes of wrappers", "00-plain", weights(renamed((name) => `_orig_mod.module.transformer.${name}`))],
  ["a prefix of its own", "00-plain", weights(renamed((name) => `model.${name}`))],
  [
    "a head within a wrapper and one beside it",
    "00-plain",
    weights({
      ...renamed((name) => `pretrained_model.transformer.${name}`),
      "pretrained_model.lm_head.weight": plain["wte.weight"],
      "v_head.summary.weight": zeros(1, 12),
    }),
  ],
  ["weights in double precision", "00-plain", { "model.safetensors": asDoubles(plain) }],
  [
    "a byte-order mark in its config.json",
    "00-plain",
    { "config.json": `\ufeff${JSON.stringify(configOf("00-plain"))}` },
  ],
  ["an added token without a text", PAD, { "added_tokens.json": { "": 820 } }],
  ["two parts", "11-shards", {}],
  ["lm_head.weight kept, the tied wte dropped", "12-head-only", {}],
  [
    "the same without a prefix",
    "00-plain",
    weights(renamed((name) => (name === "wte.weight" ? "lm_head.weight" : name))),
  ],
  ["an unembedding of its own", "12-untied", {}],
]; // prettier-ignore
for (const [what, name, changes] of loads)
  test(`a model with ${what} loads with the right logits`, async () => {
    for (const processed of [true, false]) {
      const { model, tokenizer } = await loadModel(caseFolder(name, changes), { processed });
      assert.ok(logitsOff(model, name) < 1e-4, `${logitsOff(model, name)} off`);
      assert.equal(tokenizer.vocabSize, model.config.d_vocab);
      assert.deepEqual(tokenizer.encode("The K"), [VOCAB.The, VOCAB.ĠK]);
      assert.equal(tokenizer.bos, 819);
      disposeModel(model);
    }
  });

test("an unembedding of its own is left out where config.json ties it", async () => {
  const folder = caseFolder("12-untied", config("12-untied", { tie_word_embeddings: true }));
  const { model } = await loadModel(folder);
  assert.ok(logitsOff(model, "00-plain") < 1e-4);
  disposeModel(model);
});

test("vocabularies padded to other multiples load", async () => {
  for (const rows of [824, 832, 896, 1024]) {
    const { model, tokenizer } = await loadModel(caseFolder("00-plain", widened(rows)));
    assert.deepEqual([model.config.d_vocab, tokenizer.vocabSize], [rows, rows]);
    assert.deepEqual(tokenizer.pieces([819, 820, rows - 1]), [END, "[unused 820]", `[unused ${rows - 1}]`]);
    assert.equal(tokenizer.has("[unused 820]"), false);
    disposeModel(model);
  }
});

test("an added token has an id and a text, and is not looked for in texts", async () => {
  const { model, tokenizer } = await loadModel(caseFolder(PAD));
  assert.deepEqual(
    [tokenizer.id("<pad>"), tokenizer.pieces([820]), tokenizer.decode([820])],
    [820, ["<pad>"], "<pad>"],
  );
  assert.throws(() => tokenizer.encode("The<pad>"), /"The<pad>" holds "<pad>", a token added to this vocabulary/);
  disposeModel(model);
});

test("parts may be stored in half precision, each in its own", async () => {
  const names = Object.keys(plain);
  const index = Object.fromEntries(names.map((name, i) => [name, `model-0000${1 + (i % 3)}-of-00003.safetensors`]));
  const part = (n: number) =>
    Object.fromEntries(names.filter((_, i) => i % 3 === n).map((name) => [name, plain[name]]));
  const folder = caseFolder("00-plain", {
    "model.safetensors": null,
    "model.safetensors.index.json": { weight_map: index },
    "model-00001-of-00003.safetensors": encodeSafetensors(part(0)),
    "model-00002-of-00003.safetensors": encodeSafetensors(part(1), { dtype: "F16" }),
    "model-00003-of-00003.safetensors": asBfloats(part(2)),
  });
  const { model } = await loadModel(folder);
  const off = logitsOff(model, "00-plain");
  assert.ok(off > 1e-4 && off < 0.5, `${off} off`); // rounding of the weights shows
  disposeModel(model);
});

/** The same file as bfloat16: the upper halves. */
function asBfloats(tensors: Tensors): Uint8Array {
  const upper = ({ values }: TensorData) =>
    Uint16Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (bits) => bits >>> 16);
  assert.ok(Number.isFinite(bfloatsToFloats(upper(plain["wte.weight"]))[0]));
  return fileOf(tensors, "BF16", upper);
}

function asDoubles(tensors: Tensors): Uint8Array {
  return fileOf(tensors, "F64", ({ values }) => Float64Array.from(values));
}

/** A file of tensors of another dtype than our own writer has. */
function fileOf(tensors: Tensors, dtype: string, stored: (tensor: TensorData) => ArrayBufferView): Uint8Array {
  const parts: Buffer[] = [];
  let end = 0;
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const { buffer, byteOffset, byteLength } = stored(tensor);
    parts.push(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength));
    const begin = end;
    end += byteLength;
    return [name, { dtype, shape: tensor.shape, data_offsets: [begin, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...parts]);
}

const shards = (changes: Record<string, string>): Changes => {
  const index = JSON.parse(readFileSync(path.join(caseFolder("11-shards"), "model.safetensors.index.json"), "utf8"));
  return { "model.safetensors.index.json": { ...index, weight_map: { ...index.weight_map, ...changes } } };
};
const ONE = "model-00001-of-00002.safetensors";
const TWO = "model-00002-of-00002.safetensors";

const refused: [what: string, name: string, changes: Changes, message: RegExp][] = [
  [
    "gelu",
    "00-plain",
    config("00-plain", { activation_function: "gelu" }),
    /activation_function is "gelu"; only "gelu_new"/,
  ],
  [
    "quick_gelu",
    "00-plain",
    config("00-plain", { activation_function: "quick_gelu" }),
    /activation_function is "quick_gelu"/,
  ],
  ["relu", "00-plain", config("00-plain", { activation_function: "relu" }), /activation_function is "relu"/],
  [
    "hidden_act gelu and no activation_function",
    "00-plain",
    config("00-plain", { activation_function: undefined, hidden_act: "gelu" }),
    /hidden_act is "gelu", but GPT-2's config calls it activation_function/,
  ],
  [
    "layer_norm_eps alone",
    "00-plain",
    config("00-plain", { layer_norm_epsilon: undefined, layer_norm_eps: 1e-3 }),
    /layer_norm_eps is 0\.001, but GPT-2's config calls it layer_norm_epsilon/,
  ],
  [
    "two sizes in two spellings",
    "00-plain",
    config("00-plain", { hidden_size: 16 }),
    /n_embd is 12 but hidden_size, another name of it, is 16/,
  ],
  [
    "a bad size in another spelling",
    "08-attribute_map",
    config("08-attribute_map", { hidden_size: "12" }),
    /hidden_size is "12"; a positive integer/,
  ],
  [
    "cross attention",
    "00-plain",
    config("00-plain", { add_cross_attention: true }),
    /add_cross_attention is true; only false/,
  ],
  [
    "one row more than tokens, which nobody names",
    PAD,
    { "added_tokens.json": null },
    /vocabulary has 820 tokens, .* vocab_size 821, and no file names a token of the ids from 820 on/,
  ],
  ["far more rows than tokens", "00-plain", widened(1664), /vocabulary has 820 tokens, .*vocab_size 1664; they must/],
  [
    "fewer rows than GPT-2's tokens",
    "00-plain",
    config("00-plain", { vocab_size: 800 }),
    /vocabulary has 820 tokens, .*vocab_size 800/,
  ],
  [
    "a word in vocab.json that GPT-2 hasn't",
    PAD,
    { "added_tokens.json": null, "vocab.json": { ...VOCAB, Ketchupland: 820 } },
    /vocab\.json: "Ketchupland" is not a piece of GPT-2's/,
  ],
  [
    "one token with two ids",
    PAD,
    { "tokenizer_config.json": { added_tokens_decoder: { 821: padded } } },
    /the added token "<pad>" has the id 821, in another file 820/,
  ],
  [
    "an added token with another's id",
    PAD,
    { "added_tokens.json": { "<pad>": 819 } },
    /id 819 is given twice, to "<\|endoftext\|>" and to "<pad>"/,
  ],
  [
    "an added token that the table has elsewhere",
    PAD,
    { "added_tokens.json": { " K": 820 } },
    /added token " K" has the id 820, but in the table \d+/,
  ],
  ["added_tokens.json cut short", PAD, { "added_tokens.json": '{"<pad>": 8' }, /added_tokens\.json is not JSON/],
  [
    "a bias of the unembedding",
    "00-plain",
    weights({ ...plain, "lm_head.bias": zeros(820) }),
    /has 1 tensors .* has not \("lm_head\.bias"\)/,
  ],
  [
    "weights as torch's Linear keeps them",
    "00-plain",
    weights(Object.fromEntries(Object.entries(plain).map(([name, tensor]) => [name, turned(name, tensor)]))),
    /"h\.0\.attn\.c_attn\.weight" is \[36,12\], .*wants \[12,36\]: it is stored \[out, in\].*transpose the weights of c_attn/,
  ],
  [
    "a config.json in UTF-16",
    "00-plain",
    { "config.json": Buffer.from(`\ufeff${JSON.stringify(configOf("00-plain"))}`, "utf16le") },
    /config\.json is UTF-16: save it as UTF-8/,
  ],
  [
    "two GPT-2s in one file",
    "00-plain",
    weights({ ...renamed((name) => `policy.${name}`), ...renamed((name) => `reference.${name}`) }),
    /has \d+ tensors .* has not \("reference\./,
  ],
  [
    "something else on top",
    "00-plain",
    weights({ ...plain, "adapter.down.weight": zeros(2, 12) }),
    /has not \("adapter\.down\.weight"\)/,
  ],
  [
    "neither wte nor lm_head",
    "00-plain",
    weights(renamed((name) => (name === "wte.weight" ? "score.weight" : name))),
    /lacks the tensor "wte\.weight"/,
  ],
  [
    "a missing part",
    "11-shards",
    { [TWO]: null },
    / has no model-00002-of-00002\.safetensors, which model\.safetensors\.index\.json names/,
  ],
  ["a cut part", "11-shards", { [ONE]: "x" }, /model-00001-of-00002\.safetensors is not a valid safetensors file/],
  ["a cut index", "11-shards", { "model.safetensors.index.json": '{"weight_map": {' }, /index\.json is not JSON/],
  [
    "an index that is null",
    "11-shards",
    { "model.safetensors.index.json": "null" },
    /index\.json holds no index of parts/,
  ],
  [
    "an index without its table",
    "11-shards",
    { "model.safetensors.index.json": { weight_map: [] } },
    /index\.json has no table "weight_map"/,
  ],
  [
    "a part outside the folder",
    "11-shards",
    shards({ "wte.weight": "../x.safetensors" }),
    /"wte\.weight" is in .*\.\.\/x\.safetensors.* no name of a \.safetensors file beside it/,
  ],
  [
    "an index that names the wrong part",
    "11-shards",
    shards({ "wte.weight": ONE }),
    /index\.json: "wte\.weight" is not in model-00001/,
  ],
  [
    "a tensor in two parts",
    "11-shards",
    { [TWO]: readFileSync(path.join(caseFolder("11-shards"), ONE)) },
    /model-00002-of-00002\.safetensors: "h\.0\.attn\.c_attn\.bias" is in model-00001-of-00002\.safetensors, too/,
  ],
  ["NaN in a part", "11-shards", { [ONE]: damaged(ONE) }, /model-00001-of-00002\.safetensors: "\S+" holds NaN/],
]; // prettier-ignore
for (const [what, name, changes, message] of refused)
  test(`a model with ${what} is refused by its cause`, async () => {
    const folder = caseFolder(name, changes);
    await assert.rejects(loadModel(folder), ({ message: text }: Error) => {
      assert.ok(text.startsWith(folder), text);
      assert.match(text, message);
      return true;
    });
  });

/** Matrices that are products, transposed. */
function turned(name: string, { shape, values }: TensorData): TensorData {
  if (!/c_\w+\.weight$/.test(name)) return { shape, values };
  const [rows, columns] = shape;
  return {
    shape: [columns, rows],
    values: Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]),
  };
}

/** That part with NaN as its last value. */
function damaged(part: string): Uint8Array {
  const bytes = Uint8Array.from(readFileSync(path.join(caseFolder("11-shards"), part)));
  bytes.fill(0xff, bytes.length - 4);
  return bytes;
}
