import assert from "node:assert/strict";
import { test } from "node:test";
import type { FollowedPath } from "../../../../src/groups/followed-paths";
import { headName } from "../../../../src/model/heads";
import {
  type MeasuredPaths,
  orderSkipsLogits,
  paperPathFindings,
  pathFindings,
} from "../../../../src/paper/findings/paths";
import { paperHeads } from "../../../../src/paper/paper";
import type { Letter } from "../../../../src/prompts/positions";
import type { Claim } from "../../../../src/show/claims";

const MOVER = { layer: 2, head: 0 };
const PROPAGATION = { layer: 1, head: 2 };
const FUZZY = { layer: 0, head: 1 };
const NOBODY = { layer: 0, head: 3 };
const circuit = {
  letter_movers: [MOVER],
  propagation: [PROPAGATION],
  fuzzy_previous_token: [FUZZY],
  circuit: [MOVER, PROPAGATION, FUZZY],
};

function path(head: typeof MOVER, into: string, change: number, letter: Letter = 2): FollowedPath {
  return { ...head, from: headName(head), into, letter, change, std: 0, n: 1, low: change, high: change, score: 0 };
}

const live = [path(PROPAGATION, "mover query", -4), path(FUZZY, "mover key", -0.1), path(NOBODY, "logits", -9)];
const frozen = [
  path(MOVER, "logits", -4),
  path(PROPAGATION, "logits", -1),
  path(FUZZY, "logits", -1),
  path(PROPAGATION, "mover query", -3),
];
const order = [path(FUZZY, "mover key", -2), path(FUZZY, "logits", 0)];
const fitting: MeasuredPaths = { circuit, clean: [8, 8, 8], content: [{ live, frozen }], order: [order] };

const failed = (claims: readonly Claim[]) => claims.flatMap(({ passed }, i) => (passed ? [] : [i]));

test("order and the logits: rounding passes, a change does not", () => {
  assert.ok(orderSkipsLogits([path(MOVER, "logits", 1e-5), path(MOVER, "mover key", -3)]).passed);
  assert.ok(!orderSkipsLogits([path(MOVER, "logits", -0.01)]).passed);
  assert.match(orderSkipsLogits(order).evidence, /^largest of 1 changes: 0\.0e\+0$/);
});

test("paths that fit: every finding holds, with its numbers", () => {
  const findings = pathFindings(fitting);
  assert.deepEqual(failed(findings), []);
  assert.deepEqual(
    findings.map(({ evidence }) => evidence),
    [
      "-4.00 / -1.00",
      "1.2 into mover query, letter 2: -4.00 [-4.00, -4.00]",
      "0.75",
      "0.1 into mover key: -2.00 [-2.00, -2.00]",
      "largest share lost, content / order: 0.01 / 0.25",
    ],
  );
});

const instead = (content: Partial<MeasuredPaths["content"][number]>, orders: readonly FollowedPath[] = order) =>
  failed(pathFindings({ ...fitting, content: [{ live, frozen, ...content }], order: [orders] }));

test("each finding fails by itself where its paths are others", () => {
  const weak = frozen.map((row) => (row.layer === 2 ? { ...row, change: -2.9 } : row));
  assert.deepEqual(instead({ frozen: weak }), [0]);
  assert.deepEqual(instead({ frozen: frozen.map((row) => ({ ...row, change: row.change / 2 })) }), [2]);
  assert.deepEqual(instead({}, [path(FUZZY, "mover query", -2)]), [3]);
  assert.deepEqual(instead({}, [path(FUZZY, "mover key", -0.05)]), [4]);
});

test("what the movers need must come from a propagation head, through queries, and be the same with every seed", () => {
  const from = (head: typeof MOVER, into: string) => ({
    live: [path(head, into, -4)],
    frozen: [...frozen, path(head, into, -4)],
  });
  assert.deepEqual(instead(from(PROPAGATION, "mover query")), []);
  assert.deepEqual(instead(from(PROPAGATION, "mover key")), [1]);
  assert.deepEqual(instead(from(NOBODY, "mover query")), [1]);
  const second = { layer: 1, head: 3 };
  const both = { ...circuit, propagation: [PROPAGATION, second] };
  const content = [from(PROPAGATION, "mover query"), from(second, "mover query")];
  assert.deepEqual(failed(pathFindings({ ...fitting, circuit: both, content, order: [order, order] })), [1]);
});

test("without paths into the movers, or without fuzzy heads, the findings about them fail", () => {
  const empty = { live: live.filter(({ into }) => into === "logits"), frozen };
  assert.deepEqual(instead(empty, []), [1, 2, 3, 4]);
  assert.match(pathFindings({ ...fitting, content: [empty] })[1].evidence, /no path into the movers/);
  assert.deepEqual(failed(pathFindings({ ...fitting, circuit: { ...circuit, fuzzy_previous_token: [] } })), [4]);
});

test("the paper's movers write to the logits, each of them, and the strongest is one", () => {
  const { letter_movers, propagation } = paperHeads();
  const content = (changes: readonly number[], other: number) => {
    const rows = letter_movers.map((head, i) => path(head, "logits", changes[i]));
    return [{ live: [], frozen: [...rows, path(propagation[0], "logits", other)] }];
  };
  const findings = (changes: readonly number[], other: number) =>
    failed(paperPathFindings({ clean: [4, 4, 4], content: content(changes, other) }));
  assert.deepEqual(findings([-3, -1, -1, -1], -2), []);
  assert.deepEqual(findings([-3, -1, -1, -1], -4), [0]);
  assert.deepEqual(findings([-3, -1, 0.5, -1], -2), [1]);
});
