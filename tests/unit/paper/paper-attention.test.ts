import assert from "node:assert/strict";
import { test } from "node:test";
import { paperScatterExtents } from "../../../scripts/validate/extents";
import { paperFigure } from "../../../src/paper/paper";
import { paperAttentionLogits } from "../../../src/paper/paper-attention";

test("markers of figure 11, each of a word, those of the right word within what the figure shows", () => {
  const markers = paperAttentionLogits();
  assert.equal(markers.length, paperFigure("fig11_scatter_8_11").rows.length);
  assert.deepEqual([...new Set(markers.map(({ word }) => word))].sort(), [1, 2, 3]);
  for (const { letter, x, y } of paperScatterExtents("fig11_scatter_8_11")) {
    const right = markers.filter((row) => row.letter === letter && row.word === letter);
    assert.ok(right.length > 5);
    for (const { attention, logit } of right) {
      assert.ok(attention >= x[0] - 0.01 && attention <= x[1] + 0.01);
      assert.ok(logit >= y[0] - 1 && logit <= y[1] + 1);
    }
  }
});
