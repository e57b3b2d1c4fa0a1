import { PAPER_MODEL, THIS_MODEL } from "../../figures/style";
import {
  type CircuitHeads,
  CRITERIA,
  circuitHeads,
  classifyHeads,
  GROUPS,
  type HeadEvidence,
} from "../../groups/classify";
import {
  EVEN_PREVIOUS_TOKENS,
  type GroupName,
  groupOf,
  membersOf,
  orderHeads,
  percent,
} from "../../groups/group-tables";
import { looksMostAt, type ReadoutAttention } from "../../groups/readout-attention";
import { type HeadId, hasHead, headList, headName } from "../../model/heads";
import { mean } from "../../numbers/statistics";
import type { Letter } from "../../prompts/positions";
import { type Claim, claim, given } from "../../show/claims";
import { paperHeads } from "../paper";
import { paperReadoutAttention } from "../paper-attention";
import { paperEvidence } from "../paper-evidence";

/** What is known of the groups of one model. */
export interface KnownGroups {
  readonly heads: CircuitHeads;
  readonly evidence: readonly HeadEvidence[];
  /** Of the heads in groups, at least of the strongest ones. */
  readonly looks: readonly ReadoutAttention[];
}

/** What the paper tells of GPT-2's groups, asked of this model, too: a row a question, both answers beside each other. */
export function groupAnswers(ours: KnownGroups): Readonly<Record<string, string>>[] {
  const paper = answers({ heads: paperHeads(), evidence: paperEvidence(), looks: paperReadoutAttention() });
  return Object.entries(answers(ours)).map(([question, answer]) => ({
    question,
    [THIS_MODEL]: answer,
    [PAPER_MODEL]: paper[question],
  }));
}

const NONE = "no such head";

function answers({ heads, evidence, looks }: KnownGroups): Readonly<Record<string, string>> {
  const { letter_movers, propagation, fuzzy_previous_token } = heads;
  const fuzzy = evidence.filter((one) => hasHead(fuzzy_previous_token, one));
  const look = ([first]: readonly HeadId[], letters: readonly Letter[]) =>
    first ? letters.map((letter) => looksMostAt(looks, headName(first), letter) ?? "–").join(", ") : NONE;
  const most = (column: "at_word" | "ordinal") => {
    const known = fuzzy.flatMap((one) => one[column] ?? []);
    return fuzzy.length === 0 ? NONE : percent(known.length > 0 ? Math.max(0, ...known) : null);
  };
  const order = orderHeads(evidence, fuzzy);
  const even = fuzzy.filter((one) => (one.attention_to_previous_tokens ?? 0) > EVEN_PREVIOUS_TOKENS);
  return {
    ...Object.fromEntries(GROUPS.map((group) => [`heads of the group: ${group}`, `${membersOf(heads, group).length}`])),
    "where the strongest letter mover looks most when letters 1, 2, 3 are due": look(letter_movers, [1, 2, 3]),
    "where the strongest propagation head looks most when letters 2, 3 are due": look(propagation, [2, 3]),
    "most that is lost through a fuzzy head at C_i when other words stand before (figure 5)": most("at_word"),
    "most that is lost through a fuzzy head with the order of the words": most("ordinal"),
    "fuzzy heads that look at the three tokens before more than evenly":
      fuzzy.length === 0 ? NONE : `${even.length} of ${fuzzy.length}`,
    "fuzzy heads whose effect is order alone (order heads)":
      fuzzy.length === 0
        ? NONE
        : fuzzy.every(({ ordinal }) => ordinal === null)
          ? "–"
          : `${order.length} of ${fuzzy.length}`,
  };
}

/** What the criteria make of the paper's own figures. */
export function calibrationFindings(evidence: readonly HeadEvidence[]): Claim[] {
  const paper = paperHeads();
  const inPlace = classifyHeads(evidence).filter((one) => one.group === groupOf(paper, one)).length;
  const copying = evidence.filter((one) => hasHead(paper.letter_movers, one) && one.copying !== null);
  return [
    given(
      "The criteria give back the paper's eight heads in their groups, and no others, from its figures",
      inPlace === evidence.length,
      `${inPlace} of ${evidence.length} heads are where the paper puts them`,
    ),
    given(
      "Of no letter mover of the paper do its figures show the copying",
      copying.length === 0,
      `known of ${headList(copying)}; counted as unknown, neither for nor against`,
    ),
  ];
}

