// What the page computes is what the library computes, and what its code computes when it is pasted.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import ts from "typescript";
import { CHALLENGES, judge } from "../../../page/challenges";
import { codeOf, notebookOf } from "../../../page/code";
import { listsFor } from "../../../page/compute-tables";
import { Engine, type Letters } from "../../../page/engine";
import { OPENING, type Patch, type State } from "../../../page/state";
import type { LetterRow } from "../../../src/experiments/behaviour";
import { loadModel } from "../../../src/load/load";
import { allHeads, headsWithout } from "../../../src/model/heads";
import { apart, near } from "../../fixtures/close";

let engine: Engine;
before(async () => {
  const loaded = await loadModel("embedded");
  engine = new Engine(loaded, listsFor(loaded));
});

const logits = (rows: readonly LetterRow[]) => rows.flatMap(({ letter_logits }) => [...letter_logits]);

const load = createRequire(__filename);
/** The rows that the page's code gives in a notebook. */
async function pasted(state: State): Promise<LetterRow[]> {
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(codeOf(state), { compilerOptions: options });
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const cell = new AsyncFunction("require", "exports", `${outputText}\nreturn rows;`);
  return cell((name: string) => (name === "../dist" ? { ...load("../../../src"), table: () => {} } : load(name)), {});
}

const PATCH = { activation: "hook_resid_pre", layer: 1, position: "C2" } as const;
const STATES: Readonly<Record<string, Partial<State>>> = {
  "nothing done": {},
  "a patch": { patches: [PATCH] },
  "several patches, denoising": {
    direction: "denoising",
    patches: [PATCH, { activation: "hook_mlp_out", layer: 0, position: "C1" }, { activation: "z", layer: 2, head: 1 }],
  },
  "heads off by their mean, and a head patched": {
    off: [
      { layer: 2, head: 0 },
      { layer: 2, head: 1 },
    ],
    patches: [{ activation: "z", layer: 1, head: 2 }],
  },
  "heads off by zero": {
    ablation: "zero",
    off: [
      { layer: 2, head: 0 },
      { layer: 1, head: 1 },
    ],
  },
  "positions alike": { alike: true },
  "exchanged embeddings and clock": { exchange: { pair: ["C1", "C2"], embeddings: true, clock: true } },
  everything: {
    patches: [PATCH],
    off: [{ layer: 3, head: 3 }],
    alike: true,
    exchange: { pair: ["C2", "C3"], embeddings: false, clock: true },
  },
};

for (const [name, some] of Object.entries(STATES))
  test(`pasted code gives the page's logits: ${name}`, async () => {
    const state = { ...OPENING, ...some };
    const { before, after } = await engine.letters(state);
    near(logits(await pasted(state)), logits(after));
    if (name !== "nothing done") apart(logits(after), logits(before));
  });

test("the maps hold what each patch alone does", async () => {
  const { positions, heads } = await engine.maps(OPENING);
  const ran = new Map<string, Promise<Letters>>(); // a patch tells of all letters at once
  const change = async (patch: Patch, letter: number) => {
    const key = JSON.stringify(patch);
    if (!ran.has(key)) ran.set(key, engine.letters({ ...OPENING, patches: [patch] }));
    const { before, after } = await ran.get(key)!;
    return after[letter - 1].logit_diff - before[letter - 1].logit_diff;
  };
  for (const { letter, change: found, ...at } of positions.filter((row) => Math.abs(row.change) > 5))
    near([found], [await change({ activation: "hook_resid_pre", ...at }, letter)]);
  for (const { letter, change: found, ...at } of heads.filter(({ layer }) => layer === 2))
    near([found], [await change({ activation: "z", ...at }, letter)]);
});

test("heads are patched again only for other prompts or the other direction", async () => {
  const first = await engine.maps(OPENING);
  const toggled = await engine.maps({ ...OPENING, activation: "hook_mlp_out", patches: [PATCH], letter: 1 });
  assert.equal(toggled.heads, first.heads);
  assert.notDeepEqual(toggled.positions, first.positions);
  assert.equal((await engine.maps({ ...OPENING, activation: "hook_mlp_out" })).positions, toggled.positions);
  for (const other of [{ direction: "denoising" }, { words: OPENING.others, others: OPENING.words }] as const)
    assert.notDeepEqual((await engine.maps({ ...OPENING, ...other })).heads, first.heads);
});

test("attention is that of the run with all that is done to it", async () => {
  const rows = await engine.attention({ ...OPENING, patches: [PATCH] });
  const clean = await engine.attention(OPENING);
  assert.equal(rows.length, 16 * 66);
  apart(
    rows.map(({ attention }) => attention),
    clean.map(({ attention }) => attention),
  );
});

test("words that don't fit are refused with words that do", () => {
  const [first, second, third] = engine.check(["Chief", "Kite", "wombat"]);
  assert.match(first!.reason, /is 1 token/);
  assert.ok(first!.near.length > 0 && first!.near.every((word) => word[0] === "C"));
  assert.equal(second, undefined);
  assert.match(third!.reason, /does not begin with a capital/);
  const together = engine.check(["Kite", "Kite", "Wren"])[3]!;
  assert.match(together.reason, /"KK" as one token/);
  for (const near of together.near)
    assert.deepEqual(engine.check(["Kite", near, "Wren"]), [undefined, undefined, undefined]);
  assert.ok(together.near.length > 0);
});

test("no tensor is left behind, but the means that are kept", async () => {
  const everything = { ...OPENING, ...STATES.everything };
  const work = async () => {
    await engine.letters(everything);
    await engine.attention(everything);
    await engine.maps(OPENING);
  };
  await work();
  const { numTensors } = tf.memory();
  await work();
  assert.equal(tf.memory().numTensors, numTensors);
});

test("every challenge can be met with the opening's words, and is not met by what is nearly right", async () => {
  const verdict = async (id: string, some: Partial<State>) => {
    const state = { ...OPENING, ...some };
    return judge(CHALLENGES.find((one) => one.id === id)!, state, await engine.letters(state), 16);
  };
  const without = (six: string) => {
    const on = six.split(" ").map((name) => ({ layer: Number(name[0]), head: Number(name[2]) }));
    return headsWithout(allHeads(engine.config), on);
  };
  const two = [
    { layer: 2, head: 0 },
    { layer: 2, head: 1 },
  ];
  assert.equal(await verdict("flip", {}), "open");
  assert.equal(await verdict("flip", { patches: [{ ...PATCH, layer: 2 }] }), "done");
  assert.equal(await verdict("flip", { patches: [{ ...PATCH, position: "C1" }] }), "tried");
  assert.equal(await verdict("flip", { patches: [{ ...PATCH, layer: 2 }], off: [two[0]] }), "open");
  assert.equal(await verdict("lose", { off: two }), "done");
  assert.equal(await verdict("lose", { off: [two[0], { layer: 3, head: 0 }] }), "tried");
  assert.equal(await verdict("six", { off: without("1.1 2.0 2.1 2.2 2.3 3.1") }), "done");
  assert.equal(await verdict("six", { off: without("0.0 0.1 0.2 0.3 1.0 1.1") }), "tried");
});

test("the notebook is one, and holds the code", () => {
  const state = { ...OPENING, patches: [PATCH] };
  const notebook = JSON.parse(notebookOf(state, "https://example.org/#patches=1"));
  assert.equal(notebook.cells[1].source.join(""), codeOf(state).trimEnd());
  const sample = JSON.parse(readFileSync("notebooks/00-start-here.ipynb", "utf8"));
  assert.deepEqual(notebook.metadata.kernelspec, sample.metadata.kernelspec);
});
