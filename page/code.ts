/** What a state does, as a cell that can be pasted into a notebook, and as a notebook. */
import { CROWD } from "./crowd";
import type { State } from "./state";
import { needsOf, stepsOf } from "./steps";

const list = (words: readonly string[]) => `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;

/** The code's last constant holds the letters' rows as the page shows them. */
export function codeOf(state: State): string {
  const steps = stepsOf(state);
  const { needs, taken } = needsOf(steps);
  const [into, outOf] = state.direction === "noising" ? ["mine", "other"] : ["other", "mine"];
  const usesOther = state.direction === "denoising" || needs.has("source");
  const uses = new Set([
    ...["behaviour", "buildAcronyms", "loadModel", "table"],
    ...(needs.has("source") || needs.has("clean") ? ["disposeRun", "forward"] : []),
    ...(needs.has("means") ? ["activationMeans", "HELD_OUT", "loadAcronyms", "range"] : []),
    ...(needs.has("clean") ? ["range"] : []),
    ...steps.flatMap(({ uses }) => uses),
  ]);
  const layers = (hook: string) =>
    `range(model.config.n_layers).map((layer) => \`blocks.\${layer}.attn.${hook}\` as const)`;
  const lines = [
    ...importLines([...uses].sort()),
    "",
    'const { model, tokenizer } = await loadModel("embedded");',
    `const mine = buildAcronyms([${list(state.words)}], tokenizer);`,
    ...(usesOther ? [`const other = buildAcronyms([${list(state.others)}], tokenizer);`] : []),
    ...(needs.has("source")
      ? [
          `const hooks = [${taken.map((hook) => `"${hook}"`).join(", ")}] as const;`,
          `const source = forward(model, ${outOf}.tokens, { keep: hooks, readout: "none" });`,
        ]
      : []),
    ...(needs.has("clean")
      ? [
          `const patterns = ${layers("hook_pattern")};`,
          `const clean = forward(model, ${into}.tokens, { keep: patterns, readout: "none" });`,
        ]
      : []),
    ...(needs.has("means")
      ? [
          `const crowd = loadAcronyms(HELD_OUT, tokenizer, { n: ${CROWD.n}, seed: ${CROWD.seed} });`,
          `const means = await activationMeans(model, crowd.tokens, ${layers("hook_z")});`,
        ]
      : []),
    ...(steps.length > 0
      ? ["const interventions = [", ...steps.map(({ code }) => `  ...${code},`), "];"]
      : ["const interventions = [];"]),
    `const rows = await behaviour(model, mine, tokenizer, { tokens: ${into}.tokens, interventions });`,
    ...(needs.has("source") ? ["disposeRun(source);"] : []),
    ...(needs.has("clean") ? ["disposeRun(clean);"] : []),
    "table(rows.map(({ letter, right, says, logit_diff }) => ({ letter, right, says, logit_diff })));",
  ];
  return `${lines.join("\n")}\n`;
}

/** Imports in lines of at most 100 characters. */
function importLines(names: readonly string[]): string[] {
  const lines: string[][] = [[]];
  for (const name of names) {
    const last = lines.at(-1)!;
    if ([...last, name].join(", ").length > 70) lines.push([name]);
    else last.push(name);
  }
  return lines.map((line) => `import { ${line.join(", ")} } from "../dist";`);
}

/** The code as a notebook, for the project's folder notebooks/. @param link the page with this state */
export function notebookOf(state: State, link: string): string {
  const source = (text: string) => text.split(/(?<=\n)/);
  const text = `# ${state.words.join(" ")}\n\nFrom [the page](${link}). Put this file into the folder \`notebooks\` of acronym-circuit and run it there.\n`;
  return `${JSON.stringify(
    {
      cells: [
        { cell_type: "markdown", id: "from-the-page", metadata: {}, source: source(text) },
        {
          cell_type: "code",
          id: "the-code",
          execution_count: null,
          metadata: {},
          outputs: [],
          source: source(codeOf(state).trimEnd()),
        },
      ],
      metadata: {
        kernelspec: { display_name: "TypeScript (tslab)", language: "typescript", name: "tslab" },
        language_info: { name: "typescript" },
      },
      nbformat: 4,
      nbformat_minor: 5,
    },
    null,
    1,
  )}\n`;
}
