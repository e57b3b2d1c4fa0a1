import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { encodeSafetensors } from "../../../scripts/checkpoint/encode";
import { pruneVocabulary } from "../../../scripts/checkpoint/vocabulary";
import { loadModel, loadWeights, readConfig } from "../../../src/load/load";
import { projectFolder, resolveModel } from "../../../src/load/resolve";
import type { TensorData } from "../../../src/load/safetensors";
import { openSafetensors } from "../../../src/load/safetensors-file";
import { initBackend } from "../../../src/model/backend/choose";
import { disposeModel } from "../../../src/model/model";

const fixture = path.join(projectFolder, "tests", "fixtures", "tiny-a");
const dir = mkdtempSync(path.join(tmpdir(), "models-"));
after(() => rmSync(dir, { recursive: true }));

type Tensors = Record<string, TensorData>;
const weightsOf = (folder: string): Tensors => {
  const checkpoint = openSafetensors(path.join(folder, "model.safetensors"));
  const tensors = Object.fromEntries(checkpoint.names.map((name) => [name, checkpoint.read(name)]));
  checkpoint.close();
  return tensors;
};
const original = JSON.parse(readFileSync(path.join(fixture, "config.json"), "utf8"));
const tensors = weightsOf(fixture);
const vocab = pruneVocabulary(Array.from({ length: 128 - 53 }, (_, i) => 1000 + i));

/** A whole model's folder: the fixture, with what is given instead of its own. `null`: no such file; a text: its content. */
interface Contents {
  readonly config?: Record<string, unknown> | string | null;
  readonly weights?: Tensors | string | null;
  readonly vocab?: unknown;
  readonly tokenizer?: unknown;
}
let made = 0;
function folder({ config = {}, weights = tensors, vocab: table = vocab, tokenizer = null }: Contents): string {
  const target = path.join(dir, `model-${made++}`);
  const put = (name: string, content: unknown) => {
    if (content === null) return;
    const isRaw = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(path.join(target, name), isRaw ? content : JSON.stringify(content));
  };
  mkdirSync(target);
  put("config.json", config === null || typeof config === "string" ? config : { ...original, ...config });
  put("model.safetensors", weights === null || typeof weights === "string" ? weights : encodeSafetensors(weights));
  put("vocab.json", table);
  put("tokenizer.json", tokenizer);
  return target;
}

test("sizes come from config.json", () => {
  assert.deepEqual(readConfig(fixture), {
    name: "tiny-a",
    n_layers: 3,
    n_heads: 4,
    d_model: 64,
    d_head: 16,
    d_mlp: 256,
    n_ctx: 32,
    d_vocab: 128,
    eps: 1e-5,
    tie_word_embeddings: true,
  });
});

const without = (name: string) => Object.fromEntries(Object.entries(tensors).filter(([key]) => key !== name));
const filled = (name: string, value: number, at: number): Tensors => {
  const { shape, values } = tensors[name];
  return { ...tensors, [name]: { shape, values: values.map((x, i) => (i === at ? value : x)) } };
};
const small = { shape: [2], values: new Float32Array(2) };

