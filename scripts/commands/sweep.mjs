import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { withLock } from "../../src/load/lock.mjs";
import { jupyterEnv, ROOT } from "../setup/paths.mjs";
import { orUsage, Problem } from "../setup/problem.mjs";
import { runHere } from "../setup/run.mjs";
import { checkFolder } from "../setup/script.mjs";
import { writeAtomically } from "../setup/stamp.mjs";
import { snakemakePython } from "../sweep/environment.mjs";

const CORES = availableParallelism();

const USAGE = `npm run sweep -- --figures 2,7 [options] [-- arguments of snakemake]

Figures cut into parts, measured by snakemake on this machine's cores or on a cluster; what is done is not done again. docs/sweeps.md

  --figures   as in npm run figure: 1,2,4,5,6,7,13,path,path-q-8.1-9.0
  --model     embedded (default), gpt2, gpt2-xl …, org/name, or a folder
  --n, --seeds, --batch, --data, --backend    as in npm run figure
  --minutes   about how long a part may take (30)
  --threads   cores, and threads, of a part (here all ${CORES}, on a cluster 4)
  --profile   slurm, or the folder of a snakemake profile; without it on this machine
  --out       the sweep's folder (out/sweep); a cluster's nodes must see it and this project under the same paths`;

/**
 * Snakemake, installed if need be, then the sweep. It needs the npm packages, but nothing else of set-up: no JupyterLab on a cluster.
 * @param {string[]} args
 */
export async function main(args) {
  const { values, positionals: own } = parse(args);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const here = process.env.INIT_CWD ?? process.cwd();
  const folder = resolve(here, values.out);
  const settings = settingsOf(values, here);
  checkFolder();
  checkName(ROOT);
  checkName(folder);
  if (!existsSync(join(ROOT, "node_modules", "tsx")))
    throw new Problem("The npm packages are not installed: npm run setup, or npm ci where JupyterLab is not needed.");
  const python = await snakemakePython();
  mkdirSync(folder, { recursive: true });
  return await withLock(
    join(folder, "lock"),
    async () => {
      keepSettings(folder, settings);
      const profile = values.profile === "slurm" ? join(ROOT, "scripts", "sweep", "profiles", "slurm") : values.profile;
      const where = profile
        ? ["--profile", profile.includes("/") ? resolve(here, profile) : profile]
        : ["--cores", `${CORES}`];
      return await snakemake(python, folder, [...where, ...own]);
    },
    { doing: "running a sweep in this folder" },
  );
}

/**
 * Parts are written whole or not at all: what an interrupted snakemake calls incomplete is done. Its own lock outlives a kill; ours doesn't.
 * @param {string} python
 * @param {string} folder
 * @param {string[]} args
 * @returns {Promise<number>}
 */
async function snakemake(python, folder, args) {
  const snakefile = join(ROOT, "scripts", "sweep", "Snakefile");
  const own = ["--snakefile", snakefile, "--directory", folder, "--configfile", join(folder, "sweep.json")];
  const resumed = ["--nolock", "--ignore-incomplete", "--rerun-triggers", "mtime", "--keep-going", "--retries", "2"];
  return await runHere(python, ["-m", "snakemake", ...own, ...resumed, ...args], {
    cwd: folder,
    env: jupyterEnv(ROOT),
  });
}

/** Names end up in a shell's line. @param {string} name of a folder, a file or a model */
function checkName(name) {
  if (!/^[\w./+@:-]+$/.test(name))
    throw new Problem(`npm run sweep can't use "${name}": let it have letters, digits and . _ + @ : - / only.`);
  return name;
}

/**
 * @param {ReturnType<typeof parse>["values"]} values
 * @param {string} here
 */
function settingsOf({ figures, model, n, seeds, batch, minutes, data, backend, threads, profile }, here) {
  if (!figures) throw new Problem(`--figures is needed\n\n${USAGE}`);
  const counts = Object.fromEntries(
    Object.entries({ n, seeds, batch, minutes, threads: threads ?? `${profile ? 4 : CORES}` }).map(([name, text]) => {
      if (!/^[1-9]\d*$/.test(text)) throw new Problem(`--${name} takes a whole number from 1 on, not "${text}"`);
      return [name, Number(text)];
    }),
  );
  const list = figures.split(",");
  const odd = [...list, backend].find((text) => text !== undefined && !/^[\w.-]+$/.test(text));
  if (odd !== undefined) throw new Problem(`"${odd}" can't be a figure or a backend`);
  const from = checkName(existsSync(resolve(here, model)) ? resolve(here, model) : model);
  const prompts = data && { data: checkName(data === "official" ? data : resolve(here, data)) };
  return { figures: list, model: from, ...counts, ...prompts, ...(backend && { backend }) };
}

/**
 * A folder holds one sweep. More figures may come to it; how it is run is of no account.
 * @param {string} folder
 * @param {ReturnType<typeof settingsOf>} settings
 */
function keepSettings(folder, settings) {
  const file = join(folder, "sweep.json");
  if (existsSync(file)) {
    const before = JSON.parse(readFileSync(file, "utf8"));
    /** @param {object} all */
    const own = (all) => JSON.stringify({ ...all, figures: [], threads: 0 });
    if (own(before) !== own(settings))
      throw new Problem(`${folder} has a sweep with other settings, ${own(before)}; give another --out, or delete it.`);
  }
  writeAtomically(file, `${JSON.stringify(settings, null, 1)}\n`);
}

/** @param {string[]} args */
const parse = (args) =>
  orUsage(USAGE, () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        figures: { type: "string" },
        model: { type: "string", default: "embedded" },
        data: { type: "string" },
        n: { type: "string", default: "50" },
        seeds: { type: "string", default: "1" },
        batch: { type: "string", default: "50" },
        backend: { type: "string" },
        minutes: { type: "string", default: "30" },
        threads: { type: "string" },
        profile: { type: "string" },
        out: { type: "string", default: "out/sweep" },
        help: { type: "boolean", short: "h", default: false },
      },
    }),
  );
