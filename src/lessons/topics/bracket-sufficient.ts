/** The capstone's fourth stage: which heads are enough. */
import { fewestHeads } from "../../experiments/fewest-heads";
import { allHeads, type HeadId, hasHead, headList, headName } from "../../model/heads";
import { patchHeads } from "../../model/interventions";
import { disposeRun } from "../../model/model";
import { believes, type ExerciseContext, exercise, right, wrong } from "../exercise";
import { A2, bracketDiffs, bracketPrompts, closes, reusableRun, runKeeping } from "./bracket";
import { finders } from "./bracket-finder";
import { headsGiven } from "./heads-given";

/** Of the prompts that close by themselves. */
const ENOUGH = 0.8;

/** The share of turned prompts that each of some sets closes, its heads' output at A2 taken from the closing prompts. */
function closedBy(sets: readonly (readonly HeadId[])[], context: ExerciseContext): number[] {
  const { closing, turned } = bracketPrompts(context.data);
  const source = runKeeping(context, closing, "hook_z");
  const from = reusableRun(context, turned);
  const shares = sets.map((set) =>
    closes(bracketDiffs(context, turned, patchHeads(set, "z", source.cache, [A2]), from)),
  );
  disposeRun(source, from);
  return shares;
}

const MISCONCEPTION = "necessary = sufficient";

export const bracketSufficient = exercise({
  id: "bracket-sufficient",
  title: "Necessary or sufficient?",
  difficulty: 3,
  minutes: 30,
  misconception: MISCONCEPTION,
  hints: [
    "Denoising: run the turned prompts, and write heads of the closing prompts into them. One call of patchHeads takes a list of heads.",
    "Begin with all heads: at A2 the two prompts differ by heads alone, so all of them close what closing prompts close. Then take heads away, as in the contest of lesson 5.",
    "Count prompts with bracketDiff above 0, not the mean: a mean can pass 0 while half of the prompts stay open.",
  ],
  async truth(context) {
    const { closing, turned } = bracketPrompts(context.data);
    const level = ENOUGH * closes(bracketDiffs(context, closing));
    const heads = allHeads(context.model.config);
    const best = await fewestHeads(heads, { measure: async (sets) => closedBy(sets, context), least: level });
    return { level, best, needed: finders(context, closing, turned)[0] };
  },
  judge(answer, { level, best, needed }, context) {
    const given = headsGiven(answer, context.model);
    if (typeof given === "string") return wrong(given);
    if (given.length === 0) return { verdict: "unanswered" };
    const [share] = closedBy([given], context);
    const said = `${headList(given)}: ${(100 * share).toFixed(0)}% of the turned prompts close`;
    const wanted = `wanted are ${(100 * level).toFixed(0)}%, ${100 * ENOUGH}% of those that close by themselves`;
    if (share < level && given.length === 1 && hasHead(given, needed))
      return believes(
        MISCONCEPTION,
        `${said}; ${wanted}. Without ${headName(needed)} most is lost, but alone it does not bring it back: others read what it says, and they look at their own input, too.`,
      );
    if (share < level) return wrong(`${said}; ${wanted}.`);
    if (best && given.length > best.length)
      return believes("what was found is what is needed", `${said}, but ${best.length} heads are enough.`);
    const place = best && given.length === best.length ? "as few as" : "fewer than";
    return right(
      `${said}; ${place} the library's own greedy search needs. Sufficient here, for these two kinds of prompt.`,
    );
  },
});
