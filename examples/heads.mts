import * as circuit from "acronym-circuit";

const { model, tokenizer } = await circuit.loadModel("embedded");
const data = circuit.loadAcronyms(circuit.HELD_OUT, tokenizer, { n: 20 });
const corrupted = circuit.resample(data, 0);
const site = circuit.headSite();
const rows = await circuit.activationPatch(model, data, { site, corruption: "current_word", corrupted });
circuit.saveCsv(rows, "heads.csv");

const figure = circuit.heatmap(rows, { x: "head", y: "layer", value: "change", columns: "letter" });
await circuit.saveFigure(figure, "heads.svg", { alt: "Effect of each head on each letter" });
