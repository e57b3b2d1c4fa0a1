/** npm run validate:gpt2: fetches GPT-2 Small and compares it with the paper's figures. See --help. */
import path from "node:path";
import { SweepInterrupted } from "../../src/experiments/sweep";
import { loadModel, readConfig } from "../../src/load/load";
import { fetchOfficialPrompts, HubError, OFFICIAL_PROMPTS, resolveModel } from "../../src/load/resolve";
import { initBackend } from "../../src/model/backend/choose";
import { gpt2SmallMismatch } from "../../src/paper/compare";
import { loadAcronyms } from "../../src/prompts/dataset";
import { claim } from "../../src/show/claims";
import { type Options, readOptions, USAGE, UsageError } from "./options";
import { type Done, failures, pictures, type Report, sumText, writeReport } from "./report";
import { FIGURE_NAMES, STEPS, type Step, type Subject } from "./steps";

/** Prompts among whose first ones the paper's n is looked for. */
const MANY = 500;

async function subjectOf({ model: id, n, seeds, prompts }: Options): Promise<Subject> {
  const isOfficial = prompts === OFFICIAL_PROMPTS;
  const folder = await resolveModel(id);
  const mismatch = gpt2SmallMismatch(readConfig(folder));
  if (mismatch !== "")
    throw new UsageError(
      `${id} has not GPT-2 Small's shape: ${mismatch}. The paper's figures are about GPT-2 Small alone`,
    );
  if (isOfficial) await fetchOfficialPrompts();
  const { model, tokenizer } = await loadModel(id);
  const data = loadAcronyms(prompts, tokenizer, { n, seed: 0 });
  const many = isOfficial ? loadAcronyms(prompts, tokenizer, { n: MANY, seed: 0 }) : undefined;
  return { model, tokenizer, data, seeds, many };
}

/** A step's claims, or that it could not be done: the others are done all the same. */
async function attempt(step: Step, subject: Subject): Promise<Done> {
  const started = Date.now();
  const facts = { title: step.title, kind: step.kind };
  const seconds = () => (Date.now() - started) / 1000;
  try {
    const { claims, note, measured, drawings } = await step.run(subject);
    return { ...facts, claims, note, measured, pictures: await pictures(drawings), seconds: seconds() };
  } catch (error) {
    if (error instanceof SweepInterrupted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return {
      ...facts,
      claims: [claim(`${step.title}: can be measured`, error === undefined, message)],
      pictures: {},
      seconds: seconds(),
    };
  }
}

function tell({ title, seconds, claims, note }: Done): void {
  console.log(`\n${title}  (${seconds.toFixed(1)} s)`);
  for (const { claim, passed, evidence } of claims) console.log(`  ${passed ? "✓" : "✗"} ${claim}\n      ${evidence}`);
  if (note) console.log(`  · ${note}`);
}

async function validate(options: Options): Promise<Report> {
  const subject = await subjectOf(options);
  const { model, n, seeds, prompts, figures, out } = options;
  const steps = STEPS.filter((step) => figures.length === 0 || step.figures.some((name) => figures.includes(name)));
  let report: Report = { model, backend: (await initBackend()).name, prompts, n, seeds, steps: [], state: "running" };
  const save = async (change: Partial<Report>) => {
    report = { ...report, ...change };
    await writeReport(out, report);
  };
  try {
    for (const step of steps) {
      const done = await attempt(step, subject);
      tell(done);
      await save({ steps: [...report.steps, done] });
      if (step.kind === "weights" && failures({ steps: [done] }).length > 0 && !options.all) {
        await save({ state: "stopped: the weights are not GPT-2 Small's" });
        return report;
      }
    }
    await save({ state: "finished" });
  } catch (error) {
    if (!(error instanceof SweepInterrupted)) throw error;
    await save({ state: "interrupted" });
  }
  return report;
}

async function main(args: string[]): Promise<number> {
  const options = readOptions(args, FIGURE_NAMES);
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const report = await validate(options);
  console.log(`\n${sumText(report)}. ${path.join(path.relative(process.cwd(), options.out), "report.html")}`);
  if (report.state.startsWith("stopped"))
    console.log(
      "Figures 9 and 10 depend on weights alone: these are not GPT-2 Small's weights, or they are processed wrongly. --all goes on all the same.",
    );
  if (report.state === "interrupted") return 130;
  return failures(report).length === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    const isKnown = error instanceof UsageError || error instanceof HubError || error instanceof RangeError;
    console.error(isKnown ? `\n✗ ${error.message}` : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
