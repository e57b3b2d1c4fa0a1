import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { projectPaths, ROOT, temporaryEnv } from "../setup/paths.mjs";
import { installFault, Problem } from "../setup/problem.mjs";
import { findPython } from "../setup/python.mjs";
import { run } from "../setup/run.mjs";
import { hashFile, isCurrent, removeStamp, writeStamp } from "../setup/stamp.mjs";

/** The oldest Python that snakemake 9 runs on. */
const OLDEST = [3, 11];

/**
 * Snakemake in a virtual environment of its own, made if need be; npm start doesn't need it.
 * Throws Problem if Python is too old, or the packages can't be installed.
 * @param {(line: string) => void} say
 * @returns {Promise<string>} its Python
 */
export async function snakemakePython(say = console.log) {
  const { setup, logs } = projectPaths();
  const venv = join(setup, "sweep");
  const windows = process.platform === "win32";
  const python = windows ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
  const requirements = join(ROOT, "scripts", "sweep", "requirements.txt");
  const stamp = join(venv, ".set-up");
  const inputs = { root: ROOT, requirements: hashFile(requirements), chosen: process.env.PYTHON ?? "" };
  if (existsSync(python) && isCurrent(stamp, inputs)) return python;

  const { command, args, executable, version } = findPython();
  if (version[0] < OLDEST[0] || (version[0] === OLDEST[0] && version[1] < OLDEST[1]))
    throw new Problem(
      `npm run sweep needs Python ${OLDEST.join(".")} or later; ${executable} is ${version.join(".")}. If a newer one is installed, name it: PYTHON=python3.12 npm run sweep.`,
    );
  say("Making the Python environment with snakemake (about a minute, once) …");
  removeStamp(stamp);
  rmSync(venv, { recursive: true, force: true });
  const env = { ...process.env, PYTHONNOUSERSITE: "1", PIP_USER: "0", ...temporaryEnv(join(setup, "tmp")) };
  const made = await run(command, [...args, "-m", "venv", venv], { cwd: ROOT, env, log: join(logs, "sweep-venv.log") });
  if (made.code !== 0) throw installFault("Making the virtual environment", made.output, join(logs, "sweep-venv.log"));
  const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--require-hashes", "-r"];
  const log = join(logs, "sweep-pip.log");
  const installed = await run(python, [...pip, requirements], { cwd: ROOT, env, log });
  if (installed.code !== 0) throw installFault("pip install", installed.output, log);
  writeStamp(stamp, inputs);
  return python;
}
