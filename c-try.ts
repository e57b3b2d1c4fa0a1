import { loadModel } from "./src/load/load";
import { HELD_OUT, loadAcronyms } from "./src/prompts/dataset";
import { resample } from "./src/prompts/corruption";
import { attributeEdges } from "./src/discovery/edge-attribution";
import { patchEdges } from "./src/discovery/edge-circuits";
import { scoreQuality } from "./src/discovery/edge-scores";
(async () => {
  const { model, tokenizer } = await loadModel("embedded");
  for (const seed of [1, 2, 3]) {
    const data = loadAcronyms(HELD_OUT, tokenizer, { n: 50, seed });
    const corrupted = resample(data, seed);
    const exact = await patchEdges(model, data, { corrupted });
    const eap = await attributeEdges(model, data, { corrupted });
    console.log(seed, JSON.stringify(scoreQuality([{ method: "eap", scores: eap, seconds: 0 }], { method: "exact", scores: exact, seconds: 0 })), eap[exact.indexOf(Math.min(...exact))]);
  }
})();
