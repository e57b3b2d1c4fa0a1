import { classifyHeads } from "../../src/groups/classify";
import { headEvidence } from "../../src/groups/evidence";
import type { GroupDraw } from "../../src/groups/stability";
import type { Tokenizer } from "../../src/load/tokenizer";
import { headName } from "../../src/model/heads";
import type { Model } from "../../src/model/model";
import { grid } from "../../src/numbers/lists";
import { resample } from "../../src/prompts/corruption";
import { loadAcronyms } from "../../src/prompts/dataset";

/** Evidence and groups anew for every draw. Throws as `loadAcronyms` and `headEvidence`. */
export async function groupsOverDraws(
  model: Model,
  tokenizer: Tokenizer,
  prompts: string,
  { sizes, seeds }: { readonly sizes: readonly number[]; readonly seeds: readonly number[] },
): Promise<GroupDraw[]> {
  const draws: GroupDraw[] = [];
  for (const { n, seed } of grid({ n: sizes, seed: seeds })) {
    const data = loadAcronyms(prompts, tokenizer, { n, seed });
    const classified = classifyHeads(await headEvidence(model, data, { corrupted: resample(data, seed) }));
    const members = classified.filter(({ group }) => group !== "none");
    draws.push({ n, seed, groups: Object.fromEntries(members.map((head) => [headName(head), head.group])) });
  }
  return draws;
}
