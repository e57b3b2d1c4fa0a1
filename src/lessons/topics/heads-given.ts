import { allHeads, type HeadId, headName } from "../../model/heads";
import type { Model } from "../../model/model";

/** The heads that an answer names, "1.2" or { layer: 1, head: 2 }; a text if it is none, one is no head of the model, or one comes twice. */
export function headsGiven(answer: unknown, { config }: Pick<Model, "config">): HeadId[] | string {
  const all = allHeads(config);
  const example = `Give a list of heads, such as ["${headName(all[0])}", "${headName(all[all.length - 1])}"].`;
  if (!Array.isArray(answer)) return example;
  const found: HeadId[] = [];
  for (const one of answer) {
    const head = all.find((each) => headName(each) === headGiven(one));
    if (!head) return `${headGiven(one)} is no head of this model. ${example}`;
    if (found.includes(head)) return `${headName(head)} comes twice; give it once.`;
    found.push(head);
  }
  return found;
}

/** The name of the head that an answer means, "1.2" or { layer: 1, head: 2 }; of anything else a text that is no head's name. */
export function headGiven(one: unknown): string {
  if (typeof one === "number") return `${one} (a number, in which 1.10 is 1.1)`;
  if (typeof one !== "object" || one === null) return String(one).trim();
  const { layer, head } = one as Partial<HeadId>;
  return `${String(layer)}.${String(head)}`;
}
