import { allHeads, type HeadId, headName } from "../../model/heads";
import type { Model } from "../../model/model";

/** The heads that an answer names, "1.2" or { layer: 1, head: 2 }; a text if it is none, one is no head of the model, or one comes twice. */
export function headsGiven(answer: unknown, { config }: Pick<Model, "config">): HeadId[] | string {
  const all = allHeads(config);
  const example = `Give a list of heads, such as ["${headName(all[0])}", "${headName(all[all.length - 1])}"].`;
  if (!Array.isArray(answer)) return example;
  const found: HeadId[] = [];
  for (const one of answer) {
    const head = all.find((each) => headName(each) === nameOf(one));
    if (!head) return `${nameOf(one)} is no head of this model. ${example}`;
    if (found.includes(head)) return `${headName(head)} comes twice; give it once.`;
    found.push(head);
  }
  return found;
}

function nameOf(one: unknown): string {
  if (typeof one !== "object" || one === null) return String(one);
  const { layer, head } = one as Partial<HeadId>;
  return `${String(layer)}.${String(head)}`;
}