/**
 * What notebook 05 says of the embedded model.
 * @param measured every head's evidence, once for each seed
 */
export function groupFindings(measured: readonly (readonly HeadEvidence[])[]): Claim[] {
  const members = measured.map((evidence) => circuitHeads(classifyHeads(evidence)));
  const inAll = members[0].circuit.filter((head) => members.every(({ circuit }) => hasHead(circuit, head)));
  const inAny = new Set(members.flatMap(({ circuit }) => circuit.map(headName)));
  const strongest = members.map((own) =>
    GROUPS.map((group) => headList(membersOf(own, group).slice(0, 1))).join(" / "),
  );
  const isStable = (group: GroupName) =>
    members.every((own) =>
      membersOf(own, group)
        .slice(0, 1)
        .every((head) => isInEach(members, group, head)),
    );
  const [toMovers, toOthers] = [true, false].map((isMover) => looksToWord(measured[0], members[0], isMover));
  const lost = measured.map((evidence, i) => {
    const first = evidence.find((one) => hasHead(members[i].fuzzy_previous_token.slice(0, 1), one));
    return { order: first?.ordinal ?? 0, words: first?.at_word ?? 0 };
  });
  return [
    given(
      "All three groups of the paper are found, with every seed (3 seeds): the model was chosen for it",
      members.every((own) => GROUPS.every((group) => membersOf(own, group).length > 0)),
      `strongest heads: ${strongest.join("; ")}`,
    ),
    claim(
      "At least three quarters of the heads found with any seed are found with all (3 seeds)",
      inAny.size > 0 && inAll.length >= 0.75 * inAny.size,
      `${inAll.length} of ${inAny.size}: ${headList(inAll)}`,
    ),
    claim(
      "A letter mover looks more at the word to come than another head does, on average",
      toMovers > toOthers,
      `${toMovers.toFixed(2)} against ${toOthers.toFixed(2)}`,
    ),
    claim(
      "The strongest head of a group with one seed is in that group with every seed (3 seeds)",
      GROUPS.every(isStable),
      strongest.join("; "),
    ),
    claim(
      "Unlike in the paper's figure 5, other words before cost the strongest fuzzy head next to nothing; order costs it a lot (3 seeds)",
      lost.every(({ order, words }) => words < CRITERIA.floor && order > 5 * Math.max(words, CRITERIA.floor)),
      `order / words: ${lost.map(({ order, words }) => `${percent(order)} / ${percent(words)}`).join("; ")}`,
    ),
  ];
}

const isInEach = (members: readonly CircuitHeads[], group: GroupName, head: HeadId) =>
  members.every((own) => hasHead(membersOf(own, group), head));

/** Mean attention to the word to come, of the letter movers or of all other heads; NaN if there are none. */
function looksToWord(evidence: readonly HeadEvidence[], { letter_movers }: CircuitHeads, isMover: boolean): number {
  const values = evidence.filter((one) => hasHead(letter_movers, one) === isMover).map((one) => one.attention_to_word!);
  return values.length > 0 ? mean(values) : Number.NaN;
}

/** What the paper says of GPT-2 Small's heads, group by group. */
export function paperGroupFindings(found: CircuitHeads): Claim[] {
  const paper = paperHeads();
  return GROUPS.map((group) => {
    const [its, own] = [membersOf(paper, group), membersOf(found, group)];
    const both = its.filter((head) => hasHead(own, head)).length;
    const either = its.length + own.length - both;
    return claim(
      `agrees with the paper's list, ${group}: at least half of the heads in either are in both`,
      both >= 0.5 * either,
      `${both} of ${either}; here ${headList(own)}`,
    );
  });
}
