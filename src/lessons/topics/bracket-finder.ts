/** The capstone's third stage: one head. */
import { type HeadId, headName } from "../../model/heads";
import { disposeRun, type Run } from "../../model/model";
import { mean } from "../../numbers/statistics";
import { POSITIONS, type Position } from "../../prompts/positions";
import { believes, exercise, right, wrong } from "../exercise";
import { A2, type BracketContext, bracketPrompts, loweredByHead, runKeeping } from "./bracket";
import { headGiven } from "./heads-given";

/** The heads of the model, the one that loses most first, with the mean that is lost. */
export function finders(context: BracketContext, tokens: number[][], turned: number[][]) {
  const other = runKeeping(context, turned, "hook_z");
  const heads = loweredByHead(context, tokens, other).map((head) => ({ ...head, change: mean(head.by) }));
  disposeRun(other);
  return heads.sort((a, b) => a.change - b.change);
}

const MISCONCEPTION = "a head looks at what comes next";

export const bracketFinder = exercise({
  id: "bracket-finder",
  title: "Who knows, and from where?",
  difficulty: 2,
  minutes: 25,
  misconception: MISCONCEPTION,
  hints: [
    'Keep "attn.hook_z" of the turned prompts, and write one head at a time into the closing prompts with patchHeads([head], "z", other.cache, [10]).',
    "To see where it looks keep hook_pattern: cache[name] is [prompt, head, query, key]. Take the query 10 and the mean over prompts, and see which key has most, in each kind of prompt.",
    'In "The Y Z X (YZ" the letter just written is Z, and its word stands at C2. What stands at the key with most attention?',
  ],
  truth(context) {
    const { closing, turned } = bracketPrompts(context.data);
    const [best, second] = finders(context, closing, turned);
    const looks = (tokens: number[][]) => {
      const run = runKeeping(context, tokens, "hook_pattern");
      const weights = attentionFrom(run, best);
      disposeRun(run);
      const most = Math.max(...weights);
      return { at: POSITIONS[weights.indexOf(most)], most };
    };
    return { best, second, closing: looks(closing), turned: looks(turned) };
  },
  judge(answer, { best, second, closing, turned }) {
    const given = (answer ?? {}) as Record<string, unknown>;
    if ([given.head, given.closing, given.turned].every((part) => part === undefined)) return { verdict: "unanswered" };
    if (headGiven(given.head) !== headName(best))
      return wrong(
        `Head ${headGiven(given.head)} is not the one with which most is lost at A2, when it comes from the turned prompts.`,
      );
    const facts = `${headName(best)} loses ${(-best.change).toFixed(2)} logits, the next one (${headName(second)}) ${(-second.change).toFixed(2)}.`;
    if (given.closing === closing.at && given.turned === turned.at)
      return right(
        `${facts} From A2 it looks at ${closing.at} (${closing.most.toFixed(2)}) in "The X Y Z (YZ" and at ${turned.at} (${turned.most.toFixed(2)}) in "The Y Z X (YZ". ${closing.at === "C3" && turned.at === "C2" ? "Both are the word whose letter was just written: it finds out what has been done, and what comes follows from that." : "Compare with the word whose letter was just written: C3, then C2."}`,
      );
    if (given.turned === "C3" && turned.at !== "C3")
      return believes(
        MISCONCEPTION,
        `C3 is the word that comes next in the turned prompts. Look at the pattern: this head attends elsewhere.`,
      );
    return wrong(
      `${facts} But where it looks is not ${String(given.closing)} and ${String(given.turned)}: take the mean over prompts of its attention from A2, and the largest key. Labels are ${(POSITIONS as readonly Position[]).join(", ")}.`,
    );
  },
});

/** Mean attention of a head from A2, by key. */
function attentionFrom({ cache }: Run, { layer, head }: HeadId): number[] {
  const pattern = cache[`blocks.${layer}.attn.hook_pattern`].arraySync() as number[][][][];
  return POSITIONS.map((_, key) => mean(pattern.map((prompt) => prompt[head][A2][key])));
}
