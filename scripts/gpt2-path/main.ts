/**
 * npm run gpt2-path: everything that happens with GPT-2 Small, on a random checkpoint of its shape: a hub, npm run fetch, the cache, the
 * loader, every notebook through its kernel, and the validation. Takes a quarter of an hour with few prompts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { projectFolder } from "../../src/load/resolve";
import { CLAIMS_MIME, type Claim } from "../../src/show/claims";
import { GPT2_SMALL, writeCheckpoint } from "../gpt2-shaped/main";
import { faults, line, type Run } from "./judge";
import { kernelPeak } from "./kernel-memory";
import { cachedModel, fetchThroughHub } from "./through-hub";

const USAGE = `npm run gpt2-path -- [notebook …] [--n 6] [--out out/gpt2-path]

Fetches a random checkpoint of GPT-2 Small's shape from a hub on this machine and runs every notebook and the validation on it.
Right is: all run to their end, what holds for every model holds, and no figure of the paper is reproduced.`;

/** The claims in a notebook's committed outputs. */
function committedClaims(notebook: string): string[] {
  const { cells } = JSON.parse(readFileSync(notebook, "utf8")) as {
    cells: { outputs?: { data?: Record<string, { claims: Claim[] }> }[] }[];
  };
  const outputs = cells.flatMap(({ outputs = [] }) => outputs);
  return outputs.flatMap(({ data }) => data?.[CLAIMS_MIME]?.claims ?? []).map(({ claim }) => claim);
}

/** Runs notebooks as npm start does. Ends with the last one. */
export async function runNotebooksOn(
  env: NodeJS.ProcessEnv,
  { out, selection }: { readonly out: string; readonly selection: readonly string[] },
): Promise<Run[]> {
  const { runNotebooks } = await import("../notebooks/notebooks.mjs");
  const runs: Run[] = [];
  let peak: number | undefined;
  const watch = setInterval(() => {
    peak = Math.max(peak ?? 0, kernelPeak() ?? 0) || undefined;
  }, 250);
  try {
    await runNotebooks({
      ...{ folder: path.join(projectFolder, "notebooks"), out, selection, env: { ...process.env, ...env } },
      onEvent: ({ event }) => {
        if (event === "notebook") peak = undefined;
      },
      onResult: (result) => {
        runs.push({ ...result, embedded: committedClaims(result.source), peak });
        console.log(`${result.fault ? "✗" : "✓"} ${result.name}  ${result.seconds.toFixed(0)} s`);
      },
    });
  } finally {
    clearInterval(watch);
  }
  return runs;
}

/** The validation must find that nothing but identities holds. */
function validate(home: string, { n, out }: { n: string; out: string }): string[] {
  const script = path.join(projectFolder, "scripts", "validate", "main.ts");
  const model = cachedModel(home).ACRONYM_MODEL as string;
  const prompts = path.join(projectFolder, "data", "acronyms", "held-out.txt");
  const args = [
    "--model",
    model,
    "--prompts",
    prompts,
    "--n",
    n,
    "--seeds",
    "2",
    "--all",
    "--out",
    path.join(out, "validate"),
  ];
  const { status } = spawnSync(process.execPath, ["--require", "tsx/cjs", script, ...args], {
    env: { ...process.env, ...cachedModel(home) },
    stdio: "inherit",
  });
  const { steps, state } = JSON.parse(readFileSync(path.join(out, "validate", "report.json"), "utf8"));
  const wrong = steps.flatMap(({ kind, claims }: { kind: string; claims: Claim[] }) =>
    claims.filter(({ passed }) => passed !== (kind === "identities")).map(({ claim }) => `validation: ${claim}`),
  );
  return [...(status === 1 && state === "finished" ? [] : [`validation: code ${status}, ${state}`]), ...wrong];
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    ...{ args, allowPositionals: true },
    options: {
      n: { type: "string", default: "6" },
      out: { type: "string", default: path.join(projectFolder, "out", "gpt2-path") },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { setUp } = await import("../setup/setup.mjs");
  await setUp();
  const home = mkdtempSync(path.join(tmpdir(), "gpt2-path-"));
  try {
    writeCheckpoint(path.join(home, "checkpoint"), GPT2_SMALL, 0);
    console.log(await fetchThroughHub(path.join(home, "checkpoint"), home));
    const out = path.resolve(process.env.INIT_CWD ?? process.cwd(), values.out);
    const runs = await runNotebooksOn({ ...cachedModel(home), ACRONYM_N: values.n }, { out, selection: positionals });
    const wrong = [...runs.flatMap(faults), ...validate(home, { n: values.n, out })];
    console.table(runs.map(line));
    for (const fault of wrong) console.error(`✗ ${fault}`);
    return wrong.length === 0 ? 0 : 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

if (require.main === module)
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
