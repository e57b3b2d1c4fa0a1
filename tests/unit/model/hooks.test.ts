import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../../../src/model/backend/choose";
import {
  type ActivationCache,
  applyEdit,
  axesOf,
  type Edit,
  edit,
  editAt,
  editedPositions,
  hookNames,
  type Intervention,
  layerOf,
  merge,
  patch,
} from "../../../src/model/hooks";

before(async () => {
  await initBackend();
});

const sequence = (shape: number[], from = 0) =>
  tf.range(from, from + shape.reduce((a, b) => a * b), 1).reshape(shape) as tf.Tensor4D;

test("hook names come in the order of the forward and know their axes and layer", () => {
  const names = hookNames(2);
  assert.equal(names.length, 2 * 21 + 4);
  assert.deepEqual([names[0], names.at(-1)], ["hook_embed", "ln_final.hook_normalized"]);
  assert.ok(names.indexOf("blocks.0.hook_resid_post") < names.indexOf("blocks.1.hook_resid_pre"));
  assert.deepEqual(axesOf("blocks.1.attn.hook_pattern"), ["batch", "head", "query_pos", "key_pos"]);
  assert.deepEqual(
    [layerOf("hook_embed"), layerOf("blocks.11.hook_mlp_out"), layerOf("ln_final.hook_scale")],
    [-1, 11, Number.POSITIVE_INFINITY],
  );
});

test("an unknown hook is named with the ones there are", () => {
  assert.throws(
    () => axesOf("blocks.0.attn.hook_zz" as never),
    /no hook "blocks.0.attn.hook_zz".*blocks.N.attn.hook_z/,
  );
  assert.throws(() => axesOf("blocks.0.hook_embed" as never), /no hook/);
  assert.throws(() => axesOf("attn.hook_z" as never), /no hook/);
});

test("a slice is an outer product; outside it nothing changes; nothing is changed in place", () => {
  const base = sequence([2, 3, 4, 1]);
  const source = sequence([2, 3, 4, 1], 100);
  const [e] = patch("blocks.0.attn.hook_z", source, { pos: [0, 2], head: 3 });
  const [was, out, from] = [base.arraySync(), applyEdit(base, e).arraySync() as number[][][][], source.arraySync()];
  for (let b = 0; b < 2; b++)
    for (let p = 0; p < 3; p++)
      for (let h = 0; h < 4; h++) assert.deepEqual(out[b][p][h], p !== 1 && h === 3 ? from[b][p][h] : was[b][p][h]);
  assert.deepEqual(base.arraySync(), was);
});

test("a source of batch 1 serves every row, and a change works inside the slice only", () => {
  const base = sequence([2, 3, 2, 1]);
  const one = tf.fill([1, 3, 2, 1], 7) as tf.Tensor4D;
  assert.deepEqual(applyEdit(base, patch("blocks.0.attn.hook_z", one)[0]).dataSync(), new Float32Array(12).fill(7));
  const doubled = applyEdit(base, edit("blocks.0.attn.hook_z", (z) => z.mul(2), { pos: 1 })[0]).dataSync();
  assert.deepEqual([...doubled], [0, 1, 4, 6, 4, 5, 6, 7, 16, 18, 10, 11]);
});

test("minus infinity outside or inside a slice survives", () => {
  const scores = tf.tensor([1, Number.NEGATIVE_INFINITY, 2, 3], [1, 1, 2, 2]) as tf.Tensor4D;
  const out = applyEdit(scores, patch("blocks.0.attn.hook_attn_scores", tf.zerosLike(scores), { query_pos: 1 })[0]);
  assert.deepEqual([...out.dataSync()], [1, Number.NEGATIVE_INFINITY, 0, 0]);
});

test("edits that don't fit are refused by name", () => {
  const resid = tf.zeros([2, 3, 4]) as tf.Tensor3D;
  const bad = (slice: object) => () =>
    applyEdit(resid, { at: "blocks.0.hook_resid_pre", source: resid, slice } as Edit);
  assert.throws(bad({ head: 1 }), /blocks.0.hook_resid_pre has axes \[batch, pos, d_model\], not "head"/);
  assert.throws(bad({ batch: 0 }), /not "batch"/);
  assert.throws(bad({ pos: 3 }), /pos 3 is not one of 0 … 2/);
  assert.throws(
    () => applyEdit(resid, patch("blocks.0.hook_resid_pre", tf.zeros([2, 2, 4]) as tf.Tensor3D)[0]),
    /patched-in value is \[2,2,4\]/,
  );
});

test("an edit knows the positions it acts on, and can be made one of fewer positions", () => {
  const z = sequence([1, 5, 2, 1]) as tf.Tensor4D;
  const [edit] = patch("blocks.0.attn.hook_z", z, { pos: [4, 2] });
  assert.deepEqual(editedPositions(edit), [4, 2]);
  assert.equal(editedPositions(patch("blocks.0.attn.hook_z", z, { head: 0 })[0]), undefined);
  const pattern = patch("blocks.0.attn.hook_pattern", z, { query_pos: 3, key_pos: 0 });
  assert.deepEqual(editedPositions(pattern[0]), [3]);
  const rows = [1, 2, 4];
  const part = editAt(edit, rows, (source) => tf.gather(source, rows, 1));
  const zeros = tf.zeros([1, 3, 2, 1]);
  assert.deepEqual([...applyEdit(zeros, part).dataSync()], [0, 0, 4, 5, 8, 9]);
});

test("merge concatenates in order", () => {
  const [a, b] = [patch("hook_embed", tf.zeros([1, 1, 1])), patch("hook_pos_embed", tf.zeros([1, 1, 1]))];
  assert.deepEqual(
    merge(a, b, a).map(({ at }) => at),
    ["hook_embed", "hook_pos_embed", "hook_embed"],
  );
});

test("applyEdit leaves no tensor behind but its result", () => {
  const base = sequence([2, 3, 4, 1]);
  const tensors = tf.memory().numTensors;
  applyEdit(base, patch("blocks.0.attn.hook_z", base, { head: 0 })[0]).dispose();
  assert.equal(tf.memory().numTensors, tensors);
});

// What must not compile. These lines run never; the type check of the tests reads them.
export function types(t4: tf.Tensor4D, t3: tf.Tensor3D, cache: ActivationCache, layer: number): Intervention {
  const ok: Intervention = [
    { at: "blocks.8.attn.hook_z", source: t4, slice: { head: 11 } },
    { at: "hook_pos_embed", source: t3 },
  ];
  const dynamic = patch(`blocks.${layer}.attn.hook_z`, cache[`blocks.${layer}.attn.hook_z`], { head: [1, 2] });
  const changed = edit("hook_pos_embed", (a) => {
    const rank3: tf.Tensor3D = a;
    return rank3;
  });
  // @ts-expect-error rank
  const rank: Intervention = [{ at: "blocks.8.attn.hook_z", source: t3 }];
  // @ts-expect-error rank through the helper
  patch("blocks.8.attn.hook_z", t3);
  // @ts-expect-error axis
  patch("hook_pos_embed", t3, { head: 1 });
  // @ts-expect-error neither source nor change
  const neither: Intervention = [{ at: "hook_pos_embed" }];
  // @ts-expect-error both
  const both: Intervention = [{ at: "hook_pos_embed", source: t3, change: (a: tf.Tensor3D) => a }];
  // @ts-expect-error no such hook
  patch("blocks.8.attn.hook_zz", t4);
  return merge(ok, dynamic, changed, rank, neither, both);
}
