/**
 * `npm run circuits`: the embedded model's circuit among all circuits of as many heads, and without each set of its heads, into
 * data/embedded/circuits.json. About ten minutes.
 */
import { completeness } from "../../src/experiments/circuit-criteria";
import { circuitValues } from "../../src/experiments/circuit-evaluation";
import { choices } from "../../src/experiments/random-circuits";
import { loadModel } from "../../src/load/load";
import { allHeads, headList } from "../../src/model/heads";
import { groupBy } from "../../src/numbers/rows";
import { mean } from "../../src/numbers/statistics";
import { chooseHeads } from "../../src/paper/choose-heads";
import { type AllCircuits, CIRCUITS_FILE } from "../../src/paper/embedded-tables";
import { resample } from "../../src/prompts/corruption";
import { HELD_OUT, loadAcronyms } from "../../src/prompts/dataset";
import { writeWhole } from "../../src/show/whole-file";

/** As notebook 07 does it. */
const [n, seed] = [100, 0];
const hundredths = (value: number) => Math.round(100 * value) / 100;

async function main(): Promise<void> {
  const { model, tokenizer } = await loadModel("embedded");
  const data = loadAcronyms(HELD_OUT, tokenizer, { n, seed });
  const corrupted = resample(data, seed);
  const { circuit } = await chooseHeads(model, data, { seed });
  const removed = circuit.reduce<(typeof circuit)[]>(
    (sets, head) => sets.concat(sets.map((own) => [...own, head])),
    [[]],
  );
  const rows = await completeness(model, data, circuit, { corrupted, removed, progress: "sets removed" });
  const without = [...groupBy(rows, (row) => row.removed).values()].map((own) => ({
    removed: headList(removed[own[0].removed]),
    circuit: own.map((row) => hundredths(row.circuit)),
    model: own.map((row) => hundredths(row.model)),
  }));
  const same = choices(allHeads(model.config), circuit.length);
  const values = await circuitValues(model, data, [circuit, ...same], { corrupted, progress: "circuits" });
  const [own, ...others] = values.map((prompts) => mean(prompts.flat()));
  const ranked = same
    .map((heads, i) => ({ heads: headList(heads), level: others[i] }))
    .sort((a, b) => b.level - a.level);
  const table: AllCircuits = {
    n,
    seed,
    circuit: headList(circuit),
    level: hundredths(own),
    there_are: ranked.length,
    better: ranked.filter(({ level }) => level > own + 1e-6).length,
    best: ranked.slice(0, 5).map(({ heads, level }) => ({ heads, level: hundredths(level) })),
    middle: hundredths(ranked[Math.floor(ranked.length / 2)].level),
    without,
  };
  const { without: sets, ...rest } = table;
  const lines = sets.map((set) => `  ${JSON.stringify(set)}`).join(",\n"); // a line a set
  writeWhole(CIRCUITS_FILE, `${JSON.stringify(rest, null, 1).slice(0, -2)},\n "without": [\n${lines}\n ]\n}\n`);
}

if (require.main === module) main();
