import { classifyHeads, type HeadEvidence, headVerdicts } from "../groups/classify";
import { groupOf, inPercents } from "../groups/group-tables";
import { failedBy } from "../groups/thresholds";
import { headName } from "../model/heads";
import { paperHeads } from "./paper";

/** The heads that the paper or the criteria put into a group: both groups, and which criteria of the paper's group fail or could not be checked. */
export function calibrationTable(evidence: readonly HeadEvidence[]) {
  const paper = paperHeads();
  const verdicts = headVerdicts(evidence);
  return classifyHeads(evidence).flatMap((one, h) => {
    const its = groupOf(paper, one);
    if (its === "none" && one.group === "none") return [];
    const fails = its === "none" ? [] : failedBy(verdicts[h][its]);
    return [
      {
        head: headName(one),
        "paper's group": its,
        "found as": one.group,
        fails: fails.join(", ") || "–",
        "not known": one.unknown.join(", ") || "–",
        ...inPercents(one),
      },
    ];
  });
}
