import { existsSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../src/load/lock.mjs";
import { projectPaths, pythonOf, ROOT } from "../setup/paths.mjs";
import { Problem } from "../setup/problem.mjs";
import { findPython } from "../setup/python.mjs";
import { hashFile, isCurrent, removeStamp, writeStamp } from "../setup/stamp.mjs";
import { makeVenv } from "../setup/venv.mjs";

/** The oldest Python that snakemake 9 runs on. */
const OLDEST = [3, 11];

/**
 * Snakemake in a virtual environment of its own, made if need be; npm start doesn't need it.
 * Throws Problem if Python is too old, or the packages can't be installed.
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, say?: (line: string) => void }} [options]
 * @returns {Promise<string>} its Python
 */
export async function snakemakePython({ root = ROOT, env = process.env, say = console.log } = {}) {
  const paths = projectPaths(root);
  const venv = join(paths.setup, "sweep");
  const python = pythonOf(venv);
  const requirements = join(root, "scripts", "sweep", "requirements.txt");
  const stamp = join(venv, ".set-up");
  const inputs = { root, requirements: hashFile(requirements), chosen: env.PYTHON ?? "" };
  const isDone = () => existsSync(python) && isCurrent(stamp, inputs);
  if (isDone()) return python;

  await withLock(
    paths.lock,
    async () => {
      if (isDone()) return; // another process has made it meanwhile
      const found = newEnough(findPython(env));
      say("Making the Python environment with snakemake (about a minute, once) …");
      removeStamp(stamp);
      await makeVenv(found, venv, requirements, { paths, env });
      writeStamp(stamp, inputs);
    },
    { say },
  );
  return python;
}

/** @param {import("../setup/python.mjs").Python} python */
function newEnough(python) {
  const [major, minor] = python.version;
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return python;
  throw new Problem(
    `npm run sweep needs Python ${OLDEST.join(".")} or later; ${python.executable} is ${python.version.join(".")}. If a newer one is installed, name it: PYTHON=python3.12 npm run sweep.`,
  );
}
