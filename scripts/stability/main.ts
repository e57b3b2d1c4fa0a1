/** `npm run stability`: the embedded model's groups for twelve draws of prompts, into data/embedded/stability.json. About three minutes. */
import { loadModel } from "../../src/load/load";
import { range } from "../../src/numbers/lists";
import { DRAWS_FILE } from "../../src/paper/embedded-tables";
import { HELD_OUT } from "../../src/prompts/dataset";
import { writeWhole } from "../../src/show/whole-file";
import { groupsOverDraws } from "./draws";

async function main(): Promise<void> {
  const { model, tokenizer } = await loadModel("embedded");
  const draws = await groupsOverDraws(model, tokenizer, HELD_OUT, { sizes: [50, 100], seeds: range(12) });
  writeWhole(DRAWS_FILE, `[\n${draws.map((draw) => `  ${JSON.stringify(draw)}`).join(",\n")}\n]\n`);
}

if (require.main === module) main();
