// The link holds the whole state, and whatever else it holds is refused and told.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fromHash,
  isTouched,
  OPENING,
  type State,
  toggleHead,
  togglePatch,
  toHash,
  untouched,
} from "../../../page/state";

const SIZES = { n_layers: 4, n_heads: 4 };
const FULL: State = {
  words: ["Kite", "Dune", "Wren"],
  others: ["Zeta", "Hilt", "Jilt"],
  direction: "denoising",
  activation: "hook_mlp_out",
  letter: 3,
  patches: [
    { activation: "hook_resid_pre", layer: 2, position: "(" },
    { activation: "hook_attn_out", layer: 0, position: "C2" },
    { activation: "z", layer: 3, head: 1 },
  ],
  off: [
    { layer: 0, head: 1 },
    { layer: 2, head: 3 },
  ],
  ablation: "zero",
  alike: true,
  exchange: { pair: ["C1", "C3"], embeddings: true, clock: true },
};

test("a link gives back the state that it was made of; the opening has none", () => {
  assert.equal(toHash(OPENING), "");
  for (const state of [OPENING, FULL, { ...OPENING, off: FULL.off }, untouched(FULL)]) {
    const { state: back, refused } = fromHash(`#${toHash(state)}`, SIZES);
    assert.deepEqual(refused, []);
    assert.equal(toHash(back), toHash(state));
    assert.deepEqual(back.patches, state.patches);
    assert.deepEqual(back.words, state.words);
  }
  assert.deepEqual(fromHash(toHash(FULL), SIZES).state, FULL);
});

for (const [hash, part] of [
  ["words=<b>a</b>,b", "words"],
  ["words=a,b,", "words"],
  [`words=a,b,${"c".repeat(41)}`, "words"],
  ["patches=hook_resid_pre.4.C2", "patches"],
  ["patches=hook_q.1.C2", "patches"],
  ["patches=hook_resid_pre.1.C2.3", "patches"],
  ["patches=z.1.4", "patches"],
  ["patches=z.1.1.1", "patches"],
  ["off=4.0", "off"],
  ["off=-1.0", "off"],
  ["off=0.1,,", "off"],
  ["letter=4", "letter"],
  ["direction=__proto__", "direction"],
  ["alike=1", "alike"],
  ["exchange=C2.C1.clock", "exchange"],
  ["exchange=C1.C2.toString", "exchange"],
])
  test(`refused, told and left as it was: ${hash}`, () => {
    const { state, refused } = fromHash(`#${hash}`, SIZES);
    assert.deepEqual(state, OPENING);
    assert.equal(refused.length, 1);
    assert.ok(refused[0].startsWith(`${part} is “`), refused[0]);
  });

test("what is given twice is done once", () => {
  assert.equal(fromHash("off=1.1,1.1", SIZES).state.off.length, 1);
});

test("a second click takes back the first", () => {
  const patch = FULL.patches[0];
  const done = toggleHead(togglePatch(OPENING, patch), { layer: 1, head: 2 });
  assert.ok(isTouched(done));
  assert.deepEqual(toggleHead(togglePatch(done, patch), { layer: 1, head: 2 }), OPENING);
});
