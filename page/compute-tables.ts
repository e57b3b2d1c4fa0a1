/** Computes the page's tables in Node. */
import { behaviour, summarise } from "../src/experiments/behaviour";
import { circuitHeads, classifyHeads } from "../src/groups/classify";
import { headEvidence } from "../src/groups/evidence";
import { circuitPaths, drawnCircuit } from "../src/groups/paths-between";
import type { LoadedModel } from "../src/load/from-bytes";
import { loadModel } from "../src/load/load";
import { range } from "../src/numbers/lists";
import { select } from "../src/prompts/acronyms";
import { checkWordAmong } from "../src/prompts/check-word";
import { resample } from "../src/prompts/corruption";
import { HELD_OUT, loadAcronyms } from "../src/prompts/dataset";
import { wordList } from "../src/prompts/words";
import { CROWD } from "./crowd";
import { Engine, type Lists, opening } from "./engine";
import { GPT2_SMALL } from "./hub-model";
import type { Tables } from "./tables";

/** What the circuit is found with: its heads' evidence, and what its paths lose. */
const PROMPTS = { evidence: 100, paths: 20 };
/** The least share of a logit difference that a drawn path loses. */
const LEAST = 0.02;

/** Words of the crowd, and those of the word list that the model can take. */
export function listsFor({ tokenizer }: LoadedModel): Lists {
  const crowd = loadAcronyms(HELD_OUT, tokenizer, CROWD).words;
  return { crowd, words: wordList().filter((word) => checkWordAmong(word, tokenizer, () => []).ok) };
}

/** @param prompts fewer are enough for whoever doesn't look at the circuit */
export async function computeTables(prompts = PROMPTS): Promise<Tables> {
  const loaded = await loadModel("embedded");
  const lists = listsFor(loaded);
  const engine = new Engine(loaded, lists);
  const { name, n_layers, n_heads } = engine.config;
  return {
    ...lists,
    config: { name, n_layers, n_heads },
    opening: await opening(engine),
    circuit: await circuitOf(loaded, prompts),
    bigger: GPT2_SMALL,
  };
}

/** The circuit that notebooks 04 and 05 find, in the same way. */
async function circuitOf(
  { model, tokenizer }: LoadedModel,
  { evidence: n, paths: fewer }: typeof PROMPTS,
): Promise<Tables["circuit"]> {
  const data = loadAcronyms(HELD_OUT, tokenizer, { n, seed: CROWD.seed });
  const few = select(data, range(fewer));
  const evidence = await headEvidence(model, data, { corrupted: resample(data, CROWD.seed) });
  const heads = circuitHeads(classifyHeads(evidence));
  const clean = summarise(await behaviour(model, few, tokenizer)).map(({ logit_diff }) => logit_diff);
  const paths = await circuitPaths(model, few, heads, { corrupted: resample(few, CROWD.seed), clean });
  return drawnCircuit(heads, paths, { n_layers: model.config.n_layers, least: LEAST });
}
