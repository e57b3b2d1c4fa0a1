import { spawnSync } from "node:child_process";
import { Problem, problem } from "./problem.mjs";

/** The oldest Python that the pinned packages run on. */
const OLDEST_PYTHON = [3, 9];

const ADVICE = {
  debian: "sudo apt-get install python3 python3-venv",
  fedora: "sudo dnf install python3",
  mac: "brew install python   (or the installer from https://www.python.org/downloads/)",
  windows: "winget install Python.Python.3.12   (or the installer from https://www.python.org/downloads/)",
};

const PROBE = `
import json, os, sys
try:
    import venv, ensurepip
    missing = ""
except ImportError as error:
    missing = error.name
print(json.dumps({"version": list(sys.version_info[:3]), "executable": os.path.realpath(sys.executable), "missing": missing}))
`;

/**
 * @typedef {object} Python
 * @property {string} command
 * @property {string[]} args
 * @property {number[]} version
 * @property {string} executable its real path
 * @property {string} missing the module without which no virtual environment can be made, or ""
 */

/**
 * The first usable Python: the PYTHON variable alone if it is set, else the usual names.
 * Throws Problem if there is none, it is too old, or it can not make virtual environments.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Python}
 */
export function findPython(env = process.env, platform = process.platform) {
  const candidates = env.PYTHON
    ? [[env.PYTHON]]
    : [["python3"], ["python"], ...(platform === "win32" ? [["py", "-3"]] : [])];
  const found = candidates.flatMap((candidate) => probe(candidate, env));
  const usable = found.find((python) => isNewEnough(python.version) && !python.missing);
  if (usable) return usable;
  throw refusal(found, env);
}

/**
 * @param {Python[]} found
 * @param {NodeJS.ProcessEnv} env
 */
function refusal(found, env) {
  const oldest = OLDEST_PYTHON.join(".");
  const newEnough = found.find((python) => isNewEnough(python.version));
  if (newEnough) {
    const [major, minor] = newEnough.version;
    return problem(
      `${newEnough.executable} (Python ${newEnough.version.join(".")}) can not make virtual environments: its module "${newEnough.missing}" is missing.`,
      {
        debian: `sudo apt-get install python${major}.${minor}-venv`,
        fedora: `sudo dnf install python3 python3-libs`,
        mac: "brew reinstall python",
        windows: "repair the installation of Python and tick pip and the standard library",
      },
    );
  }
  if (env.PYTHON && found.length === 0) {
    return new Problem(
      `PYTHON is set to "${env.PYTHON}", which does not run as a Python. Set it to a Python ${oldest} or later, or unset it.`,
    );
  }
  if (found.length > 0) {
    const seen = found.map((python) => `${python.executable} is ${python.version.join(".")}`).join(", ");
    return problem(
      `Python ${oldest} or later is needed, but ${seen}. If a newer one is installed, name it: PYTHON=python3.12 npm start.`,
      ADVICE,
    );
  }
  return problem(`Python ${oldest} or later is needed, and none was found as python3 or python.`, ADVICE);
}

/**
 * @param {string[]} candidate
 * @param {NodeJS.ProcessEnv} env
 * @returns {Python[]} the Python, or nothing
 */
function probe([command, ...args], env) {
  const { status, stdout } = spawnSync(command, [...args, "-c", PROBE], { env, encoding: "utf8", timeout: 30_000 });
  if (status !== 0) return [];
  try {
    return [{ command, args, ...JSON.parse(stdout) }];
  } catch {
    return [];
  }
}

/** @param {number[]} version */
function isNewEnough([major, minor]) {
  return major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);
}