// what is in the folder, and what the error says after the folder's name
const faults: [string, Contents, RegExp][] = [
  ["an empty config.json", { config: "" }, /config\.json is not JSON .*fetch it again/],
  ["a config.json cut short", { config: '{"model_type": "gp' }, /config\.json is not JSON .*fetch it again/],
  ["a config.json that is a list", { config: "[]" }, /config\.json holds no table of settings/],
  ["a config.json that is null", { config: "null" }, /config\.json holds no table of settings/],
  [
    "another architecture",
    { config: { model_type: "llama" } },
    /config\.json: model_type is "llama"; only "gpt2" is supported: choose/,
  ],
  [
    "another activation",
    { config: { activation_function: "relu" } },
    /activation_function is "relu"; only "gelu_new", "gelu_pytorch_tanh"/,
  ],
  [
    "other attention",
    { config: { scale_attn_by_inverse_layer_idx: true } },
    /scale_attn_by_inverse_layer_idx is true; only false/,
  ],
  ["half a layer", { config: { n_layer: 1.5 } }, /config\.json: n_layer is 1.5; a positive integer/],
  ["no layers", { config: { n_layer: 0 } }, /n_layer is 0; a positive integer/],
  ["a size that is a text", { config: { n_embd: "64" } }, /n_embd is "64"; a positive integer/],
  [
    "no sizes",
    { config: { n_positions: undefined, n_ctx: undefined } },
    /n_positions or n_ctx is undefined; a positive integer/,
  ],
  ["heads that don't divide", { config: { n_head: 5 } }, /n_embd 64 is not a multiple of n_head 5/],
  [
    "an unembedding tied to maybe",
    { config: { tie_word_embeddings: "yes" } },
    /tie_word_embeddings is "yes"; true or false/,
  ],
  [
    "no unembedding",
    { config: { tie_word_embeddings: false } },
    /lacks the tensor "lm_head.weight", which config.json calls/,
  ],
  ["no epsilon", { config: { layer_norm_epsilon: "1e-5" } }, /layer_norm_epsilon is "1e-5"; a number between 0 and 1/],
  ["no vocabulary", { vocab: null }, / has neither vocab\.json nor tokenizer\.json/],
  ["a damaged vocab.json", { vocab: "{" }, /vocab\.json is not JSON/],
  ["a vocab.json that is null", { vocab: "null" }, /vocab\.json holds no table of tokens/],
  ["a vocab.json that is a list", { vocab: ["a"] }, /vocab\.json holds no table of tokens/],
  [
    "a tokenizer.json without a table",
    { vocab: null, tokenizer: {} },
    /tokenizer\.json holds no table.*under model\.vocab/,
  ],
  ["a tokenizer.json that is null", { vocab: null, tokenizer: "null" }, /tokenizer\.json holds no table/],
  [
    "another vocabulary",
    { vocab: pruneVocabulary([]) },
    /: its vocabulary has 53 tokens, but its config\.json says vocab_size 128/,
  ],
  ["no weights", { weights: null }, / has no model\.safetensors: a model's folder holds/],
  [
    "weights that are a pointer",
    { weights: "version https://git-lfs.github.com/spec/v1\n" },
    /model\.safetensors is not a valid safetensors file: .*git lfs pull/,
  ],
  [
    "weights that are none",
    { weights: "<html></html>" },
    /model\.safetensors is not a valid safetensors file: its header would/,
  ],
  [
    "a missing tensor",
    { weights: without("transformer.h.1.mlp.c_fc.bias") },
    /model\.safetensors lacks the tensor "h\.1\.mlp\.c_fc\.bias".*from the same/,
  ],
  [
    "a layer too many in config.json",
    { config: { n_layer: 4 } },
    /model\.safetensors lacks the tensor "h\.3\.ln_1\.weight"/,
  ],
  [
    "a billion layers",
    { config: { n_layer: 1e9 } },
    /model\.safetensors has \d+ tensors, too few for config\.json's n_layer 1000000000/,
  ],
  [
    "a layer too few in config.json",
    { config: { n_layer: 2 } },
    /model\.safetensors has 1\d tensors that a GPT-2 of config.json's sizes has not \("h\.2\./,
  ],
  [
    "another size",
    { config: { n_positions: 33 } },
    /model\.safetensors: "wpe\.weight" is \[32,64\], config\.json wants \[33,64\]/,
  ],
  [
    "another shape",
    { weights: { ...tensors, "transformer.ln_f.bias": small } },
    /"ln_f\.bias" is \[2\], config\.json wants \[64\]/,
  ],
  [
    "an unknown tensor",
    { weights: { ...tensors, "transformer.h.0.rotary": small } },
    /has 1 tensors that .* has not \("h\.0\.rotary"\)/,
  ],
  [
    "a tensor in two spellings",
    { weights: { ...tensors, "ln_f.bias": small } },
    /has a tensor twice, with and without a prefix/,
  ],
  [
    "NaN",
    { weights: filled("transformer.h.2.mlp.c_proj.weight", Number.NaN, 16383) },
    /model\.safetensors: "transformer\.h\.2\.mlp\.c_proj\.weight" holds NaN at 16383, weights must be finite/,
  ],
  [
    "infinity",
    { weights: filled("transformer.wte.weight", Number.NEGATIVE_INFINITY, 0) },
    /"transformer\.wte\.weight" holds -Infinity at 0/,
  ],
];
for (const [what, contents, message] of faults)
  test(`a folder with ${what} is refused, named, and leaves nothing behind`, async () => {
    await initBackend();
    const [target, before] = [folder(contents), tf.memory().numTensors];
    await assert.rejects(loadModel(target), ({ message: text }: Error) => {
      assert.ok(text.startsWith(target), text);
      assert.match(text.slice(target.length), message);
      return true;
    });
    assert.equal(tf.memory().numTensors, before);
  });

test("a folder without config.json says what belongs there", () => {
  const empty = folder({ config: null });
  assert.throws(
    () => readConfig(empty),
    ({ message }: Error) =>
      message.startsWith(`${empty} has no config.json: a model's folder holds config.json, model`),
  );
});

test("a whole folder loads, with vocab.json or tokenizer.json", async () => {
  for (const contents of [{}, { vocab: null, tokenizer: { model: { vocab } } }]) {
    const { model, tokenizer } = await loadModel(folder(contents));
    assert.deepEqual([model.config.d_vocab, tokenizer.vocabSize], [128, 128]);
    disposeModel(model);
  }
});

test("a model in the hub's cache is named as on the hub, not after its commit", () => {
  const snapshot = path.join(dir, "models--org--a--model", "snapshots", "607a30d7");
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(path.join(snapshot, "config.json"), JSON.stringify(original));
  assert.equal(readConfig(snapshot).name, "org/a--model");
  assert.equal(readConfig(fixture).name, "tiny-a");
});

test("loading leaves one model's tensors", async () => {
  await initBackend();
  const before = tf.memory().numTensors;
  const model = loadWeights(fixture, readConfig(fixture), true);
  assert.equal(tf.memory().numTensors - before, 4 + 12 * 3);
  disposeModel(model);
  assert.equal(tf.memory().numTensors, before);
});

test("a model is the embedded one or a folder; a relative one may start at the project", async () => {
  assert.equal(await resolveModel("embedded"), path.join(projectFolder, "data", "embedded"));
  assert.equal(await resolveModel(fixture), fixture);
  assert.equal(await resolveModel(path.join("tests", "fixtures", "tiny-a")), fixture);
});

test("only plain files of a sensible size are opened", { skip: process.platform === "win32" }, async () => {
  for (const name of ["config.json", "vocab.json", "model.safetensors"]) {
    for (const [plant, message] of [
      [(file: string) => void spawnSync("mkfifo", [file]), / is not a file but a pipe/],
      [(file: string) => symlinkSync("/dev/zero", file), / is not a file but a device/],
      [(file: string) => mkdirSync(file), / is not a file but a folder/],
      [
        (file: string) => truncateTo(file, 2 ** 33),
        name === "model.safetensors" ? /header does not start/ : /has 8589934592 bytes; such a file has at most/,
      ],
    ] as const) {
      const target = folder({});
      rmSync(path.join(target, name));
      plant(path.join(target, name));
      await assert.rejects(loadModel(target), message);
      rmSync(target, { recursive: true });
    }
  }
});

/** An empty file of that size, which takes no room. */
function truncateTo(file: string, size: number): void {
  writeFileSync(file, "");
  truncateSync(file, size);
}
