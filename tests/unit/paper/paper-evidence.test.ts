import assert from "node:assert/strict";
import { test } from "node:test";
import { circuitHeads, classifyHeads } from "../../../src/groups/classify";
import { nearMisses } from "../../../src/groups/thresholds";
import { headName } from "../../../src/model/heads";
import { paperBehaviour, paperFigure, paperHeads } from "../../../src/paper/paper";
import { paperEvidence } from "../../../src/paper/paper-evidence";
import { nearly } from "../../fixtures/close";

const evidence = paperEvidence();
const of = (name: string) => evidence.find((head) => headName(head) === name)!;

test("every head of GPT-2 Small, once", () => {
  assert.equal(evidence.length, 144);
  assert.equal(new Set(evidence.map(headName)).size, 144);
});

test("an effect is the share of the clean logit difference lost, of the letter that loses most", () => {
  const clean = paperBehaviour().logit_diff;
  const shares = paperFigure("fig02_attn_1")
    .rows.filter(({ x, y }) => Number(x) === 11 && Number(y) === 8)
    .map(({ value, letter }) => -value! / clean[letter! - 1]);
  assert.equal(shares.length, 3);
  assert.equal(of("8.11").total, Math.max(...shares));
  assert.ok(of("5.8").at_last_letter! > 0.3 && Math.abs(of("5.8").total!) < 0.001);
});

test("attention is that of figure 3, for the heads that it shows", () => {
  const bar = (letter: number, key: string) =>
    paperFigure("fig03_hist_8_11").rows.find((row) => row.letter === letter && row.x === key)!.value!;
  assert.equal(of("8.11").attention_to_word, Math.max(bar(1, "C1"), bar(2, "C2"), bar(3, "C3")));
  assert.equal(of("8.11").attention_to_previous_end, Math.max(bar(2, "T1"), bar(3, "T2")));
  const shown = evidence.filter((head) => head.attention_to_word !== null).map(headName);
  assert.deepEqual(shown, ["5.8", "8.11", "9.9", "10.10", "11.4"]);
});

test("attention to previous tokens is that of the supplement's patterns", () => {
  const shown = evidence.filter((head) => head.attention_to_previous_tokens !== null);
  assert.deepEqual(shown.map(headName), ["1.0", "2.2", "4.11"]);
  const rows = paperFigure("figS_attn_patterns_fuzzy").rows.filter(({ panel }) => panel === "2.2");
  const weight = (query: string, key: string) => rows.find(({ x, y }) => x === key && y === query)!.value!;
  const sums = [
    weight("C1", "The"),
    weight("C2", "T1") + weight("C2", "C1") + weight("C2", "The"),
    weight("C3", "T2") + weight("C3", "C2") + weight("C3", "T1"),
  ];
  nearly(of("2.2").attention_to_previous_tokens, (sums[0] + sums[1] + sums[2]) / 3);
});

test("what no figure shows is null, for every head", () => {
  for (const { direct, copying, ordinal } of evidence) assert.deepEqual([direct, copying, ordinal], [null, null, null]);
});

test("classified, it gives back the paper's groups and no other head", () => {
  const found = circuitHeads(classifyHeads(evidence));
  const names = (heads: Parameters<typeof headName>[0][]) => heads.map(headName).sort();
  const { letter_movers, propagation, fuzzy_previous_token, circuit } = paperHeads();
  assert.deepEqual(names(found.letter_movers), names(letter_movers));
  assert.deepEqual(names(found.propagation), names(propagation));
  assert.deepEqual(names(found.fuzzy_previous_token), names(fuzzy_previous_token));
  assert.deepEqual(names(found.circuit), names(circuit));
});

test("of the movers copying is unknown, of 5.8 whether it writes itself; nobody else has a group's effect", () => {
  const unknown = new Map(classifyHeads(evidence).map((head) => [headName(head), head.unknown]));
  for (const name of ["8.11", "9.9", "10.10", "11.4"]) assert.deepEqual(unknown.get(name), ["copying"]);
  assert.deepEqual(unknown.get("5.8"), ["indirect"]);
  assert.deepEqual(nearMisses(evidence), []);
});
