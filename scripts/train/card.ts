/** Puts the chosen checkpoint, two others and the model card into data/embedded. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { dataFolder } from "../../src/load/resolve";
import { openSafetensors } from "../../src/load/safetensors-file";
import { sha256 } from "../../src/load/sha256";
import { encodeSafetensors } from "../checkpoint/encode";
import type { Candidate } from "./recipe";

const EMBEDDED = path.join(dataFolder, "embedded");
const SMALL_FILES = ["config.json", "vocab.json"];
const WEIGHTS = "model.safetensors";

export interface Tried {
  readonly candidate: Candidate;
  readonly dir: string;
  readonly accuracy: readonly number[];
  readonly logit_diff: readonly number[];
}

/** Installs the first of `tried` whole and the next two in half precision, and writes the card. */
export function install(tried: readonly Tried[], table: string, backend: string): void {
  const [best, ...others] = tried;
  rmSync(EMBEDDED, { recursive: true, force: true });
  for (const file of [...SMALL_FILES, WEIGHTS]) copy(best.dir, EMBEDDED, file);
  for (const { candidate, dir } of others.slice(0, 2)) {
    const to = path.join(EMBEDDED, "others", candidate.name);
    for (const file of SMALL_FILES) copy(dir, to, file);
    writeHalf(path.join(dir, WEIGHTS), path.join(to, WEIGHTS));
  }
  writeFileSync(path.join(EMBEDDED, "README.md"), card(tried, table, backend));
}

function copy(from: string, to: string, file: string): void {
  mkdirSync(to, { recursive: true });
  cpSync(path.join(from, file), path.join(to, file));
}

function writeHalf(from: string, to: string): void {
  const checkpoint = openSafetensors(from);
  const tensors = Object.fromEntries(checkpoint.names.map((name) => [name, checkpoint.read(name)]));
  checkpoint.close();
  writeFileSync(to, encodeSafetensors(tensors, { dtype: "F16", metadata: { format: "pt" } }));
}

function card(tried: readonly Tried[], table: string, backend: string): string {
  const [{ candidate, accuracy, logit_diff }] = tried;
  const { name, recipe, seed } = candidate;
  const join = (values: readonly number[], digits: number) => values.map((x) => x.toFixed(digits)).join(" / ");
  const sums = [...SMALL_FILES, WEIGHTS].map((file) => `${sha256(readFileSync(path.join(EMBEDDED, file)))}  ${file}`);
  return `# The embedded model

<!-- written by scripts/train/card.ts -->
A small GPT-2 (pre-layer-norm, learned positions, gelu_new, tied unembedding) trained from scratch on made-up names with their acronyms, so that every notebook runs offline in
seconds on a circuit that was really learned. Hugging Face's layout; \`vocab.json\` is the part of GPT-2's vocabulary that the text needs.

| | |
|---|---|
| shape | ${recipe.n_layers} layers × ${recipe.n_heads} heads, d_model ${recipe.d_model}, ${recipe.context + recipe.maxOffset} positions |
| candidate | ${name}: seed ${seed}, ${recipe.steps} steps of ${recipe.batch} sequences, tfjs backend ${backend} |
| held-out accuracy, letters 1 / 2 / 3 | ${join(accuracy, 4)} (2,000 prompts of words never seen in training; likeliest token of the whole vocabulary) |
| logit difference, letters 1 / 2 / 3 | ${join(logit_diff, 2)} (right letter − largest wrong capital, logits) |

## Text

Token sequences in the spelling of \`scripts/train/text.ts\`: shares ${Object.entries(recipe.kinds)
    .map(([kind, share]) => `${kind} ${share}`)
    .join(", ")}.
- *plain*: "The Ketchup Lark Wreck (KLW)", the task itself. *varied*: two to four words, connectors, fillers before, a leading word that the acronym skips.
- *suffix*: "The Ketchup Lark Wreck, (LW)": the acronym begins at any word. Counting words is no help then; the next letter follows from the last one written. In text of the other kinds only, no head like GPT-2's 5.8 forms.
- *repeat*: a word comes again without its space.

Words are the training words of \`data/words.tsv\`; ${recipe.pseudoWords * 100}% have a random second token, so that every second token is known (those of held-out words too, never together with their own letter), ${recipe.longWords * 100}% a third one.
The acronym's letters are always separate tokens; real GPT-2 text would merge many pairs of capitals. Half of the sequences start at a random position up to ${recipe.maxOffset}, so that words can't be told by their absolute position.
Nothing rewards an attention pattern: what the heads do was learnt from predicting the next token.

Optimiser: AdamW (betas 0.9, 0.98, weight decay ${recipe.weightDecay} on matrices), peak learning rate ${recipe.learningRate}, ${recipe.warmup} steps of warm-up, then a cosine to 5%; gradient norm clipped to 1.
\`npm run train\` repeats it: the same bytes on the same machine and tfjs backend, elsewhere another model of the same kind.
Training and the scores below seed their random numbers as they did when this model was made, without hashing the seed (\`scripts/build-data/unhashed.ts\`). Everywhere else seeds are hashed: \`random(seed)\` of the library gives other numbers.

## How it was chosen

${tried.length} candidates were trained; all are listed. Behaviour is much the same over seeds, circuits are not: this one was chosen because it shows all three groups of the paper most clearly, among those with at least 99% and a logit difference of at least 4 for each letter
(scores within 0.1 of the best count as equal; then the fewest layers win, since they are the easiest to study).
\`npm run train:search\` repeats the search. The score is the sum of five parts from 0 to 1 (\`scripts/train/score.ts\`): *copying* of the letter movers; what the head that *passes on* the last letter is worth, against GPT-2's 5.8; what the
strongest fuzzy previous-token head is worth for *telling words* apart; what exchanging attention to *BOS* adds to exchanging positions; the share of the logit difference that the classified heads alone *restore*.

${table}

The next two are in \`others/\` (half precision), to compare: \`ACRONYM_MODEL=data/embedded/others/${tried[1]?.candidate.name ?? "NAME"} npm run lab\`.

## Limits

- It knows acronyms and nothing else; its vocabulary has the project's words only.
- Its propagation head looks at the capital C(i−1) of the word whose letter was written last; GPT-2's 5.8 looks at that word's end, T(i−1).
- The head in the fuzzy previous-token group is an order head: it tells words apart by how it shares its attention between earlier capitals and what all prompts have (notebooks 05 and 08), gives the tokens before less than even attention and shows nothing in figure 5. It is no previous-token head as GPT-2's 4.11 is.
- It was selected by the criteria and thresholds that the notebooks apply to it (accuracy and logit difference of notebook 01, the groups of 05, what they restore in 07, attention to BOS in 08). That it meets them is no evidence; the table lists what was not selected, and \`data/training/\` has runs of its recipe from other seeds, every one of which was kept (notebook 12).
- The words before matter through the movers' queries rather than at C_i: the effects of figure 5 are close to 0 here.
- The classified heads alone don't restore the whole logit difference (column *restored*): the circuit is larger than the three groups.

## Files

\`\`\`
${sums.join("\n")}
\`\`\`
`;
}
