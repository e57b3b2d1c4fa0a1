import { withInterval } from "../../experiments/measure";
import type { CircuitHeads } from "../../groups/classify";
import { type FollowedPath, pathName, samePath, strongestInto } from "../../groups/followed-paths";
import { hasHead, headName } from "../../model/heads";
import { mean } from "../../numbers/statistics";
import { type Claim, claim, given } from "../../show/claims";
import { paperHeads } from "../paper";

type Paths = readonly FollowedPath[];

/** What path patching measured: paths into the logits and the letter movers. */
export interface MeasuredPaths {
  readonly circuit: CircuitHeads;
  /** Clean logit difference of letters 1, 2, 3, in logits. */
  readonly clean: readonly number[];
  /** What content does: once for each choice of other prompts. */
  readonly content: readonly { readonly live: Paths; readonly frozen: Paths }[];
  /** What order does: once for each part of the prompts; as many as there are of `content`. */
  readonly order: readonly Paths[];
}

const intoLogits = (rows: Paths) => rows.filter(({ into }) => into === "logits");
const inDigits = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(" / ");

/** What holds for any weights: order is taken away at the words, letters are read elsewhere, and only heads lead from there to here. */
export function orderSkipsLogits(order: Paths): Claim {
  const changes = intoLogits(order).map(({ change }) => Math.abs(change));
  const largest = Math.max(...changes);
  return given(
    "Which word is which goes from no head straight to the logits: 0 but for rounding",
    largest < 1e-4,
    `largest of ${changes.length} changes: ${largest.toExponential(1)}`,
  );
}

/** What notebook 04 says of the embedded model. */
export function pathFindings({ circuit, clean, content, order }: MeasuredPaths): Claim[] {
  const { letter_movers, propagation, fuzzy_previous_token } = circuit;
  const written = (rows: Paths, isMover: boolean) =>
    mean(rows.filter((row) => hasHead(letter_movers, row) === isMover).map(({ change }) => change));
  const writers = content.map(({ frozen }) => [true, false].map((isMover) => written(intoLogits(frozen), isMover)));
  const needed = content.map(({ live }) => strongestInto(live, "mover", clean));
  const straight = content.map(({ frozen }, i) => {
    const path = needed[i];
    const direct = path && samePath(frozen, path);
    return direct ? direct.change / path.change : Number.NaN;
  });
  const orders = order.map((rows) => strongestInto(rows, "mover", clean));
  const most = (rows: Paths) =>
    Math.max(0, ...rows.filter((row) => hasHead(fuzzy_previous_token, row)).map((row) => shareLost(row, clean)));
  const hidden = content.map(({ live }, i) => [most(live), most(order[i])]);
  return [
    claim(
      "A letter mover writes at least three times as much to the logits as another head, on average (3 seeds)",
      writers.every(([own, others]) => own < 0 && own < 3 * others),
      writers.map(inDigits).join("; "),
    ),
    claim(
      "What the movers need most from other heads comes from a propagation head, through their queries (3 seeds)",
      needed.every((path) => path?.into === "mover query" && hasHead(propagation, path) && isSame(path, needed[0])),
      needed
        .map((path) => (path ? `${pathName(path)}, letter ${path.letter}: ${withInterval(path)}` : NONE))
        .join("; "),
    ),
    claim(
      "With MLPs frozen, more than half of that effect is left (3 seeds)",
      straight.every((share) => share > 0.5),
      inDigits(straight),
    ),
    claim(
      "Which word is which reaches the movers through their keys or values, not their queries (3 parts of the prompts)",
      orders.every((path) => path !== undefined && path.into !== "mover query"),
      orders.map((path) => (path ? `${pathName(path)}: ${withInterval(path)}` : NONE)).join("; "),
    ),
    claim(
      "Other prompts hide the fuzzy previous token heads: order costs them more than content (3 seeds)",
      hidden.every(([byContent, byOrder]) => byOrder > byContent),
      `largest share lost, content / order: ${hidden.map(inDigits).join("; ")}`,
    ),
  ];
}

const NONE = "no path into the movers";
const isSame = (path: FollowedPath, other?: FollowedPath) => other !== undefined && pathName(path) === pathName(other);
const shareLost = ({ change, letter }: FollowedPath, clean: readonly number[]) => -change / clean[letter - 1];

/** What the paper says of GPT-2 Small's letter movers. */
export function paperPathFindings({ clean, content }: Pick<MeasuredPaths, "clean" | "content">): Claim[] {
  const { letter_movers } = paperHeads();
  const direct = content.map(({ frozen }) => intoLogits(frozen));
  const first = direct.map((rows) => strongestInto(rows, "logits", clean));
  const harm = letter_movers.map((head) =>
    direct.map((rows) => mean(rows.filter((row) => hasHead([head], row)).map(({ change }) => change))),
  );
  return [
    claim(
      "The head that writes most to the logits is one of the paper's letter movers (3 seeds)",
      first.every((row) => row !== undefined && hasHead(letter_movers, row)),
      first.map((row) => row?.from ?? "none").join(", "),
    ),
    claim(
      "Each of the paper's letter movers harms the letters directly, on average (3 seeds)",
      harm.flat().every((change) => change < 0),
      harm.map((changes, i) => `${headName(letter_movers[i])}: ${inDigits(changes)}`).join("; "),
    ),
  ];
}
