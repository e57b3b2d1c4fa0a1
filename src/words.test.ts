import assert from "node:assert/strict";
import { test } from "node:test";
import { gpt2Tokenizer, pruneVocabulary, vocabTokenizer } from "./tokenizer";
import { checkWord, loadWords } from "./words";

const gpt2 = gpt2Tokenizer();
const suggest = ["Ketchup", "Kettle", "Zebra"];

test("a usable word has two tokens that spell it", () => {
  const check = checkWord("Ketchup", gpt2);
  assert.deepEqual(check, {
    word: "Ketchup",
    ok: true,
    pieces: [" K", "etchup"],
    tokens: [509, 47132],
    reason: "",
    near: [],
  });
  assert.equal(gpt2.decode(check.tokens), " Ketchup");
});

test("a word that can't be used says why", () => {
  const reasons: [string, RegExp][] = [
    ["K9", /letters A–Z only/],
    ["", /letters A–Z only/],
    ["ketchup", /does not begin with a capital/],
    ["KETCHUP", /capital after the first letter/],
    ["Chief", /is 1 token \(" Chief"\), not 2/],
    ["Kestrel", /is 3 tokens \(" K" \+ "est" \+ "rel"\), not 2/],
    ["Internet", /is 1 token/],
  ];
  for (const [word, reason] of reasons) {
    const check = checkWord(word, gpt2, suggest);
    assert.match(check.reason, reason, word);
    assert.equal(check.ok, false);
    assert.deepEqual(check.tokens, []);
  }
});

test("two tokens of which the first isn't the capital alone are refused", () => {
  const word = "Saucepan"; // " Sauce" + "pan"
  assert.equal(gpt2.encode(` ${word}`).length, 2);
  assert.match(checkWord(word, gpt2).reason, /splits as " Sauce" \+ "pan", not as " S" \+ rest/);
});

test("near words keep the first letter and are usable", () => {
  assert.deepEqual(checkWord("ketchup", gpt2, suggest).near, ["Ketchup", "Kettle"]);
  const near = checkWord("Zebraz", gpt2).near;
  assert.equal(near[0], "Zebra");
  for (const word of near) assert.ok(checkWord(word, gpt2).ok, word);
});

test("a word outside a pruned vocabulary is refused, and so as a near word", () => {
  const pruned = vocabTokenizer(pruneVocabulary([" K", "ettle"]));
  const check = checkWord("Ketchup", pruned, suggest);
  assert.match(check.reason, /needs the token "etchup", which this model's vocabulary of 54 lacks/);
  assert.deepEqual(check.near, ["Kettle"]);
  assert.deepEqual(checkWord("Kettle", pruned).tokens, [pruned.id(" K"), pruned.id("ettle")]);
});

test("every word of the list is usable and split as written", () => {
  const words = loadWords();
  assert.ok(words.length > 800);
  for (const { word, first, rest } of words) assert.deepEqual(checkWord(word, gpt2).pieces, [first, rest]);
  const held = words.filter(({ split }) => split === "held_out").length / words.length;
  assert.ok(held > 0.19 && held < 0.21, `${held}`);
});
