/** The capstone's second stage: from where to where. */

import { patch } from "../../model/hooks";
import { disposeRun } from "../../model/model";
import { range } from "../../numbers/lists";
import { mean } from "../../numbers/statistics";
import { POSITIONS, type Position, position } from "../../prompts/positions";
import { believes, exercise, right, wrong } from "../exercise";
import { A2, bracketDiffs, bracketPrompts, reusableRun, runKeeping } from "./bracket";

/** A position matters if it alone costs this share of the difference between the two kinds of prompt. */
const MATTERS = 0.25;

const MISCONCEPTION = "the end of the name says that it ends";

export const bracketMap = exercise({
  id: "bracket-map",
  title: "A map",
  difficulty: 2,
  minutes: 25,
  misconception: MISCONCEPTION,
  hints: [
    '"(YZ" and "(XY" differ where they are read, so their map is dark there and says nothing. Take two prompts with the same letters and the words in another order.',
    "For each layer and position: patch the turned prompts' hook_resid_pre of that layer, at { pos }, into the closing prompts, and take the mean of bracketDiff. Look at layer 0 first.",
    "from: the positions whose cell before layer 0 loses a quarter of the gap or more. layer: go up until the cell at A2 loses more than each word's cells.",
  ],
  truth(context) {
    const { closing, turned } = bracketPrompts(context.data);
    const other = runKeeping(context, turned, "hook_resid_pre");
    const from = reusableRun(context, closing);
    const before = mean(bracketDiffs(context, closing, [], from));
    const gap = before - mean(bracketDiffs(context, turned));
    const { n_layers } = context.model.config;
    const lost = range(n_layers).map((layer) => {
      const at = `blocks.${layer}.hook_resid_pre` as const;
      return POSITIONS.map(
        (_, pos) => before - mean(bracketDiffs(context, closing, patch(at, other.cache[at], { pos }), from)),
      );
    });
    disposeRun(other, from);
    const where = POSITIONS.filter((_, pos) => lost[0][pos] >= MATTERS * gap);
    const arrived = lost.findIndex((row) => row.slice(0, A2).every((value) => row[A2] > value));
    return { lost, gap, from: where, layer: arrived < 0 ? n_layers : arrived };
  },
  judge(answer, { lost, gap, from, layer }) {
    const given = (answer ?? {}) as Record<string, unknown>;
    if (given.from === undefined && given.layer === undefined) return { verdict: "unanswered" };
    const labels = (Array.isArray(given.from) ? given.from : []) as Position[];
    if (labels.length === 0 || !labels.every((label) => POSITIONS.includes(label)))
      return wrong(`from must be a list of positions: ${POSITIONS.join(", ")}.`);
    const said = (label: Position) => `${label} ${lost[0][position(label)].toFixed(2)}`;
    const facts = `Before layer 0 it loses, in logits: ${POSITIONS.slice(2).map(said).join(", ")}; of ${gap.toFixed(2)} in all.`;
    const extra = labels.filter((label) => !from.includes(label));
    if (extra.some((label) => label === "A1" || label === "A2"))
      return believes(
        "where it is read is where it comes from",
        `At ${extra.join(", ")} both prompts have the same letter, so before layer 0 there is nothing to patch. What is read there has to be brought there first.`,
      );
    if (extra.some((label) => label.startsWith("T") || label === "("))
      return believes(
        MISCONCEPTION,
        `${extra.map(said).join(", ")}: less than a quarter of the ${gap.toFixed(2)} logits. That the name ends there is the same in both prompts; what differs is which word is the last.`,
      );
    const missing = from.filter((label) => !labels.includes(label));
    if (missing.length > 0)
      return believes(
        "one position holds it",
        `You miss ${missing.map(said).join(", ")}: that is a quarter of ${gap.toFixed(2)} or more.`,
      );
    if (extra.length > 0) return wrong(`${extra.map(said).join(", ")}: too little to matter. ${facts}`);
    if (given.layer !== layer)
      return wrong(
        `The positions are right. But at layer ${String(given.layer)} the cell at A2 is not the first that loses more than every cell of a word.`,
      );
    return right(
      `${facts} ${layer === lost.length ? "It arrives at A2 in the last layer only." : `Before layer ${layer} it has arrived at A2: look for heads below.`}`,
    );
  },
});
