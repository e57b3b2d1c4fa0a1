// Every notebook on models that have next to nothing: its cells, one after the other, as one function. What the kernel adds is left to
// tests/notebooks.test.ts: ten kernels for each model would take minutes.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { encodeSafetensors } from "../scripts/checkpoint/encode";
import { listNotebooks } from "../scripts/notebooks/notebooks.mjs";
import { ROOT } from "../scripts/setup/paths.mjs";
import { initialValues } from "../src/load/untrained";
import type { ModelConfig } from "../src/model/model";
import { random } from "../src/numbers/random";
import { VOCAB } from "./fixtures/cases";
import { printed } from "./fixtures/notebook";

const temporary = path.join(ROOT, ".setup", "tmp");
mkdirSync(temporary, { recursive: true });
const home = mkdtempSync(path.join(temporary, "small-"));
after(() => rmSync(home, { recursive: true, force: true }));

/** A checkpoint's folder; `scale`: how far its weights are from 0. */
function checkpoint(name: string, layers: number, heads: number, scale: number): string {
  const d_vocab = Object.keys(VOCAB).length;
  const [n_embd, n_positions] = [2 * heads, 32];
  const sizes = { n_layers: layers, n_heads: heads, d_model: n_embd, d_head: 2, d_mlp: 4 * n_embd };
  const config: ModelConfig = { name, ...sizes, n_ctx: n_positions, d_vocab, eps: 1e-5 };
  const tensors = [...initialValues(config, random(0))].map(([key, { shape, values }]) => [
    key,
    { shape, values: values.map((value) => scale * value) },
  ]);
  const folder = path.join(home, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors)));
  writeFileSync(path.join(folder, "vocab.json"), JSON.stringify(VOCAB));
  const ours = { model_type: "gpt2", n_layer: layers, n_head: heads, n_embd, n_positions, vocab_size: d_vocab };
  writeFileSync(path.join(folder, "config.json"), JSON.stringify(ours));
  return folder;
}

/** A search's steps are all alike: three for a notebook's sixty. */
const STEPS = [/^const steps = \d+;/, "const steps = 3;"] as const;

/** All cells of a notebook as one function in a file of its own. */
function cellsOf(name: string): () => Promise<void> {
  const { cells } = JSON.parse(readFileSync(path.join(ROOT, "notebooks", `${name}.ipynb`), "utf8"));
  const lines: string[] = cells
    .filter((cell: { cell_type: string }) => cell.cell_type === "code")
    .flatMap((cell: { source: string[] }) => cell.source.join("").split("\n"));
  const isImport = (line: string) => /^import .* from "\.\.\/dist";$/.test(line);
  const imports = lines
    .filter(isImport)
    .map((line) => line.replace('"../dist"', JSON.stringify(path.join(ROOT, "src"))));
  const file = path.join(home, `${name}.ts`);
  const body = lines
    .filter((line) => !isImport(line))
    .map((line) => line.replace(...STEPS))
    .join("\n");
  writeFileSync(file, `${imports.join("\n")}\nexport async function run() {\n${body}\n}\n`);
  return require(file).run;
}

const notebooks = new Map(listNotebooks(path.join(ROOT, "notebooks")).map((name) => [name, cellsOf(name)]));

for (const [name, layers, heads, scale, n] of [
  ["one-layer-one-head", 1, 1, 20, 1],
  ["two-layers-two-heads", 2, 2, 20, 2],
  ["all-zero", 1, 1, 0, 1],
] as const)
  describe(`every notebook runs on a model of ${layers} × ${heads} heads, ${name}, with n = ${n}`, () => {
    const folder = checkpoint(name, layers, heads, scale);
    for (const [notebook, run] of notebooks)
      test(notebook, async (t) => {
        const env = { ACRONYM_MODEL: folder, ACRONYM_N: `${n}`, ACRONYM_FIGURES: undefined };
        const before = process.env;
        process.env = { ...before, ...env };
        t.after(() => {
          process.env = before;
        });
        const here = process.cwd();
        process.chdir(path.join(ROOT, "notebooks"));
        t.after(() => process.chdir(here));
        const said = (await printed(run)).join("\n");
        assert.match(said, /claims? holds?/);
        assert.doesNotMatch(said, /✗|NaN|Infinity|undefined|\[object/);
        if (/^0[1-8]/.test(notebook)) assert.equal(said.match(/not answered yet/g)?.length, 2, "its two exercises");
      });
  });
